//! A schedule as clients see it, and what they are told when something happens to it.

use pb_model::schedule::{self, Rhythm, ScheduleEvent, ScheduleStatus, SlotResult, Timing, Zones};
use pb_model::spec::Invalid;
use pb_model::{GoalSpec, Millis};
use pb_runtime::zones;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many of the next slots are told.
const UPCOMING: usize = 3;

/// The time zones of this machine.
pub const ZONES: Zones = Zones { get: zones::get, names: zones::names };

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// The title of its goals.
    pub title: String,
    /// `active`, `paused`, `broken` or `removed`.
    #[schemars(with = "ScheduleStatus")]
    pub status: String,
    /// Why it is broken, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When its slots are.
    pub timing: Timing,
    /// What becomes of slots that were missed: `skip`, `once` or `all`.
    #[schemars(with = "schedule::Missed")]
    pub missed: String,
    /// So many failures in a row break it.
    pub failures_max: u32,
    /// How many there were.
    pub failures: u32,
    /// When it was accepted, in milliseconds since 1970.
    pub created_at: u64,
    /// When it last changed.
    pub updated_at: u64,
    /// Who asked for it.
    pub created_by: String,
    /// The next slot; none while it is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_slot: Option<u64>,
    /// The next three; only where a schedule was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upcoming: Vec<u64>,
    /// Its goal that has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// How many goals it has submitted.
    pub runs: u64,
    /// How many of its slots were skipped.
    pub skipped: u64,
    /// Its last goals, the latest last; only where a schedule was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<SlotRun>,
    /// What is run; only from `schedule.get` and `schedule.add`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Box<GoalSpec>>,
    /// Whether it is still in the inbox, waiting for a scheduler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
}

/// A goal that a schedule submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotRun {
    /// The goal's id.
    pub goal_id: String,
    /// The slot; none if a person had it run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u64>,
    /// When it was submitted.
    pub at: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
    /// `completed`, `failed` or `cancelled`, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SlotResult>")]
    pub result: Option<String>,
}

impl Schedule {
    /// What is told of it in a list and in events.
    fn short(schedule: &schedule::Schedule) -> Self {
        let spec = &schedule.spec;
        Self {
            id: schedule.id.to_string(),
            title: spec.goal.title.clone(),
            status: schedule.status.as_str().to_owned(),
            reason: schedule.reason.clone(),
            timing: spec.timing.clone(),
            missed: spec.missed.as_str().to_owned(),
            failures_max: spec.failures_max,
            failures: schedule.failures,
            created_at: schedule.created_at_ms,
            updated_at: schedule.updated_at_ms,
            created_by: schedule.created_by.clone(),
            next_slot: schedule.next_slot_ms,
            upcoming: Vec::new(),
            running: schedule.running.map(|goal| goal.to_string()),
            runs: schedule.runs,
            skipped: schedule.skipped,
            recent: Vec::new(),
            goal: None,
            waiting: false,
        }
    }

    /// The same with its last goals and its next slots, if this machine knows its time zone.
    pub fn listed(schedule: &schedule::Schedule) -> Self {
        let upcoming = match (schedule.status, schedule.spec.timing.rhythm(ZONES)) {
            (ScheduleStatus::Active, Ok(rhythm)) => rhythm.upcoming(schedule.passed_ms, UPCOMING),
            _ => Vec::new(),
        };
        let recent = schedule.recent.iter().map(|run| SlotRun {
            goal_id: run.goal.to_string(),
            slot: run.slot_ms,
            at: run.at_ms,
            ended_at: run.ended_at_ms,
            result: run.result.map(|result| SlotResult::as_str(result).to_owned()),
        });
        Self { upcoming, recent: recent.collect(), ..Self::short(schedule) }
    }

    /// The same with its goal.
    pub fn whole(schedule: &schedule::Schedule) -> Self {
        Self { goal: Some(Box::new(schedule.spec.goal.clone())), ..Self::listed(schedule) }
    }

    /// One that no scheduler has seen yet.
    pub fn waiting(
        (id, by): (pb_model::ScheduleId, String),
        spec: schedule::ScheduleSpec,
        rhythm: &Rhythm,
        at: Millis,
    ) -> Option<Self> {
        let command = schedule::ScheduleCommand::Add { id, spec: Box::new(spec), by };
        let events = schedule::decide(None, command, rhythm, at).ok()?;
        let added = events.iter().fold(None, |schedule, event| schedule::evolve(schedule, event, at))?;
        Some(Self { waiting: true, ..Self::whole(&added) })
    }
}

/// When the slots of a timing are, on this machine.
///
/// # Errors
/// It says nothing that is understood here, such as a time zone that is not known.
pub fn rhythm(timing: &Timing) -> Result<Rhythm, Invalid> {
    timing.rhythm(ZONES)
}

/// The payload for clients of `event`, which led to `state` at `at`.
pub fn data(event: &ScheduleEvent, state: &schedule::Schedule, at: u64) -> Value {
    let mut data = json!({
        "scheduleId": state.id,
        "timestamp": at,
        "status": state.status.as_str(),
        "title": state.spec.goal.title,
        "schedule": Schedule::short(state),
    });
    if let (Value::Object(data), Value::Object(more)) = (&mut data, particulars(event)) {
        data.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    data
}

fn particulars(event: &ScheduleEvent) -> Value {
    match event {
        ScheduleEvent::Created { .. } => json!({}),
        ScheduleEvent::Claimed { slot_ms, goal, .. } => json!({"slot": slot_ms, "goalId": goal}),
        ScheduleEvent::Ran { goal, by } => json!({"goalId": goal, "by": by}),
        ScheduleEvent::Skipped { first_ms, last_ms, count, why, .. } => {
            json!({"first": first_ms, "last": last_ms, "count": count, "why": why})
        }
        ScheduleEvent::Succeeded { goal } | ScheduleEvent::Cancelled { goal } => json!({"goalId": goal}),
        ScheduleEvent::Failed { goal, error } => json!({"goalId": goal, "error": error}),
        ScheduleEvent::Broke { goal, reason } => json!({"goalId": goal, "reason": reason}),
        ScheduleEvent::Paused { by } | ScheduleEvent::Resumed { by, .. } | ScheduleEvent::Removed { by } => {
            json!({"by": by})
        }
        ScheduleEvent::Compacted { events, .. } => json!({"events": events}),
    }
}
