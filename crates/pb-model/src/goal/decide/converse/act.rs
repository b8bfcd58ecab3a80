//! What follows from calls of tools.

use super::end::{ask, cancelled, end, execute, give_up, no_plan};
use super::wait::wait;
use super::{go_on, stop_going_on, talking};
use crate::goal::command::{Next, Planned, Rejection};
use crate::goal::conversation::{Call, CallEnd, CallResult, Doing, PLANS_REFUSED_MAX};
use crate::goal::decide::escalate::Question;
use crate::goal::decide::{Decision, adding, intake, review, run};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::state::{ExecutionOutcome, Item, Run};
use crate::spec::Effect;
use crate::{Epoch, RunId, Verdict};

/// Calls of tools that ended, as in `Command::FinishActing`.
pub(in crate::goal::decide) struct Acted {
    pub(in crate::goal::decide) results: Vec<CallResult>,
    pub(in crate::goal::decide) workspace: Option<String>,
    pub(in crate::goal::decide) plan: Option<Planned>,
    pub(in crate::goal::decide) next: Option<Next>,
}

/// Calls of tools ended.
pub(in crate::goal::decide) fn acted(
    decision: &mut Decision,
    (run, epoch): (RunId, Epoch),
    ended: Acted,
) -> Result<(), Rejection> {
    let (item, run, conversation) = talking(decision, run, epoch)?;
    let Acted { results, workspace, plan, next } = ended;
    if run.is_waiting() {
        return Err(Rejection::NotNow("the run waits for a person"));
    }
    let Doing::Acting { calls } = &conversation.doing else {
        return Err(Rejection::NotNow("the run calls no tools"));
    };
    let matching = !results.is_empty()
        && results.len() <= calls.len()
        && results.iter().zip(calls).all(|(result, call)| result.n == call.n);
    if !matching {
        return Err(Rejection::NotNow("these calls are not under way"));
    }
    for (result, call) in results.iter().zip(calls) {
        if result.end == CallEnd::Unknown {
            unknown(decision, item.as_ref(), (&run, epoch), call);
            return Ok(());
        }
        if result.end == CallEnd::Asks {
            let asks = result.asks.clone().ok_or(Rejection::NotNow("it says not what it asks"))?;
            wait(decision, item.as_ref(), &run, call, asks);
            return Ok(());
        }
        decision.emit(Event::ToolCompleted {
            item: run.item_id,
            run: run.id,
            call: Box::new(call.clone()),
            end: result.end,
            found: result.found.clone(),
            output_digest: result.output_digest.clone(),
            workspace: workspace.clone(),
            duration_ms: result.duration_ms,
        });
        if result.end == CallEnd::Ok && !result.adds.is_empty() {
            adding::add(decision, item.as_ref(), &run, result.adds.clone())?;
        }
        match result.end {
            CallEnd::Withheld if conversation.withheld.contains(&call.digest) => {
                insists(decision, item.as_ref(), &run, call);
                return Ok(());
            }
            CallEnd::Ok | CallEnd::Failed | CallEnd::Unknown | CallEnd::Withheld | CallEnd::Asks => {}
            CallEnd::Finished if run.reviews.is_some() => {
                reviewed(decision, &run, result);
                return Ok(());
            }
            CallEnd::Finished => {
                finished(decision, item.as_ref(), &run, &result.found, plan);
                return Ok(());
            }
            CallEnd::Host => {
                let reason = format!("{}: {}", call.tool, result.found);
                give_up(decision, item.as_ref(), &run, ExecutionOutcome::NotStarted { reason });
                return Ok(());
            }
        }
    }
    if decision.state.goal.cancel.is_some() {
        end(decision, item.as_ref(), &run, cancelled());
        return Ok(());
    }
    let refused = decision.conversation(run.id).map_or(0, |talk| talk.plans_refused);
    if item.is_none() && refused >= PLANS_REFUSED_MAX {
        no_plan(decision, &run, &results);
    } else if decision.conversation(run.id).is_some_and(|talk| talk.doing == Doing::default()) {
        go_on(decision, item.as_ref(), &run, next);
    }
    Ok(())
}

/// The model was told that an earlier attempt made this call, and makes it all the same.
fn insists(decision: &mut Decision, item: Option<&Item>, run: &Run, call: &Call) {
    let mut question = Question::new(
        EscalationType::Risk,
        format!("the agent wants to repeat {}: {}", call.tool, call.title),
        "an earlier attempt made the same call, or may have",
        "its effect is unsafe: making it again might do it twice",
        &[
            (Answer::Retry, "try again, and let it make the call: you looked, and twice is harmless"),
            (Answer::Skip, "go on without this item: you looked, and it is done, or not needed"),
        ],
    );
    question.call = Some(call.digest.clone());
    ask(decision, item, run, question);
}

/// The model hands in its review.
fn reviewed(decision: &mut Decision, run: &Run, result: &CallResult) {
    if decision.state.goal.cancel.is_some() {
        end(decision, None, run, cancelled());
        return;
    }
    match &result.review {
        Some(reviewed) => review::concluded(decision, run, reviewed),
        None => review::came_to_nothing(decision, run, review::failure("it says nothing")),
    }
}

/// The model says that it is done: the plan stands, or the gates decide.
fn finished(decision: &mut Decision, item: Option<&Item>, run: &Run, summary: &str, plan: Option<Planned>) {
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
        return;
    }
    let Some(item) = item else {
        end(decision, None, run, Ok(()));
        match plan {
            Some(plan) => intake::adopt(decision, &plan),
            None => no_plan(decision, run, &[]),
        }
        return;
    };
    execute(decision, item, run, ExecutionOutcome::Finished, summary);
    if item.gates.is_empty() {
        run::succeed(decision, item, run.id, Verdict::Unverified);
    } else {
        decision.emit(Event::VerificationStarted { item: item.id, run: run.id, probe: false });
    }
}

/// Nobody knows how a call ended: what may be repeated is, the rest is found out by the gates.
pub(super) fn unknown(
    decision: &mut Decision,
    item: Option<&Item>,
    (run, epoch): (&Run, Epoch),
    call: &Call,
) {
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
        return;
    }
    let reruns = run.continued.iter().filter(|continued| continued.ran_again).count();
    match (call.effect, item) {
        (Effect::Unsafe, Some(item)) => run::unknown_outcome(decision, item, run, epoch),
        (Effect::Pure | Effect::Idempotent, _) if reruns < run::RERUNS_MAX => {
            decision.emit(Event::RunContinued {
                item: run.item_id,
                run: run.id,
                epoch,
                ran_again: true,
                why: format!(
                    "the outcome of {} ({}) is unknown and it is {}, so it is called again",
                    call.tool,
                    call.title,
                    call.effect.as_str()
                ),
            });
        }
        (Effect::Pure | Effect::Idempotent | Effect::Unsafe, _) => {
            let reason = format!("the outcome of {} ({}) is unknown again and again", call.tool, call.title);
            stop_going_on(decision, item, run, reason);
        }
    }
}
