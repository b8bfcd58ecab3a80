//! The goals that have not ended, in memory, and what they share: lanes and folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use pb_model::goal::{DayBudget, GoalState, GoalStatus};
use pb_model::{GoalId, Lane, Millis};
use pb_store::{Error, LogReader};

use crate::day::DayLedger;

/// The goals that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    states: HashMap<GoalId, GoalState>,
    /// The folder of each goal that writes or is about to.
    claims: HashMap<GoalId, PathBuf>,
    /// The folder of each queued goal, once it was looked at.
    folders: HashMap<GoalId, PathBuf>,
    /// What all goals spend today.
    day: DayLedger,
}

impl Goals {
    /// No goals, in a time of such budgets.
    pub(crate) fn new(day: DayLedger) -> Self {
        Self { day, ..Self::default() }
    }

    /// The budget of today, and what is used of it.
    pub(crate) fn day(&self) -> DayBudget {
        self.day.budget()
    }

    /// Begins another day, if it is one.
    pub(crate) async fn turn_day(&mut self, now: Millis, log: &LogReader) -> Result<(), Error> {
        if self.day.is_over(now) {
            self.day.begin(now, log, self.states.values()).await?;
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: GoalId) -> Option<&GoalState> {
        self.states.get(&id)
    }

    /// Keeps a state; one that has ended gives its folder back.
    pub(crate) fn put(&mut self, state: GoalState) {
        let id = state.goal.id;
        match state.goal.status {
            GoalStatus::Queued => {}
            GoalStatus::Active => {
                if let Some(workspace) = &state.goal.workspace {
                    self.claims.insert(id, PathBuf::from(workspace));
                }
            }
            GoalStatus::Blocked | GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => {
                self.claims.remove(&id);
                self.folders.remove(&id);
            }
        }
        self.day.note(&state);
        self.states.insert(id, state);
    }

    /// Forgets a goal: it has ended, or is to be loaded again.
    pub(crate) fn remove(&mut self, id: GoalId) {
        self.states.remove(&id);
        self.claims.remove(&id);
        self.folders.remove(&id);
    }

    /// Every goal's id, highest priority first, then oldest first.
    pub(crate) fn in_order(&self) -> Vec<GoalId> {
        let mut ids: Vec<_> = self.states.values().collect();
        ids.sort_by_key(|state| {
            (100 - state.goal.spec.priority.min(100), state.goal.created_at_ms, state.goal.id)
        });
        ids.into_iter().map(|state| state.goal.id).collect()
    }

    /// How many runs are running in each lane.
    pub(crate) fn lane_use(&self) -> BTreeMap<Lane, usize> {
        let mut lanes = BTreeMap::new();
        for state in self.states.values() {
            for run in state.working() {
                if let Some(item) = run.item_id.and_then(|item| state.item(item)) {
                    *lanes.entry(item.lane).or_default() += 1;
                }
            }
        }
        lanes
    }

    /// Notes which folder a queued goal is to work in.
    pub(crate) fn set_folder(&mut self, id: GoalId, folder: PathBuf) {
        self.folders.insert(id, folder);
    }

    /// The folder of a queued goal, once it was looked at.
    pub(crate) fn folder(&self, id: GoalId) -> Option<&Path> {
        self.folders.get(&id).map(PathBuf::as_path)
    }

    /// Whether the goal has claimed its folder.
    pub(crate) fn has_claimed(&self, id: GoalId) -> bool {
        self.claims.contains_key(&id)
    }

    /// Claims a folder for a goal; else the goal that has it, a parent or a child of it.
    pub(crate) fn claim(&mut self, id: GoalId, folder: &Path) -> Result<(), GoalId> {
        let overlaps = |other: &PathBuf| other.starts_with(folder) || folder.starts_with(other);
        let taken = self.claims.iter().filter(|(other, path)| **other != id && overlaps(path));
        if let Some(other) = taken.map(|(other, _)| *other).min() {
            return Err(other);
        }
        self.claims.insert(id, folder.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goal_at_a_time_in_a_folder_its_parents_and_children() {
        let goal = |n: u128| GoalId::from(uuid::Uuid::from_u128(n));
        let mut goals = Goals::default();
        assert_eq!(goals.claim(goal(1), Path::new("/w/a")), Ok(()));
        assert_eq!(goals.claim(goal(1), Path::new("/w/a")), Ok(()), "again is fine");
        assert_eq!(goals.claim(goal(2), Path::new("/w/a/b")), Err(goal(1)));
        assert_eq!(goals.claim(goal(2), Path::new("/w")), Err(goal(1)));
        assert_eq!(
            goals.claim(goal(2), Path::new("/w/ab")),
            Ok(()),
            "a common prefix of the name is no parent"
        );
        goals.remove(goal(1));
        assert_eq!(goals.claim(goal(3), Path::new("/w/a/b")), Ok(()));
    }
}
