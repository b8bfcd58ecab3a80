//! A goal whose history is too long to go on (`durability.md` §2): nothing new of it starts, what runs
//! ends and is recorded, and a human decides.

use super::Decision;
use super::escalate::{self, Question};
use crate::goal::cap::Cap;
use crate::goal::command::Rejection;
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::state::GoalStatus;

pub(super) fn outgrow(decision: &mut Decision, events: u64, bytes: u64) -> Result<(), Rejection> {
    let state = &decision.state;
    match state.goal.status {
        GoalStatus::Queued | GoalStatus::Active => {}
        GoalStatus::Blocked | GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => {
            return Err(Rejection::NotNow("the goal does not go on"));
        }
    }
    if state.goal.cancel.is_some() || state.stopped_by().is_some() {
        return Err(Rejection::NotNow("the goal ends already"));
    }
    if state.is_ending() {
        return Err(Rejection::NotNow("only its end is left, which is short"));
    }
    let runs = state.running().next().is_some();
    let mut question = Question::new(
        EscalationType::Budget,
        "the room for the goal's history is used up",
        if runs { "what runs is ended and recorded; nothing new starts" } else { "nothing of it runs" },
        format!("its history has {events} event(s) and {bytes} byte(s)"),
        &[
            (
                Answer::Retry,
                "go on: you raised goal_events or goal_bytes under [retention] in config.toml, and restarted",
            ),
            (
                Answer::Finish,
                "deliver what is done, and leave the rest; what is left may be a goal of its own",
            ),
        ],
    );
    question.cap = Some(Cap::History);
    if runs {
        escalate::goal_later(decision, question);
    } else {
        escalate::goal(decision, question);
    }
    Ok(())
}
