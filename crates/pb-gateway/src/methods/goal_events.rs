//! `goal.subscribe` and `goal.unsubscribe`, for old clients.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pb_protocol::RpcError;
use pb_protocol::methods::goal::GoalIdParams;
use pb_protocol::methods::goal_events::Success;
use serde_json::value::{RawValue, to_raw_value};

use super::{Outcome, goal};
use crate::hub::Hub;

/// Most goals that one session names.
const GOALS_MAX: usize = 1000;

/// What stands for the goal of an event that is of none: in what is pushed, and in the log.
const NO_GOAL: [&str; 2] = ["", "control"];

/// What becomes of the goals that a session named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GoalChange {
    /// It is told about this goal, and no more about all.
    Add(String),
    /// It is told no more about this goal.
    Remove(String),
}

/// The goals that a session named, shared by what serves it. Events of no goal are shown to all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named(Arc<Mutex<Option<BTreeSet<String>>>>);

impl Named {
    /// Whether an event of this goal is shown; of every goal, if none was ever named.
    pub(crate) fn shows(&self, goal: &str) -> bool {
        self.lock().as_ref().is_none_or(|named| NO_GOAL.contains(&goal) || named.contains(goal))
    }

    /// The goals that were named.
    pub(crate) fn list(&self) -> Vec<String> {
        self.lock().iter().flatten().cloned().collect()
    }

    /// Whether a goal was ever named.
    pub(crate) fn is_any(&self) -> bool {
        self.lock().is_some()
    }

    /// It is told about a goal that it hands over, if it named any before. For that, the goal is added before anybody
    /// can tell about it.
    pub(super) fn hand_over(&self, goal: &str) {
        if let Some(named) = self.lock().as_mut().filter(|named| named.len() < GOALS_MAX) {
            named.insert(goal.to_owned());
        }
    }

    /// # Errors
    /// So many are named already.
    pub(crate) fn change(&self, change: GoalChange) -> Result<(), RpcError> {
        let mut named = self.lock();
        match change {
            GoalChange::Add(goal) => {
                let named = named.get_or_insert_default();
                if named.len() >= GOALS_MAX && !named.contains(&goal) {
                    return Err(
                        super::too_many(GOALS_MAX, "goals").hint("events.subscribe sends those of all")
                    );
                }
                named.insert(goal);
            }
            GoalChange::Remove(goal) => {
                if let Some(named) = named.as_mut() {
                    named.remove(&goal);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn subscribe(hub: &Hub, params: GoalIdParams) -> Result<Outcome, RpcError> {
    let id = goal::resolve(hub, &params.goal_id).await?;
    goal::state(hub, id).await?;
    Ok(Outcome::Goals(GoalChange::Add(id.to_string()), success()?))
}

pub(super) async fn unsubscribe(hub: &Hub, params: GoalIdParams) -> Result<Outcome, RpcError> {
    // Whether there is such a goal is not asked (`wire.md` §2.6).
    let id = goal::resolve(hub, &params.goal_id).await.map_or(params.goal_id, |id| id.to_string());
    Ok(Outcome::Goals(GoalChange::Remove(id), success()?))
}

fn success() -> Result<Box<RawValue>, RpcError> {
    to_raw_value(&Success { success: true }).map_err(RpcError::internal)
}
