//! Cancelling: at once when nothing runs, else when all that runs has ended.

use super::{Decision, converse};
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
            end_planning(decision);
            decision.emit(Event::GoalCancelled { cancel });
            Ok(())
        }
        GoalStatus::Active => {
            if decision.state.goal.cancel.is_none() {
                decision.emit(Event::GoalCancelling { cancel });
            }
            Ok(()) // `conclude` ends it if nothing runs.
        }
    }
}

/// A plan in the making touches nothing, so nothing has to end before the goal does.
pub(super) fn end_planning(decision: &mut Decision) {
    let running: Vec<Run> = decision.state.running().cloned().collect();
    for run in running {
        if let Some(Doing::Thinking { n }) = run.conversation.as_ref().map(|talk| &talk.doing) {
            converse::lose(decision, &run, *n, "the goal was cancelled while it answered");
        }
        let error = Failure::new(ErrorClass::Policy, "CANCELLED", "the goal was cancelled");
        decision.emit(Event::RunCompleted {
            item: run.item_id,
            run: run.id,
            status: RunStatus::Aborted,
            error: Some(error),
        });
    }
}
