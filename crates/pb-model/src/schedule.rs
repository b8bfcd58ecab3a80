//! A goal that is run again and again: each slot once, and not for ever when it fails.
//!
//! ```text
//!           slot claimed: a goal is submitted          N failures in a row
//! active --------------------------------------> active ------------------> broken
//!   |  ^                                                                      |
//!   |  +----------------------------- resumed -------------------------------+
//!   v  |
//! paused        removed: from anywhere
//! ```
//!
//! When slots are, and what becomes of those that were missed, is the caller's; here a slot is claimed at most
//! once, whatever the clock does, because slots only rise.

use serde::{Deserialize, Serialize};

use crate::machine::{Machine, START, Step, end, state};
use crate::{GoalId, Millis};

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Where it stands.
    pub status: ScheduleStatus,
    /// The last slot that was claimed.
    pub last_slot_ms: Option<Millis>,
    /// The goal of that slot, until its end is known.
    pub running: Option<GoalId>,
    /// Goals in a row that failed.
    pub failures: u32,
    /// So many break it.
    pub failures_max: u32,
}

/// Where a schedule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleStatus {
    /// Its slots are claimed.
    Active,
    /// A person has it stand still.
    Paused,
    /// It failed too often; a person looks.
    Broken,
    /// It is no more.
    Removed,
}

impl ScheduleStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Broken, Self::Removed];

    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Broken => "broken",
            Self::Removed => "removed",
        }
    }
}

/// What may be asked of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleCommand {
    /// Claim a slot, with the goal that is to be submitted for it.
    Claim {
        /// When the slot is.
        slot_ms: Millis,
        /// The goal.
        goal: GoalId,
    },
    /// The goal of the last slot has ended.
    Finish {
        /// The goal.
        goal: GoalId,
        /// Whether it was delivered.
        ok: bool,
    },
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// End it.
    Remove,
}

/// What happened to a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ScheduleEvent {
    /// A slot was claimed.
    Claimed {
        /// When the slot is.
        slot_ms: Millis,
        /// The goal.
        goal: GoalId,
    },
    /// Its goal was delivered.
    Succeeded,
    /// Its goal was not.
    Failed,
    /// Its goal was not, once too often.
    Broke,
    /// It stands still.
    Paused,
    /// It goes on.
    Resumed,
    /// It is no more.
    Removed,
}

/// Why nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleRejection {
    /// The slot was claimed, or is before one that was.
    #[error("the slot is over")]
    SlotIsOver,
    /// The goal of the last slot has not ended.
    #[error("its last goal has not ended")]
    StillRunning,
    /// It stands where this cannot be done.
    #[error("it is {0}")]
    Cannot(&'static str),
    /// That goal is none of its.
    #[error("it waits for no such goal")]
    NotItsGoal,
}

/// What `command` makes of a schedule.
///
/// # Errors
/// Why nothing changes.
pub fn decide(schedule: &Schedule, command: ScheduleCommand) -> Result<ScheduleEvent, ScheduleRejection> {
    use ScheduleStatus as Status;
    let word = schedule.status.as_str();
    match (command, schedule.status) {
        (_, Status::Removed)
        | (ScheduleCommand::Claim { .. } | ScheduleCommand::Pause, Status::Paused | Status::Broken)
        | (ScheduleCommand::Resume, Status::Active) => Err(ScheduleRejection::Cannot(word)),
        (ScheduleCommand::Claim { slot_ms, .. }, Status::Active)
            if schedule.last_slot_ms.is_some_and(|last| slot_ms <= last) =>
        {
            Err(ScheduleRejection::SlotIsOver)
        }
        (ScheduleCommand::Claim { .. }, Status::Active) if schedule.running.is_some() => {
            Err(ScheduleRejection::StillRunning)
        }
        (ScheduleCommand::Claim { slot_ms, goal }, Status::Active) => {
            Ok(ScheduleEvent::Claimed { slot_ms, goal })
        }
        (ScheduleCommand::Finish { goal, .. }, _) if schedule.running != Some(goal) => {
            Err(ScheduleRejection::NotItsGoal)
        }
        (ScheduleCommand::Finish { ok: true, .. }, _) => Ok(ScheduleEvent::Succeeded),
        (ScheduleCommand::Finish { ok: false, .. }, Status::Active)
            if schedule.failures + 1 >= schedule.failures_max =>
        {
            Ok(ScheduleEvent::Broke)
        }
        (ScheduleCommand::Finish { ok: false, .. }, _) => Ok(ScheduleEvent::Failed),
        (ScheduleCommand::Pause, Status::Active) => Ok(ScheduleEvent::Paused),
        (ScheduleCommand::Resume, Status::Paused | Status::Broken) => Ok(ScheduleEvent::Resumed),
        (ScheduleCommand::Remove, Status::Active | Status::Paused | Status::Broken) => {
            Ok(ScheduleEvent::Removed)
        }
    }
}

/// The schedule after `event`.
#[must_use]
pub fn evolve(mut schedule: Schedule, event: &ScheduleEvent) -> Schedule {
    match event {
        ScheduleEvent::Claimed { slot_ms, goal } => {
            schedule.last_slot_ms = Some(*slot_ms);
            schedule.running = Some(*goal);
        }
        ScheduleEvent::Succeeded => {
            schedule.running = None;
            schedule.failures = 0;
        }
        ScheduleEvent::Failed => {
            schedule.running = None;
            schedule.failures += 1;
        }
        ScheduleEvent::Broke => {
            schedule.running = None;
            schedule.failures += 1;
            schedule.status = ScheduleStatus::Broken;
        }
        ScheduleEvent::Paused => schedule.status = ScheduleStatus::Paused,
        ScheduleEvent::Resumed => {
            schedule.status = ScheduleStatus::Active;
            schedule.failures = 0;
        }
        ScheduleEvent::Removed => schedule.status = ScheduleStatus::Removed,
    }
    schedule
}

/// Its steps.
pub static MACHINE: Machine = Machine {
    name: "Schedule",
    about: "A goal that is run again and again.",
    states: &[
        state("active", "its slots are claimed, each once"),
        state("paused", "a person has it stand still"),
        state("broken", "its goals failed too often in a row; a person looks"),
        end("removed", "it is no more"),
    ],
    steps: &[
        Step(START, "added", "active"),
        Step("active", "claimed", "active"),
        Step("active", "succeeded", "active"),
        Step("active", "failed", "active"),
        Step("active", "broke", "broken"),
        Step("active", "paused", "paused"),
        Step("active", "removed", "removed"),
        Step("paused", "succeeded", "paused"),
        Step("paused", "failed", "paused"),
        Step("paused", "resumed", "active"),
        Step("paused", "removed", "removed"),
        Step("broken", "resumed", "active"),
        Step("broken", "removed", "removed"),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    fn goal() -> GoalId {
        GoalId::from(Uuid::from_u128(1))
    }

    fn commands() -> [ScheduleCommand; 7] {
        [
            ScheduleCommand::Claim { slot_ms: 10, goal: goal() },
            ScheduleCommand::Claim { slot_ms: 20, goal: goal() },
            ScheduleCommand::Finish { goal: goal(), ok: true },
            ScheduleCommand::Finish { goal: goal(), ok: false },
            ScheduleCommand::Pause,
            ScheduleCommand::Resume,
            ScheduleCommand::Remove,
        ]
    }

    /// Every state that can be reached, by going through all of them.
    #[test]
    fn every_command_in_every_reachable_state_is_a_step_of_the_table_or_refused() {
        let new = Schedule {
            status: ScheduleStatus::Active,
            last_slot_ms: None,
            running: None,
            failures: 0,
            failures_max: 2,
        };
        let mut seen = BTreeSet::from([Step(START, "added", "active")]);
        let (mut open, mut known) = (vec![new.clone()], vec![new]);
        while let Some(before) = open.pop() {
            for command in commands() {
                let Ok(event) = decide(&before, command) else { continue };
                let after = evolve(before.clone(), &event);
                let name = serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned();
                let step = MACHINE.steps.iter().find(|step| {
                    (step.0, step.1, step.2) == (before.status.as_str(), name.as_str(), after.status.as_str())
                });
                seen.insert(*step.unwrap_or_else(|| panic!("{before:?} {command:?}: {event:?}")));
                if let ScheduleEvent::Claimed { slot_ms, .. } = event {
                    assert!(before.last_slot_ms.is_none_or(|last| last < slot_ms), "a slot is claimed once");
                }
                if !known.contains(&after) {
                    known.push(after.clone());
                    open.push(after);
                }
            }
        }
        assert_eq!(seen, MACHINE.steps.iter().copied().collect());
        assert!(ScheduleStatus::ALL.iter().all(|status| known.iter().any(|one| one.status == *status)));
    }
}
