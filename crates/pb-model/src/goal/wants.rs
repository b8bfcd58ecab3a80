//! What a goal's state asks the daemon to have in flight.
//!
//! The daemon compares this with what it is doing and starts what is missing, so a crash between
//! any two effects needs no case of its own.

use super::conversation::{Conversation, Doing};
use super::state::{GoalState, GoalStatus, ItemStatus, Phase, Run, RunStage};
use crate::retry::is_due;
use crate::{ItemId, Millis, RunId};

/// One thing that should be done for a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// Turn the specification into items.
    Plan,
    /// Have a plan made by a model.
    StartPlanning,
    /// Look at the workspace, claim it, note the baseline.
    Prepare,
    /// Start an attempt at this item, when its lane has room.
    Start(ItemId),
    /// Run the command of this run.
    Execute(RunId),
    /// Put the next request of this run's conversation together, and find out what it may cost.
    Compose(RunId),
    /// Call the model of this run; the number is the call's place in the journal.
    Think(RunId, u32),
    /// Call tools for this run; the number is the first one's place in the journal.
    Act(RunId, u32),
    /// Run the gates of this run.
    Verify(RunId),
    /// Tell what time alone has changed.
    Tick,
    /// Begin delivery.
    BeginPublish,
    /// Run stale gates once more and record what is delivered, or what there is of a goal that can only fail.
    Publish,
    /// End what this run started.
    Stop(RunId),
}

/// What should be in flight for `state` at `now`.
pub fn wants(state: &GoalState, now: Millis) -> Vec<Want> {
    let mut wants = of_status(state, now);
    if state.next_mark().is_some_and(|at| at <= now) {
        wants.push(Want::Tick);
    }
    wants
}

fn of_status(state: &GoalState, now: Millis) -> Vec<Want> {
    let goal = &state.goal;
    match goal.status {
        GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed | GoalStatus::Blocked => {
            Vec::new()
        }
        GoalStatus::Queued if state.is_being_planned() || state.is_paused() => running(state, now),
        GoalStatus::Queued if goal.replan.is_some() => vec![Want::StartPlanning],
        GoalStatus::Queued if !state.items.is_empty() => vec![Want::Prepare],
        GoalStatus::Queued if goal.spec.items.is_empty() => vec![Want::StartPlanning],
        GoalStatus::Queued => vec![Want::Plan],
        GoalStatus::Active => active(state, now),
    }
}

fn active(state: &GoalState, now: Millis) -> Vec<Want> {
    let mut wants = running(state, now);
    if state.goal.replan.is_some() {
        if !state.is_being_planned() && !state.is_paused() && state.goal.cancel.is_none() {
            wants.push(Want::StartPlanning);
        }
        return wants;
    }
    // What is done is delivered, also by a goal that may start nothing more.
    if state.is_done() && state.goal.cancel.is_none() {
        match state.goal.phase {
            Phase::Publish => wants.push(Want::Publish),
            _ if state.is_paused() => {}
            _ => wants.push(Want::BeginPublish),
        }
        return wants;
    }
    // What a goal that can only fail has made is looked at as well.
    if state.is_lost() {
        wants.push(Want::Publish);
        return wants;
    }
    let agent_runs = state.agent_runs();
    let startable =
        state.items.iter().filter(|item| state.may_start(item) && !(agent_runs && item.is_agent()));
    wants.extend(startable.filter_map(|item| match item.status {
        ItemStatus::Ready => Some(Want::Start(item.id)),
        ItemStatus::Queued if item.not_before_ms.is_some_and(|at| is_due(at, now)) => {
            Some(Want::Start(item.id))
        }
        ItemStatus::Queued
        | ItemStatus::InProgress
        | ItemStatus::Verify
        | ItemStatus::Done
        | ItemStatus::Failed
        | ItemStatus::Blocked
        | ItemStatus::Skipped => None,
    }));
    wants
}

/// What the runs that have not ended want.
fn running(state: &GoalState, now: Millis) -> Vec<Want> {
    let want = |run: &Run| match (run.stage, &run.conversation) {
        _ if state.goal.cancel.is_some() => Some(Want::Stop(run.id)),
        _ if run.is_waiting() => None,
        // Its folder has to be claimed anew.
        _ if run.item_id.is_some() && state.goal.status != GoalStatus::Active => None,
        (RunStage::Executing, Some(conversation)) => {
            converse(run.id, conversation, now).filter(|want| may_begin(state, *want))
        }
        (RunStage::Executing, None) => Some(Want::Execute(run.id)),
        // Its gates have run, and a model looks at the work.
        (RunStage::Verifying | RunStage::Probing, _) if state.review_of(run.id).is_some() => None,
        (RunStage::Verifying | RunStage::Probing, _) => Some(Want::Verify(run.id)),
        (RunStage::Ended, _) => Some(Want::Stop(run.id)),
    };
    state.running().filter_map(want).collect()
}

/// Whether it may begin: a paused goal asks its models nothing more.
fn may_begin(state: &GoalState, want: Want) -> bool {
    !(state.is_paused() && matches!(want, Want::Compose(_)))
}

fn converse(run: RunId, conversation: &Conversation, now: Millis) -> Option<Want> {
    match &conversation.doing {
        Doing::Composing { not_before_ms } => {
            not_before_ms.is_none_or(|at| is_due(at, now)).then_some(Want::Compose(run))
        }
        Doing::Thinking { n } => Some(Want::Think(run, *n)),
        Doing::Acting { calls } => calls.first().map(|call| Want::Act(run, call.n)),
    }
}

/// The next time at which [`wants`] changes by itself: the earliest retry, of an item or of a call, or
/// mark of a time budget.
pub fn next_wake(state: &GoalState) -> Option<Millis> {
    next_try(state).into_iter().chain(state.next_mark()).min()
}

fn next_try(state: &GoalState) -> Option<Millis> {
    if state.goal.cancel.is_some() || state.is_paused() {
        return None;
    }
    let calls = state.working().filter_map(|run| match run.conversation.as_ref()?.doing {
        Doing::Composing { not_before_ms } if run.stage == RunStage::Executing => not_before_ms,
        Doing::Composing { .. } | Doing::Thinking { .. } | Doing::Acting { .. } => None,
    });
    let agent_runs = state.agent_runs();
    let items = state
        .items
        .iter()
        .filter(|item| item.status == ItemStatus::Queued && state.may_start(item))
        .filter(|item| !(agent_runs && item.is_agent()))
        .filter_map(|item| item.not_before_ms);
    calls.chain(items).min()
}
