//! Runs: starting one, taking one over after a crash, and what follows when its command ends.

use super::escalate::{self, Question};
use super::{Decision, adding, approve, budget, converse, evaluate};
use crate::goal::cap::Cap;
use crate::goal::command::Rejection;
use crate::goal::conversation::{Conversation, Doing};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{Execution, ExecutionOutcome, Item, ItemStatus, Run, RunStage, RunStatus};
use crate::spec::Effect;
use crate::{Epoch, ItemId, Millis, RunId, Verdict, retry};

/// How often one attempt is run again because the scheduler stopped while it ran. An item that
/// brings the scheduler down each time must not do so for ever.
pub(super) const RERUNS_MAX: usize = 3;

pub(super) fn start(
    decision: &mut Decision,
    item: ItemId,
    run: RunId,
    epoch: Epoch,
) -> Result<(), Rejection> {
    let item = decision.state.item(item).ok_or(Rejection::NotNow("no such item"))?.clone();
    if !decision.state.may_start_items() {
        return Err(Rejection::NotNow("the goal starts nothing"));
    }
    if !decision.state.may_start(&item) {
        return Err(Rejection::NotNow("a cap of the goal's models is used up"));
    }
    let waiting = matches!(item.status, ItemStatus::Ready | ItemStatus::Queued)
        && item.not_before_ms.is_none_or(|at| retry::is_due(at, decision.moment.now_ms));
    if !waiting || !decision.state.needs_met(&item) {
        return Err(Rejection::NotNow("the item is not ready"));
    }
    if item.is_agent() && decision.state.agent_runs() {
        return Err(Rejection::NotNow("another agent item works in the folder"));
    }
    let run = attempt(decision, run, Some(&item), epoch);
    decision.emit(Event::ItemStarted { item: item.id, run: run.id });
    decision.emit(Event::RunStarted { run: Box::new(run) });
    Ok(())
}

/// A new attempt at an item, or without one at a plan.
pub(super) fn attempt(decision: &Decision, id: RunId, item: Option<&Item>, epoch: Epoch) -> Run {
    let item_id = item.map(|item| item.id);
    let attempt =
        decision.state.runs.iter().filter(|run| run.item_id == item_id && run.reviews.is_none()).count() + 1;
    let mut conversation = item.is_none_or(Item::is_agent).then(Conversation::default);
    if let (Some(talk), Some(item)) = (&mut conversation, item) {
        talk.watch.avoided.clone_from(&item.avoided);
    }
    Run {
        id,
        item_id,
        reviews: None,
        goal_id: decision.state.goal.id,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        epoch,
        status: RunStatus::Running,
        stage: RunStage::Executing,
        created_at_ms: decision.moment.now_ms,
        completed_at_ms: None,
        // A command takes the first place of the journal; what a conversation takes, it takes as it goes.
        steps: u32::from(conversation.is_none()),
        execution: None,
        continued: Vec::new(),
        error: None,
        added: Vec::new(),
        conversation,
    }
}

/// A new incarnation goes on with every run of an earlier one (`durability.md` §4).
pub(super) fn take_over(decision: &mut Decision, epoch: Epoch, alive_until_ms: Millis) {
    let stale: Vec<Run> = decision.state.running().filter(|run| run.epoch < epoch).cloned().collect();
    if stale.is_empty() {
        return;
    }
    decision.emit(Event::GoalTakenOver { epoch, alive_until_ms });
    for run in stale {
        decision.emit(Event::RunContinued {
            item: run.item_id,
            run: run.id,
            epoch,
            ran_again: false,
            why: "the scheduler stopped while it ran".to_owned(),
        });
        if run.stage != RunStage::Executing {
            continue;
        }
        if run.conversation.is_some() {
            converse::take_over(decision, &run, epoch);
        } else if let Some(item) = run.item_id.and_then(|item| decision.state.item(item)).cloned() {
            unknown_outcome(decision, &item, &run, epoch);
        }
    }
}

/// Nobody knows whether the command did its work: its gates are the read-back probe.
pub(super) fn unknown_outcome(decision: &mut Decision, item: &Item, run: &Run, epoch: Epoch) {
    if decision.state.goal.cancel.is_some() {
        return; // It is being stopped; `wants` asks for that.
    }
    if item.gates.is_empty() {
        probed(decision, item, run, epoch, false);
    } else {
        decision.emit(Event::VerificationStarted { item: item.id, run: run.id, probe: true });
    }
}

/// What the probe found: the work is done, or it is run again, or a human decides.
pub(super) fn probed(decision: &mut Decision, item: &Item, run: &Run, epoch: Epoch, passed: bool) {
    if passed {
        let verdict = verdict_of(decision, run.id);
        approve::settle(decision, item, run.id, verdict);
        return;
    }
    let known = run.execution.as_ref().map_or(ExecutionOutcome::Lost, |execution| execution.outcome.clone());
    let reruns = run.continued.iter().filter(|continued| continued.ran_again).count();
    // Of a conversation, what is unknown is one call.
    let effect = run.risky_call().map_or(item.effect(), |call| call.effect);
    match effect {
        Effect::Unsafe => ask_about_risk(decision, item, run, &known),
        // The scheduler stopped while it ran: the same attempt goes on.
        Effect::Pure | Effect::Idempotent if run.execution.is_none() && reruns < RERUNS_MAX => {
            decision.emit(Event::RunContinued {
                item: Some(item.id),
                run: run.id,
                epoch,
                ran_again: true,
                why: format!("its outcome is unknown and it is {}, so it runs again", effect.as_str()),
            });
        }
        // It may be what ends the scheduler: that goes on no further by itself.
        Effect::Pure | Effect::Idempotent if run.execution.is_none() => {
            let what = format!("the scheduler stopped {} times while it ran", reruns + 1);
            let error = Failure::new(ErrorClass::Host, "STOPPED_TOO_OFTEN", what.clone());
            decision.emit(Event::RunCompleted {
                item: Some(item.id),
                run: run.id,
                status: RunStatus::Aborted,
                error: Some(error),
            });
            escalate::item(decision, item.id, stuck(item, what));
        }
        // Its end was seen: a new attempt, later, up to a limit.
        Effect::Pure | Effect::Idempotent => {
            let error = Failure::new(ErrorClass::Host, "UNKNOWN_OUTCOME", known.to_string());
            fail(decision, item, run.id, RunStatus::Aborted, error);
        }
    }
}

/// What it means to do it another way.
pub(super) const ANOTHER_WAY: &str =
    "do it another way, which you describe: what is not done is planned anew";

/// An attempt that was begun again and again, and never came to an end.
pub(super) fn stuck(item: &Item, root_cause: String) -> Question {
    Question::new(
        EscalationType::Stuck,
        format!("item `{}` does not come to an end", item.key),
        "it was begun again each time, and is not begun once more by itself",
        root_cause,
        &[
            (Answer::Retry, "try it again: what stopped the scheduler is mended"),
            (Answer::AlternativeApproach, ANOTHER_WAY),
            (Answer::Skip, "go on without it: it is done, or not needed"),
        ],
    )
}

/// The work is unsafe, and nobody knows whether it was done.
fn ask_about_risk(decision: &mut Decision, item: &Item, run: &Run, known: &ExecutionOutcome) {
    let status = if *known == ExecutionOutcome::TimedOut { RunStatus::Timeout } else { RunStatus::Aborted };
    let error = Failure::new(ErrorClass::Policy, "UNKNOWN_OUTCOME", known.to_string());
    decision.emit(Event::RunCompleted { item: Some(item.id), run: run.id, status, error: Some(error) });
    let what = match run.risky_call() {
        Some(call) => format!("{known} ({}: {})", call.tool, call.title),
        None => known.to_string(),
    };
    let mut question = Question::new(
        EscalationType::Risk,
        format!("item `{}` may or may not have done its work", item.key),
        if item.gates.is_empty() {
            "it has no gate that could tell"
        } else {
            "its gates were tried and do not pass"
        },
        format!("{what}, and its effect is unsafe: running it again might do it twice"),
        &[
            (Answer::Retry, "run it again: you looked, and nothing was done or doing it twice is harmless"),
            (Answer::Skip, "go on without running it: you looked, and it is done, or not needed"),
        ],
    );
    question.call = run.risky_call().map(|call| call.digest.clone());
    escalate::item(decision, item.id, question);
}

pub(super) fn finish(
    decision: &mut Decision,
    run: RunId,
    epoch: Epoch,
    execution: Execution,
) -> Result<(), Rejection> {
    let (item, run) = decision.held(run, epoch)?;
    // A conversation has commands of its own; only its stop has nothing more to say.
    let stopped = decision.state.goal.cancel.is_some();
    if run.stage != RunStage::Executing || (run.conversation.is_some() && !stopped) {
        return Err(Rejection::NotNow("the run is not executing"));
    }
    let outcome = execution.outcome.clone();
    decision.emit(Event::RunExecuted { item: item.id, run: run.id, execution: Box::new(execution) });
    if decision.state.goal.cancel.is_some() {
        abort(decision, &item, run.id);
        return Ok(());
    }
    match outcome {
        ExecutionOutcome::Exited { code: 0 } if item.gates.is_empty() => {
            succeed(decision, &item, run.id, Verdict::Unverified);
        }
        ExecutionOutcome::Exited { code: 0 } => {
            decision.emit(Event::VerificationStarted { item: item.id, run: run.id, probe: false });
        }
        ExecutionOutcome::Exited { .. } | ExecutionOutcome::Signaled { .. } => {
            fail(
                decision,
                &item,
                run.id,
                RunStatus::Failure,
                Failure::new(ErrorClass::Transient, "COMMAND_FAILED", outcome.to_string()),
            );
        }
        ExecutionOutcome::NotStarted { .. }
        | ExecutionOutcome::Finished
        | ExecutionOutcome::TurnLimit { .. }
        | ExecutionOutcome::Unanswered { .. } => {
            fail(
                decision,
                &item,
                run.id,
                RunStatus::Failure,
                Failure::new(ErrorClass::Permanent, "NOT_STARTED", outcome.to_string()),
            );
        }
        ExecutionOutcome::BudgetExhausted => exhausted(decision, &item, &run),
        ExecutionOutcome::TimedOut if item.effect() != Effect::Unsafe => {
            fail(
                decision,
                &item,
                run.id,
                RunStatus::Timeout,
                Failure::new(ErrorClass::Transient, "TIMEOUT", outcome.to_string()),
            );
        }
        ExecutionOutcome::TimedOut | ExecutionOutcome::Stopped | ExecutionOutcome::Lost => {
            let run = decision.state.run(run.id).cloned().unwrap_or(run);
            unknown_outcome(decision, &item, &run, epoch);
        }
    }
    Ok(())
}

fn exhausted(decision: &mut Decision, item: &Item, run: &Run) {
    let error =
        Failure::new(ErrorClass::Policy, "BUDGET_EXHAUSTED", ExecutionOutcome::BudgetExhausted.to_string());
    decision.emit(Event::RunCompleted {
        item: Some(item.id),
        run: run.id,
        status: RunStatus::Timeout,
        error: Some(error),
    });
    let question = budget::exceeded(decision, Some(item), Cap::Time);
    escalate::item(decision, item.id, question);
}

/// The item is done, and what waited for it may start.
pub(super) fn succeed(decision: &mut Decision, item: &Item, run: RunId, verdict: Verdict) {
    decision.emit(Event::RunCompleted { item: Some(item.id), run, status: RunStatus::Success, error: None });
    done(decision, item.id, run, verdict);
}

/// The item is done: what its run added are items now, and what waited for it may start.
pub(super) fn done(decision: &mut Decision, item: ItemId, run: RunId, verdict: Verdict) {
    decision.emit(Event::ItemCompleted { item, run, verdict });
    adding::create(decision, item, run);
    free(decision, item);
}

/// What waited for this item may start, if it waits for nothing else.
pub(super) fn free(decision: &mut Decision, item: ItemId) {
    let freed: Vec<ItemId> = decision
        .state
        .items
        .iter()
        .filter(|next| next.status == ItemStatus::Queued && decision.state.waits_on(next).contains(&item))
        .filter(|next| decision.state.needs_met(next))
        .map(|next| next.id)
        .collect();
    for item in freed {
        decision.emit(Event::ItemReady { item });
    }
}

/// The attempt failed: evaluation decides what follows.
pub(super) fn fail(decision: &mut Decision, item: &Item, run: RunId, status: RunStatus, error: Failure) {
    decision.emit(Event::RunCompleted { item: Some(item.id), run, status, error: Some(error.clone()) });
    evaluate::failed(decision, item, run, error);
}

/// The run was stopped by a cancellation.
pub(super) fn abort(decision: &mut Decision, item: &Item, run: RunId) {
    if let Some(run) = decision.state.run(run).cloned()
        && let Some(Doing::Thinking { n }) = run.conversation.as_ref().map(|talk| &talk.doing)
    {
        converse::lose(decision, &run, *n, "the goal was cancelled while it answered");
    }
    let error = Failure::new(ErrorClass::Policy, "CANCELLED", "the goal was cancelled");
    decision.emit(Event::RunCompleted {
        item: Some(item.id),
        run,
        status: RunStatus::Aborted,
        error: Some(error.clone()),
    });
    decision.emit(Event::ItemFailed { item: item.id, error });
}

/// The verdict of the run's gates that stand.
pub(super) fn verdict_of(decision: &Decision, run: RunId) -> Verdict {
    Verdict::of_gates(decision.state.standing_gates(run).into_iter().map(|gate| (gate.required, gate.passed)))
}
