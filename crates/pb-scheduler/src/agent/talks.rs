//! Conversations that were folded before: a cache, which may be lost at any time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pb_model::goal::Run;
use pb_model::{GoalId, RunId};

use super::talk::Talk;

/// The conversation of each goal's latest run that has one: a goal has one at a time.
#[derive(Debug, Default)]
pub(crate) struct Talks(Mutex<HashMap<GoalId, (RunId, Talk)>>);

impl Talks {
    /// What was folded of a run's journal; nothing yet for a run that is new here.
    pub(super) fn take(&self, run: &Run) -> Talk {
        let found = self.talks().remove(&run.goal_id).filter(|(of, _)| *of == run.id);
        found.map(|(_, talk)| talk).unwrap_or_default()
    }

    /// Keeps what was folded.
    pub(super) fn keep(&self, run: &Run, talk: &Talk) {
        self.talks().insert(run.goal_id, (run.id, talk.clone()));
    }

    /// Forgets a goal that has ended.
    pub(crate) fn forget(&self, goal: GoalId) {
        self.talks().remove(&goal);
    }

    fn talks(&self) -> MutexGuard<'_, HashMap<GoalId, (RunId, Talk)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
