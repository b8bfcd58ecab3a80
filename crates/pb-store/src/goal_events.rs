//! Reading the history of one goal.

use pb_model::{GoalId, Millis};

use crate::contract::{Error, EventRecord};
use crate::log::LogReader;
use crate::sqlite::goal_events;

/// How much of a goal's history there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoalHistory {
    /// The number of the first event that is kept: 1, unless those before were compacted.
    pub first_seq: u64,
    /// The number of the last event.
    pub last_seq: u64,
}

/// Which events of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoalEventFilter {
    /// The goal.
    pub goal: GoalId,
    /// Only those after this number.
    pub after_seq: u64,
    /// Only those that did not happen before this moment.
    pub since_ms: Option<Millis>,
    /// Only those that did not happen after this moment.
    pub until_ms: Option<Millis>,
}

impl GoalEventFilter {
    /// Those of a goal after a number.
    pub fn after(goal: GoalId, after_seq: u64) -> Self {
        Self { goal, after_seq, since_ms: None, until_ms: None }
    }
}

impl LogReader {
    /// How much of a goal's history there is; `None` of a goal without any.
    pub async fn goal_history(&self, goal: GoalId) -> Result<Option<GoalHistory>, Error> {
        self.connection.call(move |connection| goal_events::history(connection, &goal.to_string())).await
    }

    /// The first of these events, in their order, with what `evolve` folds: at most `limit`, and at most 1 MiB
    /// beyond the first.
    pub async fn goal_events(
        &self,
        filter: GoalEventFilter,
        limit: usize,
    ) -> Result<Vec<EventRecord>, Error> {
        self.connection.call(move |connection| goal_events::page(connection, &filter, limit)).await
    }

    /// How many there are.
    pub async fn goal_events_count(&self, filter: GoalEventFilter) -> Result<u64, Error> {
        self.connection.call(move |connection| goal_events::count(connection, &filter)).await
    }
}
