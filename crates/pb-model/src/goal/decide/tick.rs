//! What time alone changes: marks of time budgets, and the deadline.

use super::Decision;
use super::answer;
use super::budget;
use super::escalate;
use crate::goal::cap::Cap;
use crate::goal::command::Rejection;
use crate::goal::event::Event;

/// Running time goes by the work, not by the clock (`durability.md` §4).
pub(super) fn jumped(decision: &mut Decision, by_ms: i64) -> Result<(), Rejection> {
    if decision.state.goal.running_since_ms.is_none() {
        return Err(Rejection::NotNow("nothing of it runs"));
    }
    decision.emit(Event::ClockJumped { by_ms });
    Ok(())
}

pub(super) fn tick(decision: &mut Decision) -> Result<(), Rejection> {
    let now = decision.moment.now_ms;
    if decision.state.next_mark().is_none_or(|at| at > now) {
        return Err(Rejection::NotNow("no mark is reached"));
    }
    answer::expire(decision)?;
    // The marks themselves are told after every decision.
    if decision.state.is_overdue(now) {
        let runs = decision.state.working().next().is_some();
        let question = budget::exceeded(decision, None, Cap::Deadline);
        if runs {
            escalate::goal_later(decision, question);
        } else {
            escalate::goal(decision, question);
        }
    }
    Ok(())
}
