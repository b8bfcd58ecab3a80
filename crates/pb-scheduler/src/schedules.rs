//! The schedules that are not removed, in memory, and when the next of them is due.

use std::collections::BTreeMap;

use pb_model::schedule::{Rhythm, SCHEDULES_MAX, Schedule, ScheduleStatus};
use pb_model::{Millis, ScheduleId};
use pb_protocol::schedule::rhythm;
use pb_store::{Error, LogReader};

/// The schedules.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    known: BTreeMap<ScheduleId, Known>,
    /// When the next of them is due, so that nobody looks through them before.
    next_ms: Option<Millis>,
}

#[derive(Debug)]
struct Known {
    schedule: Schedule,
    /// When its slots are; or why that is not understood here, such as a time zone that is not known any more.
    rhythm: Result<Rhythm, String>,
}

impl Known {
    fn new(schedule: Schedule) -> Self {
        let rhythm = rhythm(&schedule.spec.timing).map_err(|invalid| invalid.to_string());
        Self { schedule, rhythm }
    }

    fn due_ms(&self) -> Option<Millis> {
        let is_lost = self.rhythm.is_err() && self.schedule.status == ScheduleStatus::Active;
        if is_lost { Some(0) } else { self.schedule.due_ms() }
    }
}

impl Schedules {
    /// Those of a log.
    pub(crate) async fn load(log: &LogReader) -> Result<Self, Error> {
        let known = log.live_schedules().await?.into_iter();
        let known = known.map(|schedule| (schedule.id, Known::new(schedule))).collect();
        let mut schedules = Self { known, next_ms: None };
        schedules.look_ahead();
        Ok(schedules)
    }

    pub(crate) fn get(&self, id: ScheduleId) -> Option<&Schedule> {
        self.known.get(&id).map(|known| &known.schedule)
    }

    /// When the slots of a schedule are; never, if that is not understood here.
    pub(crate) fn rhythm(&self, id: ScheduleId) -> Rhythm {
        let rhythm = self.known.get(&id).and_then(|known| known.rhythm.as_ref().ok());
        rhythm.cloned().unwrap_or_else(Rhythm::never)
    }

    /// Why it is not understood when the slots of a schedule are.
    pub(crate) fn problem(&self, id: ScheduleId) -> Option<&str> {
        self.known.get(&id)?.rhythm.as_ref().err().map(String::as_str)
    }

    /// Whether there is room for no more.
    pub(crate) fn is_full(&self) -> bool {
        self.known.len() >= SCHEDULES_MAX
    }

    /// Keeps a schedule as it stands now; one that was removed is forgotten.
    pub(crate) fn put(&mut self, schedule: Schedule) {
        if schedule.status == ScheduleStatus::Removed {
            self.known.remove(&schedule.id);
        } else if let Some(known) = self.known.get_mut(&schedule.id) {
            known.schedule = schedule; // Its timing never changes.
        } else {
            self.known.insert(schedule.id, Known::new(schedule));
        }
        self.look_ahead();
    }

    /// Those of which a slot is due.
    pub(crate) fn due(&self, now: Millis) -> Vec<ScheduleId> {
        if self.next_ms.is_none_or(|next| now < next) {
            return Vec::new();
        }
        let is_due = |known: &Known| known.due_ms().is_some_and(|due| due <= now);
        self.known.iter().filter(|(_, known)| is_due(known)).map(|(id, _)| *id).collect()
    }

    /// When the next of them is due.
    pub(crate) fn next_ms(&self) -> Option<Millis> {
        self.next_ms
    }

    fn look_ahead(&mut self) {
        self.next_ms = self.known.values().filter_map(Known::due_ms).min();
    }
}
