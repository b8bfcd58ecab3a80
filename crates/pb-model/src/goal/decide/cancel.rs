//! Cancelling: at once when nothing runs, else when all that runs has ended.

use super::{Decision, converse, run};
use crate::goal::command::Rejection;
use crate::goal::conversation::Doing;
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{CancelRequest, GoalStatus, Run, RunStatus};

pub(super) fn cancel(decision: &mut Decision, by: String, reason: Option<String>) -> Result<(), Rejection> {
    let cancel = CancelRequest { by, reason };
    match decision.state.goal.status {
        GoalStatus::Cancelled => Err(Rejection::AlreadyCancelled),
        status @ (GoalStatus::Completed | GoalStatus::Failed) => {
            Err(Rejection::AlreadyEnded(status.as_str()))
        }
        GoalStatus::Queued | GoalStatus::Blocked => {
            end_all(decision);
            decision.emit(Event::GoalCancelled { cancel });
            Ok(())
        }
        GoalStatus::Active => {
            if decision.state.goal.cancel.is_none() {
                decision.emit(Event::GoalCancelling { cancel });
                end_planning(decision);
            }
            Ok(()) // `conclude` ends it if nothing runs.
        }
    }
}

/// A plan in the making touches nothing, and what waits for a person does nothing, so nothing of them has to end
/// before the goal does.
pub(super) fn end_planning(decision: &mut Decision) {
    let idle = decision.state.running().filter(|run| run.item_id.is_none() || run.is_waiting());
    let idle: Vec<Run> = idle.cloned().collect();
    for run in idle {
        end(decision, &run);
    }
}

/// Ends everything of a goal that does not work in its folder.
pub(super) fn end_all(decision: &mut Decision) {
    let running: Vec<Run> = decision.state.running().cloned().collect();
    for run in running {
        end(decision, &run);
    }
}

fn end(decision: &mut Decision, run: &Run) {
    converse::withdraw_approval(decision, run);
    if let Some(item) = run.item_id.and_then(|item| decision.state.item(item)).cloned() {
        run::abort(decision, &item, run.id);
        return;
    }
    if let Some(Doing::Thinking { n }) = run.conversation.as_ref().map(|talk| &talk.doing) {
        converse::lose(decision, run, *n, "the goal was cancelled while it answered");
    }
    let error = Failure::new(ErrorClass::Policy, "CANCELLED", "the goal was cancelled");
    decision.emit(Event::RunCompleted {
        item: None,
        run: run.id,
        status: RunStatus::Aborted,
        error: Some(error),
    });
}
