//! What an answer of the model means, and what it is charged.

use super::end::{ask, cancelled, end, exhausted, give_up};
use super::guarded::{guards, trip};
use super::{go_on, talking};
use crate::goal::command::Rejection;
use crate::goal::conversation::{
    AfterFailure, CALLS_MAX, Conversation, Doing, IDLE_TURNS_MAX, MODEL_FAILURES_MAX, Thought, ThoughtOutcome,
};
use crate::goal::decide::Decision;
use crate::goal::decide::escalate::Question;
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::guard::Guard;
use crate::goal::spending::Charge;
use crate::goal::state::{ExecutionOutcome, Item, Run};
use crate::{Epoch, RunId, retry};

/// The call of the model ended.
pub(in crate::goal::decide) fn thought(
    decision: &mut Decision,
    (run, epoch): (RunId, Epoch),
    n: u32,
    thought: Thought,
) -> Result<(), Rejection> {
    let (item, run, conversation) = talking(decision, run, epoch)?;
    if conversation.doing != (Doing::Thinking { n }) {
        return Err(Rejection::NotNow("the run does not wait for this answer"));
    }
    let held = decision.state.goal.spending.reservation(run.id, n).cloned();
    let charge = |used| Charge::of(held.as_ref(), used);
    match thought.outcome {
        ThoughtOutcome::Answered { cut_short, calls, text } => {
            let charge = charge(thought.usage);
            let mut calls = calls;
            for (call, place) in calls.iter_mut().zip(n + 1..) {
                call.n = place;
                call.held = decision.state.needs_yes(item.as_ref(), &call.tool);
            }
            let count = calls.len();
            decision.emit(Event::ModelAnswered {
                item: run.item_id,
                run: run.id,
                n,
                model: thought.model,
                used: thought.usage,
                charge,
                text,
                calls,
                cut_short,
                duration_ms: thought.duration_ms,
            });
            answered(decision, item.as_ref(), &run, (count, cut_short), charge);
        }
        ThoughtOutcome::Failed { error, then, charged } => {
            let charge = if charged { charge(None) } else { Charge::default() };
            let failed = Failed { n, model: thought.model, error, charge, duration_ms: thought.duration_ms };
            self::failed(decision, (item.as_ref(), &run, &conversation), failed, then);
        }
        ThoughtOutcome::Stopped => {
            decision.emit(Event::ModelFailed {
                item: run.item_id,
                run: run.id,
                n,
                model: thought.model,
                error: "it was stopped while it answered".to_owned(),
                charge: charge(None),
                not_before_ms: None,
                lost: false,
                duration_ms: thought.duration_ms,
                refused_bytes: None,
            });
            if decision.state.goal.cancel.is_some() {
                end(decision, item.as_ref(), &run, cancelled());
            } else {
                let cap = decision.state.time_cap(run.item_id, decision.moment.now_ms);
                exhausted(decision, item.as_ref(), &run, cap);
            }
        }
    }
    Ok(())
}

/// The model answered: what follows, beside the tools that it calls.
fn answered(
    decision: &mut Decision,
    item: Option<&Item>,
    run: &Run,
    (calls, cut_short): (usize, bool),
    charge: Charge,
) {
    let overrun =
        charge.overrun.then(|| decision.state.cap_of_overrun(run.item_id, &decision.moment.day)).flatten();
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
    } else if let Some(cap) = overrun {
        exhausted(decision, item, run, cap);
    } else if calls > CALLS_MAX {
        let reason = format!("it called {calls} tools at once, at most {CALLS_MAX} are made");
        give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
    } else if calls == 0 && cut_short {
        let reason = "its answer was cut at the length limit, without a call".to_owned();
        give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
    } else if calls == 0 {
        let idle = decision.conversation(run.id).map_or(0, |talk| talk.idle);
        if idle >= IDLE_TURNS_MAX && guards(item) {
            trip(decision, item, run, Guard::EmptyAnswers);
        } else if idle >= IDLE_TURNS_MAX {
            let reason = format!("{idle} answers in a row called no tool");
            give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
        } else {
            go_on(decision, item, run, None);
        }
    }
}

/// A call of a model that failed.
struct Failed {
    n: u32,
    model: String,
    error: String,
    charge: Charge,
    duration_ms: u64,
}

fn failed(
    decision: &mut Decision,
    (item, run, conversation): (Option<&Item>, &Run, &Conversation),
    call: Failed,
    then: AfterFailure,
) {
    let Failed { n, model, error, charge, duration_ms } = call;
    let failures = conversation.failures + 1;
    let wait = match then {
        AfterFailure::Again { after_ms } if failures < MODEL_FAILURES_MAX => {
            let delay = retry::delay_ms(conversation.failures, decision.moment.seed);
            Some(decision.moment.now_ms + after_ms.unwrap_or(0).min(retry::RETRY_MAX_MS).max(delay))
        }
        AfterFailure::Again { .. }
        | AfterFailure::Shorter { .. }
        | AfterFailure::Human
        | AfterFailure::Nothing => None,
    };
    let refused_bytes = match then {
        AfterFailure::Shorter { bytes } => Some(bytes),
        AfterFailure::Again { .. } | AfterFailure::Human | AfterFailure::Nothing => None,
    };
    decision.emit(Event::ModelFailed {
        item: run.item_id,
        run: run.id,
        n,
        model: model.clone(),
        error: error.clone(),
        charge,
        not_before_ms: wait,
        lost: false,
        duration_ms,
        refused_bytes,
    });
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
        return;
    }
    match then {
        AfterFailure::Again { .. } if wait.is_some() => {}
        // The next one is put together shorter; once.
        AfterFailure::Shorter { .. } if conversation.refused_bytes.is_none() => {}
        AfterFailure::Shorter { .. } => {
            let reason = format!(
                "the request is too long for the model, also after it was made shorter: {error}; say how many \
                 tokens it takes under [context_tokens] in config.toml"
            );
            give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
        }
        AfterFailure::Again { .. } => {
            let reason = format!("{failures} calls in a row failed; the last: {error}");
            give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
        }
        AfterFailure::Nothing => {
            give_up(decision, item, run, ExecutionOutcome::Unanswered { reason: error });
        }
        AfterFailure::Human => ask(
            decision,
            item,
            run,
            Question::new(
                EscalationType::Credential,
                format!("the model {model} does not let us in"),
                "the call was refused; nothing was charged",
                error,
                &[(Answer::Retry, "go on: you set the key and ran `pb scheduler restart`")],
            ),
        ),
    }
}

/// The end of a call was not seen, and will not be: it is charged in full.
pub(in crate::goal::decide) fn lose(decision: &mut Decision, run: &Run, n: u32, error: &str) {
    let charge = Charge::of(decision.state.goal.spending.reservation(run.id, n), None);
    let model = run.conversation.as_ref().and_then(|talk| talk.model.clone()).unwrap_or_default();
    decision.emit(Event::ModelFailed {
        item: run.item_id,
        run: run.id,
        n,
        model,
        error: error.to_owned(),
        charge,
        not_before_ms: None,
        lost: true,
        duration_ms: 0,
        refused_bytes: None,
    });
}
