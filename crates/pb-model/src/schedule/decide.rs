//! Deciding: schedule + command + now give events, or a rejection. Pure.

use super::rhythm::Slots;
use super::{
    HISTORY_EVENTS_MAX, Missed, Rhythm, Schedule, ScheduleEvent, ScheduleSpec, ScheduleStatus, SkipReason,
    evolve,
};
use crate::{GoalId, Millis, ScheduleId};

/// A slot that is claimed within so many milliseconds was not missed.
pub const LATE_MS_MAX: u64 = 60 * 1000;

/// What may be asked of a schedule.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the id or value that it says")]
pub enum ScheduleCommand {
    /// A person asks for it; what is asked was validated.
    Add { id: ScheduleId, spec: Box<ScheduleSpec>, by: String },
    /// Time has passed: claim the slot that is due, and skip those that are not run.
    Due,
    /// A person has it run at once, as this goal.
    Run { goal: GoalId, by: String },
    /// Its goal has ended.
    Finish { goal: GoalId, ending: Ending },
    /// It cannot be understood here any more, such as a time zone that is not known.
    Break { why: String },
    /// A person has it stand still.
    Pause { by: String },
    /// A person has it go on.
    Resume { by: String },
    /// A person ends it.
    Remove { by: String },
}

/// How a goal of a schedule ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was delivered.
    Completed,
    /// It was not, and why.
    Failed(Option<String>),
    /// A person stopped it: that says nothing about the schedule.
    Cancelled,
}

/// Why nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleRejection {
    /// There is none.
    #[error("schedule not found")]
    Unknown,
    /// There is one already.
    #[error("the schedule exists already")]
    Exists,
    /// No slot is due.
    #[error("no slot is due")]
    NotDue,
    /// The goal of the last slot has not ended.
    #[error("its goal {0} has not ended")]
    StillRunning(GoalId),
    /// It stands where this cannot be done.
    #[error("the schedule is {0}")]
    Cannot(&'static str),
    /// That goal is none of its.
    #[error("it waits for no such goal")]
    NotItsGoal,
}

/// What `command` makes of a schedule whose slots are where `rhythm` says.
///
/// # Errors
/// Why nothing changes.
pub fn decide(
    schedule: Option<&Schedule>,
    command: ScheduleCommand,
    rhythm: &Rhythm,
    now_ms: Millis,
) -> Result<Vec<ScheduleEvent>, ScheduleRejection> {
    let Some(schedule) = schedule else {
        return match command {
            ScheduleCommand::Add { id, spec, by } => {
                let schedule = Box::new(added(id, *spec, by, rhythm, now_ms));
                Ok(vec![ScheduleEvent::Created { schedule }])
            }
            ScheduleCommand::Due
            | ScheduleCommand::Run { .. }
            | ScheduleCommand::Finish { .. }
            | ScheduleCommand::Break { .. }
            | ScheduleCommand::Pause { .. }
            | ScheduleCommand::Resume { .. }
            | ScheduleCommand::Remove { .. } => Err(ScheduleRejection::Unknown),
        };
    };
    let mut events = events(schedule, command, rhythm, now_ms)?;
    if schedule.events + events.len() as u64 >= HISTORY_EVENTS_MAX {
        let after =
            events.iter().try_fold(schedule.clone(), |schedule, event| evolve(Some(schedule), event, now_ms));
        if let Some(after) = after {
            let dropped = after.events;
            events.push(ScheduleEvent::Compacted { schedule: Box::new(after), events: dropped });
        }
    }
    Ok(events)
}

fn added(id: ScheduleId, spec: ScheduleSpec, by: String, rhythm: &Rhythm, now_ms: Millis) -> Schedule {
    Schedule {
        id,
        spec,
        created_by: by,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        status: ScheduleStatus::Active,
        reason: None,
        passed_ms: now_ms,
        next_slot_ms: rhythm.next_after(now_ms),
        running: None,
        failures: 0,
        runs: 0,
        skipped: 0,
        series: 0,
        recent: Vec::new(),
        events: 1,
    }
}

fn events(
    schedule: &Schedule,
    command: ScheduleCommand,
    rhythm: &Rhythm,
    now_ms: Millis,
) -> Result<Vec<ScheduleEvent>, ScheduleRejection> {
    use ScheduleStatus as Status;
    let cannot = Err(ScheduleRejection::Cannot(schedule.status.as_str()));
    match (command, schedule.status) {
        (ScheduleCommand::Add { .. }, _) => Err(ScheduleRejection::Exists),
        (_, Status::Removed)
        | (
            ScheduleCommand::Due | ScheduleCommand::Pause { .. } | ScheduleCommand::Break { .. },
            Status::Paused | Status::Broken,
        )
        | (ScheduleCommand::Resume { .. }, Status::Active) => cannot,
        (ScheduleCommand::Due, Status::Active) => due(schedule, rhythm, now_ms),
        (ScheduleCommand::Run { goal, by }, Status::Active | Status::Paused | Status::Broken) => {
            match schedule.running {
                Some(running) => Err(ScheduleRejection::StillRunning(running)),
                None => Ok(vec![ScheduleEvent::Ran { goal, by }]),
            }
        }
        (ScheduleCommand::Finish { goal, ending }, Status::Active | Status::Paused | Status::Broken) => {
            finish(schedule, goal, ending).map(|event| vec![event])
        }
        (ScheduleCommand::Break { why }, Status::Active) => {
            Ok(vec![ScheduleEvent::Broke { goal: None, reason: why }])
        }
        (ScheduleCommand::Pause { by }, Status::Active) => Ok(vec![ScheduleEvent::Paused { by }]),
        (ScheduleCommand::Resume { by }, Status::Paused | Status::Broken) => {
            Ok(vec![ScheduleEvent::Resumed { by, next_slot_ms: rhythm.next_after(now_ms) }])
        }
        (ScheduleCommand::Remove { by }, Status::Active | Status::Paused | Status::Broken) => {
            Ok(vec![ScheduleEvent::Removed { by }])
        }
    }
}

fn finish(schedule: &Schedule, goal: GoalId, ending: Ending) -> Result<ScheduleEvent, ScheduleRejection> {
    if schedule.running != Some(goal) {
        return Err(ScheduleRejection::NotItsGoal);
    }
    let failures = schedule.failures.saturating_add(1);
    Ok(match ending {
        Ending::Completed => ScheduleEvent::Succeeded { goal },
        Ending::Cancelled => ScheduleEvent::Cancelled { goal },
        Ending::Failed(error)
            if schedule.status == ScheduleStatus::Active && failures >= schedule.spec.failures_max =>
        {
            let times = if failures == 1 {
                "its goal failed".to_owned()
            } else {
                format!("{failures} goals in a row failed")
            };
            let reason = error.map_or(times.clone(), |error| format!("{times}, the last with: {error}"));
            ScheduleEvent::Broke { goal: Some(goal), reason }
        }
        Ending::Failed(error) => ScheduleEvent::Failed { goal, error },
    })
}

/// The slots that have passed: which of them is claimed, and which are skipped.
fn due(
    schedule: &Schedule,
    rhythm: &Rhythm,
    now_ms: Millis,
) -> Result<Vec<ScheduleEvent>, ScheduleRejection> {
    let slots = rhythm.slots(schedule.passed_ms, now_ms);
    let Some(last) = slots.latest.last().copied() else {
        return Err(ScheduleRejection::NotDue);
    };
    let why = match schedule.running {
        None => SkipReason::Missed,
        Some(_) => SkipReason::Running,
    };
    let claimed = match (schedule.spec.missed, schedule.running) {
        (Missed::Skip, Some(_)) => None,
        (Missed::Once | Missed::All, Some(goal)) => return Err(ScheduleRejection::StillRunning(goal)),
        (Missed::Skip, None) => Some(last).filter(|last| now_ms - last <= LATE_MS_MAX),
        (Missed::Once, None) => Some(last),
        (Missed::All, None) => slots.latest.first().copied(),
    };
    let mut events = Vec::new();
    events.extend(skipped(&slots, claimed, why, rhythm));
    if let Some(slot_ms) = claimed {
        let goal = schedule.goal_of_slot(slot_ms);
        events.push(ScheduleEvent::Claimed { slot_ms, goal, next_slot_ms: rhythm.next_after(slot_ms) });
    }
    Ok(events)
}

/// The slots before the one that is claimed, or all of them.
fn skipped(
    slots: &Slots,
    claimed: Option<Millis>,
    why: SkipReason,
    rhythm: &Rhythm,
) -> Option<ScheduleEvent> {
    let before = |slot: &&Millis| claimed.is_none_or(|claimed| **slot < claimed);
    let lately = slots.latest.iter().filter(before);
    let last_ms = lately.clone().next_back().copied().or(slots.last_older)?;
    let first_ms = slots.first?;
    let count = slots.older + lately.count() as u64;
    Some(ScheduleEvent::Skipped { first_ms, last_ms, count, why, next_slot_ms: rhythm.next_after(last_ms) })
}
