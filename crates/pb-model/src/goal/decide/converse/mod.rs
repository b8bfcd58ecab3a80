//! Conversations: paying for a call before it is made, what an answer means, what follows from tools.

mod act;
mod end;
mod guarded;
mod think;
mod wait;

use super::{Decision, run};
use crate::goal::cap::Cap;
use crate::goal::command::{Next, Rejection};
use crate::goal::conversation::{Conversation, Doing, Hindrance, MODEL_FAILURES_MAX, PLANNING_TURNS_MAX};
use crate::goal::event::Event;
use crate::goal::spending::Reservation;
use crate::goal::state::{ExecutionOutcome, Item, Run, RunStage};
use crate::spec::Work;
use crate::{Epoch, RunId};

pub(super) use act::{Acted, acted};
use end::{ask, cancelled, end, exhausted, give_up, hinder};
pub(super) use think::{lose, thought};
pub(super) use wait::{answered, decided, expiry, withdraw, withdraw_approval};

/// The run that `epoch` holds, while its conversation goes on; `None` for the item of a plan's run.
fn talking(
    decision: &Decision,
    run: RunId,
    epoch: Epoch,
) -> Result<(Option<Item>, Run, Conversation), Rejection> {
    let run = decision.held_run(run, epoch)?;
    let item = run.item_id.and_then(|item| decision.state.item(item)).cloned();
    match run.conversation.clone() {
        Some(conversation) if run.stage == RunStage::Executing => Ok((item, run, conversation)),
        _ => Err(Rejection::NotNow("the run has no conversation under way")),
    }
}

/// The next request is put together.
pub(super) fn reserve(
    decision: &mut Decision,
    (run, epoch): (RunId, Epoch),
    next: Result<Next, Hindrance>,
) -> Result<(), Rejection> {
    let (item, run, conversation) = talking(decision, run, epoch)?;
    if !matches!(conversation.doing, Doing::Composing { .. }) {
        return Err(Rejection::NotNow("the run is not composing"));
    }
    if decision.state.goal.cancel.is_some() {
        end(decision, item.as_ref(), &run, cancelled());
        return Ok(());
    }
    if decision.state.is_paused() {
        return Err(Rejection::NotNow("the goal is paused"));
    }
    match next {
        Ok(next) => promise(decision, item.as_ref(), &run, next),
        Err(hindrance) => hinder(decision, item.as_ref(), &run, hindrance),
    }
    Ok(())
}

/// Puts aside what the next call may cost, or stops at the cap that it would break.
fn promise(decision: &mut Decision, item: Option<&Item>, run: &Run, next: Next) {
    if decision.state.goal.time_left_ms(decision.moment.now_ms) == Some(0) {
        exhausted(decision, item, run, Cap::Time);
    } else if let Some(cap) = decision.state.stopped_by() {
        exhausted(decision, item, run, cap);
    } else if let Some(cap) = decision.state.cap_broken_by(run.item_id, next.amount, &decision.moment.day) {
        exhausted(decision, item, run, cap);
    } else {
        if let Some(condensing) = next.condensing {
            decision.emit(Event::ConversationCondensed {
                item: run.item_id,
                run: run.id,
                condensed: condensing.condensed,
                turns: condensing.turns,
                results: condensing.results,
                bytes: condensing.bytes,
            });
        }
        let n = decision.state.run(run.id).map_or(run.steps, |run| run.steps) + 1;
        let reservation = Reservation {
            run: run.id,
            n,
            amount: next.amount,
            output_tokens: next.output_tokens,
            unpriced: next.unpriced,
            day: decision.moment.day.day.clone(),
        };
        decision.emit(Event::ModelRequested {
            item: run.item_id,
            model: next.model,
            other_model: next.other_model,
            reservation,
        });
    }
}

/// Nothing is left to be done for the last answer: another one, if there may be.
fn go_on(decision: &mut Decision, item: Option<&Item>, run: &Run, next: Option<Next>) {
    let turns = decision.conversation(run.id).map_or(0, |talk| talk.turns);
    let turns_max = match item.map(|item| &item.work) {
        Some(Work::Agent(agent)) => agent.turns(),
        Some(Work::Command(_)) | None => PLANNING_TURNS_MAX,
    };
    if turns >= turns_max {
        give_up(decision, item, run, ExecutionOutcome::TurnLimit { turns });
        return;
    }
    // What was put together for a conversation that goes on as it was does not hold for another one.
    let steady = guarded::look(decision, item, run, turns_max) == guarded::Found::Steady;
    if let Some(next) = next.filter(|_| steady && !decision.state.is_paused()) {
        promise(decision, item, run, next);
    }
}

/// Goes on no further by itself: a human decides.
fn stop_going_on(decision: &mut Decision, item: Option<&Item>, run: &Run, reason: String) {
    match item {
        Some(item) => ask(decision, Some(item), run, run::stuck(item, reason)),
        None => give_up(decision, None, run, ExecutionOutcome::Unanswered { reason }),
    }
}

/// A later incarnation goes on with a conversation: what was in flight is charged or found out.
pub(super) fn take_over(decision: &mut Decision, run: &Run, epoch: Epoch) {
    let item = run.item_id.and_then(|item| decision.state.item(item)).cloned();
    let Some(conversation) = &run.conversation else { return };
    if run.is_waiting() {
        return; // Nothing of it was begun.
    }
    match &conversation.doing {
        Doing::Composing { .. } => {}
        Doing::Thinking { n } => {
            lose(decision, run, *n, "the scheduler stopped while it answered");
            let failures = decision.conversation(run.id).map_or(0, |talk| talk.failures);
            // A call that brings the scheduler down each time must not do so for ever.
            if failures >= MODEL_FAILURES_MAX && decision.state.goal.cancel.is_none() {
                let reason =
                    format!("the scheduler stopped {failures} times in a row while a model was asked");
                stop_going_on(decision, item.as_ref(), run, reason);
            }
        }
        Doing::Acting { .. } => {
            if let Some(call) = run.risky_call() {
                act::unknown(decision, item.as_ref(), (run, epoch), call);
            }
        }
    }
}
