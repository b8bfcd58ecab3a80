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
//! A **slot** is a moment at which the goal is to run; [`Rhythm`] says when they are. Each schedule has one mark,
//! [`Schedule::passed_ms`]: the slots up to there are over, claimed or not. It only rises, whatever the clock does, so
//! no slot comes twice; only a person who has a schedule go on sets it, to now.

mod decide;
mod event;
mod evolve;
mod machine;
mod rhythm;
mod spec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GoalId, Millis, ScheduleId};

pub use decide::{Ending, LATE_MS_MAX, ScheduleCommand, ScheduleRejection, decide};
pub use event::{ScheduleEvent, SkipReason};
pub use evolve::evolve;
pub use machine::MACHINE;
pub use rhythm::{CATCH_UP_MAX, Rhythm, SLOTS_COUNTED_MAX, Slots};
pub use spec::{
    EVERY_MS_MAX, EVERY_MS_MIN, FAILURES_DEFAULT, FAILURES_MAX, Missed, ScheduleSpec, Timing, Zones,
};

/// Most schedules that are not removed.
pub const SCHEDULES_MAX: usize = 256;
/// How many of its last goals a schedule remembers.
pub const RECENT_MAX: usize = 10;
/// Events of one schedule that are kept at most; then a snapshot stands for those before it.
pub const HISTORY_EVENTS_MAX: u64 = 512;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id, minted where it entered.
    pub id: ScheduleId,
    /// What is run, when, and what becomes of slots that were missed.
    pub spec: ScheduleSpec,
    /// Who asked for it.
    pub created_by: String,
    /// When the scheduler accepted it.
    pub created_at_ms: Millis,
    /// When it last changed.
    pub updated_at_ms: Millis,
    /// Where it stands.
    pub status: ScheduleStatus,
    /// Why it is broken, in words.
    pub reason: Option<String>,
    /// Slots up to here are over.
    pub passed_ms: Millis,
    /// The first one after that; none if none ever comes.
    pub next_slot_ms: Option<Millis>,
    /// Its goal that has not ended.
    pub running: Option<GoalId>,
    /// Goals in a row that failed.
    pub failures: u32,
    /// How many goals it has submitted.
    pub runs: u64,
    /// How many of its slots were skipped, as far as they were counted.
    pub skipped: u64,
    /// How often a person had it go on: slots that are claimed again after that are others.
    pub series: u32,
    /// Its last goals, the latest last; at most [`RECENT_MAX`].
    pub recent: Vec<SlotRun>,
    /// Events since its last snapshot, that included.
    pub events: u64,
}

/// A goal that a schedule submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRun {
    /// The slot; none if a person had it run.
    pub slot_ms: Option<Millis>,
    /// The goal.
    pub goal: GoalId,
    /// When it was submitted.
    pub at_ms: Millis,
    /// When it ended.
    pub ended_at_ms: Option<Millis>,
    /// How.
    pub result: Option<SlotResult>,
}

/// How a goal of a schedule ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotResult {
    /// It was delivered.
    Completed,
    /// It was not.
    Failed,
    /// A person stopped it.
    Cancelled,
}

impl SlotResult {
    /// The word shown everywhere: the status of the goal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a goal knows of the schedule that submitted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfSchedule {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The slot; none if a person had it run.
    pub slot_ms: Option<Millis>,
}

/// Where a schedule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl Schedule {
    /// From when on something is to be decided about its slots; none while nothing is, however late it gets.
    pub fn due_ms(&self) -> Option<Millis> {
        let waits = match self.spec.missed {
            Missed::Skip => false, // A slot that passes meanwhile is told.
            Missed::Once | Missed::All => self.running.is_some(),
        };
        match self.status {
            ScheduleStatus::Active if !waits => self.next_slot_ms,
            ScheduleStatus::Active
            | ScheduleStatus::Paused
            | ScheduleStatus::Broken
            | ScheduleStatus::Removed => None,
        }
    }

    /// The goal of a slot: always the same, so that the slot cannot be submitted twice.
    pub fn goal_of_slot(&self, slot_ms: Millis) -> GoalId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.id.uuid().as_bytes());
        hasher.update(&self.series.to_le_bytes());
        hasher.update(&slot_ms.to_le_bytes());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
    }
}

#[cfg(test)]
mod rhythm_tests;
#[cfg(test)]
mod tests;
