//! Reading runs of all goals, and counting what was done.

use pb_model::goal::{ItemStatus, RunStatus};
use pb_model::{GoalId, ItemId, RunId};

use crate::contract::Error;
use crate::log::LogReader;
use crate::sqlite::runs;

/// Which runs to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those of this item.
    pub item: Option<ItemId>,
    /// Only those in this status.
    pub status: Option<RunStatus>,
    /// Only those before this place.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: usize,
    /// How many of the latest are left out.
    pub offset: usize,
}

/// A run, and what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPlace {
    /// The run.
    pub id: RunId,
    /// Its goal.
    pub goal: GoalId,
    /// Its item; none where a model makes a plan or reviews.
    pub item: Option<ItemId>,
    /// Where it stands among all runs: those that began later have higher ones.
    pub place: u64,
}

/// What was done, counted. Of runs, only the latest are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkCounts {
    /// Items, by their status.
    pub items: Vec<(String, u64)>,
    /// All runs there are.
    pub runs: u64,
    /// Of the latest runs, how many have ended.
    pub ended: u64,
    /// How many of those with success.
    pub succeeded: u64,
    /// How long those that ended took together, in milliseconds.
    pub took_ms: u64,
}

impl WorkCounts {
    /// How many items are in this status.
    pub fn items_in(&self, status: ItemStatus) -> u64 {
        self.items.iter().find(|(known, _)| known == status.as_str()).map_or(0, |(_, count)| *count)
    }
}

impl LogReader {
    /// The latest runs, the latest first, and how many there are of this item and in this status.
    pub async fn runs(&self, filter: RunFilter) -> Result<(Vec<RunPlace>, u64), Error> {
        self.connection.call(move |connection| runs::latest(connection, filter)).await
    }

    /// Counts what was done; of the runs, the latest `looked_at`.
    pub async fn work_counts(&self, looked_at: usize) -> Result<WorkCounts, Error> {
        self.connection.call(move |connection| runs::counts(connection, looked_at)).await
    }
}
