//! When phases and waits began, so that their ends can say how long they took: no state holds that.

use std::collections::HashMap;

use pb_model::GoalId;

use super::{About, What};

/// Most of them that are remembered; of a later one it is told how long it took at least.
const OPEN_MAX: usize = 16 * 1024;
/// Stands for the wait for a folder: no phase has this name.
const WAIT: &str = "wait";

/// What has begun and not ended.
#[derive(Debug)]
pub(super) struct Began {
    /// When this process began to look.
    from_ms: u64,
    /// By goal: its phases by their names, and its wait.
    at_ms: HashMap<(GoalId, &'static str), u64>,
}

impl Began {
    pub(super) fn at(from_ms: u64) -> Self {
        Self { from_ms, at_ms: HashMap::new() }
    }

    /// Notes what begins; says of what ends how long it took.
    pub(super) fn note(&mut self, now_ms: u64, about: &About, what: &mut What) {
        let Some(goal) = about.goal_id() else { return };
        match what {
            What::PhaseStarted { phase } => self.begin((goal, *phase), now_ms),
            What::LockWaitStarted { .. } => self.begin((goal, WAIT), now_ms),
            What::PhaseEnded { phase, duration_ms, at_least } => {
                (*duration_ms, *at_least) = self.end((goal, *phase), now_ms);
            }
            What::LockWaitEnded { duration_ms, at_least } => {
                (*duration_ms, *at_least) = self.end((goal, WAIT), now_ms);
            }
            _ => {}
        }
    }

    fn begin(&mut self, key: (GoalId, &'static str), now_ms: u64) {
        if self.at_ms.len() < OPEN_MAX {
            // Waiting behind another goal than before is the same wait.
            self.at_ms.entry(key).or_insert(now_ms);
        }
    }

    fn end(&mut self, key: (GoalId, &'static str), now_ms: u64) -> (u64, Option<bool>) {
        match self.at_ms.remove(&key) {
            Some(began_ms) => (now_ms.saturating_sub(began_ms), None),
            None => (now_ms.saturating_sub(self.from_ms), Some(true)),
        }
    }
}
