//! What a person may say about a goal as a whole: stand still, go on, try again, come first.

use super::Decision;
use super::answer;
use crate::Verdict;
use crate::goal::command::Rejection;
use crate::goal::escalation::Reply;
use crate::goal::event::Event;
use crate::goal::state::{GoalStatus, Item, ItemStatus};
use crate::spec::PRIORITY_MAX;

pub(super) fn pause(decision: &mut Decision, by: String) -> Result<(), Rejection> {
    let state = &decision.state;
    match state.goal.status {
        GoalStatus::Queued | GoalStatus::Active if state.goal.cancel.is_none() => {
            if !state.is_paused() {
                decision.emit(Event::GoalPaused { by });
            }
            Ok(())
        }
        GoalStatus::Queued | GoalStatus::Active => Err(Rejection::Cannot("paused", "cancelled")),
        status @ (GoalStatus::Blocked
        | GoalStatus::Completed
        | GoalStatus::Cancelled
        | GoalStatus::Failed) => Err(Rejection::Cannot("paused", status.as_str())),
    }
}

/// Ends a pause, or answers what a blocked goal asks. A goal that runs already goes on.
pub(super) fn resume(decision: &mut Decision, by: &str, reply: Option<Reply>) -> Result<(), Rejection> {
    let status = decision.state.goal.status;
    match status {
        GoalStatus::Queued | GoalStatus::Active | GoalStatus::Blocked => {}
        GoalStatus::Failed => return Err(Rejection::Cannot("resumed", "failed")),
        GoalStatus::Completed | GoalStatus::Cancelled => {
            return Err(Rejection::Cannot("resumed", status.as_str()));
        }
    }
    if let Some(reply) = reply {
        answer::all(decision, &reply, by)?;
    } else if status == GoalStatus::Blocked && decision.state.open_escalations().next().is_some() {
        return Err(answer::needed(&decision.state, "the goal is blocked"));
    }
    // The answer may have ended it.
    if decision.state.is_paused() && !decision.state.goal.status.is_terminal() {
        decision.emit(Event::GoalResumed { by: by.to_owned() });
    }
    Ok(())
}

/// A goal that failed is tried again: what failed of it, from the start; what is done stays done.
pub(super) fn retry(decision: &mut Decision, by: String) -> Result<(), Rejection> {
    let status = decision.state.goal.status;
    if status != GoalStatus::Failed {
        return Err(Rejection::Cannot("retried", status.as_str()));
    }
    let failed = decision.state.items.iter().filter(|item| match item.status {
        ItemStatus::Failed => true,
        // A gate of it that had passed did not hold at the end.
        ItemStatus::Done => item.verdict == Some(Verdict::Failed),
        ItemStatus::Queued
        | ItemStatus::Ready
        | ItemStatus::InProgress
        | ItemStatus::Verify
        | ItemStatus::Blocked
        | ItemStatus::Skipped => false,
    });
    let mut failed: Vec<Item> = failed.cloned().collect();
    decision.emit(Event::GoalResumed { by });
    // What others need first: these then wait for it. There is no circle, so one is always found.
    while !failed.is_empty() {
        let needs_none = |item: &Item| {
            let waits_on = decision.state.waits_on(item);
            !failed.iter().any(|other| waits_on.contains(&other.id))
        };
        let first = failed.iter().position(needs_none).unwrap_or(0);
        let item = failed.remove(first).id;
        decision.emit(Event::ItemReopened { item, allow: None });
    }
    Ok(())
}

pub(super) fn prioritize(decision: &mut Decision, priority: u8, by: String) -> Result<(), Rejection> {
    let goal = &decision.state.goal;
    if priority > PRIORITY_MAX {
        return Err(Rejection::BadAnswer(format!("a priority is 0 to {PRIORITY_MAX}")));
    }
    if goal.status.is_terminal() {
        return Err(Rejection::Cannot("prioritized", goal.status.as_str()));
    }
    if goal.spec.priority != priority {
        decision.emit(Event::GoalPrioritized { priority, by });
    }
    Ok(())
}
