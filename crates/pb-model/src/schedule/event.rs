//! What happens to a schedule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Schedule;
use crate::{GoalId, Millis};

/// What happened to a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the id or value that it says")]
pub enum ScheduleEvent {
    /// It was accepted.
    Created { schedule: Box<Schedule> },
    /// A slot was claimed, and its goal submitted.
    Claimed { slot_ms: Millis, goal: GoalId, next_slot_ms: Option<Millis> },
    /// A person had it run at once.
    Ran { goal: GoalId, by: String },
    /// So many slots, from the first to the last, were not run.
    Skipped { first_ms: Millis, last_ms: Millis, count: u64, why: SkipReason, next_slot_ms: Option<Millis> },
    /// Its goal was delivered.
    Succeeded { goal: GoalId },
    /// Its goal was not.
    Failed { goal: GoalId, error: Option<String> },
    /// A person stopped its goal.
    Cancelled { goal: GoalId },
    /// Its goals failed too often, or it cannot be understood any more.
    Broke { goal: Option<GoalId>, reason: String },
    /// It stands still.
    Paused { by: String },
    /// It goes on with the slots after now.
    Resumed { by: String, next_slot_ms: Option<Millis> },
    /// It is no more.
    Removed { by: String },
    /// The events before this one are dropped; it stands for them.
    Compacted { schedule: Box<Schedule>, events: u64 },
}

/// Why slots were not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Nothing could run when they were: the machine or the scheduler was off.
    Missed,
    /// The last goal had not ended.
    Running,
}

impl SkipReason {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Running => "running",
        }
    }
}

impl ScheduleEvent {
    /// Its name on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "schedule.created",
            Self::Claimed { .. } => "schedule.claimed",
            Self::Ran { .. } => "schedule.ran",
            Self::Skipped { .. } => "schedule.skipped",
            Self::Succeeded { .. } => "schedule.succeeded",
            Self::Failed { .. } => "schedule.failed",
            Self::Cancelled { .. } => "schedule.cancelled",
            Self::Broke { .. } => "schedule.broke",
            Self::Paused { .. } => "schedule.paused",
            Self::Resumed { .. } => "schedule.resumed",
            Self::Removed { .. } => "schedule.removed",
            Self::Compacted { .. } => "schedule.compacted",
        }
    }
}
