//! Cancelling: at once when nothing runs, else when all that runs has ended.

use super::Decision;
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::state::{CancelRequest, GoalStatus};

pub(super) fn cancel(decision: &mut Decision, by: String, reason: Option<String>) -> Result<(), Rejection> {
    let cancel = CancelRequest { by, reason };
    match decision.state.goal.status {
        GoalStatus::Cancelled => Err(Rejection::AlreadyCancelled),
        status @ (GoalStatus::Completed | GoalStatus::Failed) => {
            Err(Rejection::AlreadyEnded(status.as_str()))
        }
        GoalStatus::Queued | GoalStatus::Blocked => {
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
