//! What a goal's state asks the daemon to have in flight.
//!
//! The daemon compares this with what it is doing and starts what is missing, so a crash between
//! any two effects needs no case of its own.

use super::state::{GoalState, GoalStatus, ItemStatus, Phase, RunStage};
use crate::{ItemId, Millis, RunId};

/// One thing that should be done for a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// Turn the specification into items.
    Plan,
    /// Look at the workspace, claim it, note the baseline.
    Prepare,
    /// Start an attempt at this item, when its lane has room.
    Start(ItemId),
    /// Run the command of this run.
    Execute(RunId),
    /// Run the gates of this run.
    Verify(RunId),
    /// Begin delivery.
    BeginPublish,
    /// Run stale gates once more and record what is delivered.
    Publish,
    /// End what this run started.
    Stop(RunId),
}

/// What should be in flight for `state` at `now`.
pub fn wants(state: &GoalState, now: Millis) -> Vec<Want> {
    let goal = &state.goal;
    match goal.status {
        GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed | GoalStatus::Blocked => {
            Vec::new()
        }
        GoalStatus::Queued if goal.phase == Phase::Intake => vec![Want::Plan],
        GoalStatus::Queued => vec![Want::Prepare],
        GoalStatus::Active => active(state, now),
    }
}

fn active(state: &GoalState, now: Millis) -> Vec<Want> {
    let running = state.running().map(|run| match run.stage {
        _ if state.goal.cancel.is_some() => Want::Stop(run.id),
        RunStage::Executing => Want::Execute(run.id),
        RunStage::Verifying | RunStage::Probing => Want::Verify(run.id),
        RunStage::Ended => Want::Stop(run.id),
    });
    let mut wants: Vec<Want> = running.collect();
    if !state.may_start_items() {
        return wants;
    }
    if state.items.iter().all(|item| item.status == ItemStatus::Done) {
        wants.push(if state.goal.phase == Phase::Publish { Want::Publish } else { Want::BeginPublish });
        return wants;
    }
    wants.extend(state.items.iter().filter_map(|item| match item.status {
        ItemStatus::Ready => Some(Want::Start(item.id)),
        ItemStatus::Queued if item.not_before_ms.is_some_and(|at| at <= now) => Some(Want::Start(item.id)),
        ItemStatus::Queued
        | ItemStatus::InProgress
        | ItemStatus::Verify
        | ItemStatus::Done
        | ItemStatus::Failed
        | ItemStatus::Blocked => None,
    }));
    wants
}

/// The next time at which [`wants`] changes by itself: the earliest retry.
pub fn next_wake(state: &GoalState) -> Option<Millis> {
    if !state.may_start_items() {
        return None;
    }
    state
        .items
        .iter()
        .filter(|item| item.status == ItemStatus::Queued)
        .filter_map(|item| item.not_before_ms)
        .min()
}
