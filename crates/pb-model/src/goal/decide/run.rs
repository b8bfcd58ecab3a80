//! Runs: starting one, taking one over after a crash, and what follows when its command ends.

use super::Decision;
use super::escalate::{self, Question};
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::state::{
    EscalationType, Execution, ExecutionOutcome, Failure, Item, ItemStatus, Run, RunStage, RunStatus,
};
use crate::spec::{Effect, Work};
use crate::{Epoch, ItemId, Millis, RunId, Verdict, retry};

/// How often one attempt is run again because the scheduler stopped while it ran. An item that
/// brings the scheduler down each time must not do so for ever.
const RERUNS_MAX: usize = 3;

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
    let waiting = matches!(item.status, ItemStatus::Ready | ItemStatus::Queued)
        && item.not_before_ms.is_none_or(|at| at <= decision.moment.now_ms);
    if !waiting || !decision.state.needs_met(&item) {
        return Err(Rejection::NotNow("the item is not ready"));
    }
    if matches!(item.work, Work::Agent(_)) {
        escalate::item(
            decision,
            item.id,
            Question {
                escalation_type: EscalationType::Credential,
                title: format!("item `{}` needs a model", item.key),
                current_state: "the item was not started".to_owned(),
                root_cause: "an agent item is done by a model, and none is configured".to_owned(),
                options: vec![
                    ("use_command", "make it a command item"),
                    ("cancel", "cancel the goal with `pb goal cancel`"),
                ],
            },
        );
        return Ok(());
    }
    let attempt = decision.state.runs.iter().filter(|run| run.item_id == item.id).count() + 1;
    let run = Run {
        id: run,
        item_id: item.id,
        goal_id: item.goal_id,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        epoch,
        status: RunStatus::Running,
        stage: RunStage::Executing,
        created_at_ms: decision.moment.now_ms,
        completed_at_ms: None,
        steps: 1,
        execution: None,
        continued: Vec::new(),
        error: None,
    };
    decision.emit(Event::ItemStarted { item: item.id, run: run.id });
    decision.emit(Event::RunStarted { run: Box::new(run) });
    Ok(())
}

/// A new incarnation goes on with every run of an earlier one (`durability.md` §4).
pub(super) fn take_over(decision: &mut Decision, epoch: Epoch, alive_until_ms: Millis) {
    let stale: Vec<Run> = decision.state.running().filter(|run| run.epoch < epoch).cloned().collect();
    if stale.is_empty() {
        return;
    }
    decision.emit(Event::GoalTakenOver { epoch, alive_until_ms });
    for run in stale {
        let Some(item) = decision.state.item(run.item_id).cloned() else {
            continue;
        };
        decision.emit(Event::RunContinued {
            item: item.id,
            run: run.id,
            epoch,
            ran_again: false,
            why: "the scheduler stopped while it ran".to_owned(),
        });
        if run.stage == RunStage::Executing {
            unknown_outcome(decision, &item, &run, epoch);
        }
    }
}

/// Nobody knows whether the command did its work: its gates are the read-back probe.
fn unknown_outcome(decision: &mut Decision, item: &Item, run: &Run, epoch: Epoch) {
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
        succeed(decision, item, run.id, verdict);
        return;
    }
    let known = run.execution.as_ref().map_or(ExecutionOutcome::Lost, |execution| execution.outcome.clone());
    let reruns = run.continued.iter().filter(|continued| continued.ran_again).count();
    match item.effect() {
        Effect::Unsafe => ask_about_risk(decision, item, run.id, &known),
        // The scheduler stopped while it ran: the same attempt goes on.
        Effect::Pure | Effect::Idempotent if run.execution.is_none() && reruns < RERUNS_MAX => {
            decision.emit(Event::RunContinued {
                item: item.id,
                run: run.id,
                epoch,
                ran_again: true,
                why: format!("its outcome is unknown and it is {}, so it runs again", item.effect().as_str()),
            });
        }
        // Its end was seen, or it ends the scheduler each time: a new attempt, later, up to a limit.
        Effect::Pure | Effect::Idempotent => {
            let error = Failure::recoverable("UNKNOWN_OUTCOME", known.to_string());
            fail(decision, item, run.id, RunStatus::Aborted, error);
        }
    }
}

/// The work is unsafe, and nobody knows whether it was done.
fn ask_about_risk(decision: &mut Decision, item: &Item, run: RunId, known: &ExecutionOutcome) {
    let status = if *known == ExecutionOutcome::TimedOut { RunStatus::Timeout } else { RunStatus::Aborted };
    let error = Failure::lasting("UNKNOWN_OUTCOME", known.to_string());
    decision.emit(Event::RunCompleted { item: item.id, run, status, error: Some(error) });
    let question = Question {
        escalation_type: EscalationType::Risk,
        title: format!("item `{}` may or may not have done its work", item.key),
        current_state: if item.gates.is_empty() {
            "it has no gate that could tell".to_owned()
        } else {
            "its gates were tried and do not pass".to_owned()
        },
        root_cause: format!("{known}, and its effect is unsafe: running it again might do it twice"),
        options: vec![
            ("retry", "look at the workspace; if it is safe, run the goal again"),
            ("mark_idempotent", "if repeating it is harmless, say effect = \"idempotent\" in the goal file"),
            ("cancel", "cancel the goal with `pb goal cancel`"),
        ],
    };
    escalate::item(decision, item.id, question);
}

pub(super) fn finish(
    decision: &mut Decision,
    run: RunId,
    epoch: Epoch,
    execution: Execution,
) -> Result<(), Rejection> {
    let (item, run) = decision.held(run, epoch)?;
    if run.stage != RunStage::Executing {
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
                Failure::recoverable("COMMAND_FAILED", outcome.to_string()),
            );
        }
        ExecutionOutcome::NotStarted { .. } => {
            fail(
                decision,
                &item,
                run.id,
                RunStatus::Failure,
                Failure::lasting("NOT_STARTED", outcome.to_string()),
            );
        }
        ExecutionOutcome::BudgetExhausted => exhausted(decision, &item, &run),
        ExecutionOutcome::TimedOut if item.effect() != Effect::Unsafe => {
            fail(
                decision,
                &item,
                run.id,
                RunStatus::Timeout,
                Failure::recoverable("TIMEOUT", outcome.to_string()),
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
    let error = Failure::lasting("BUDGET_EXHAUSTED", ExecutionOutcome::BudgetExhausted.to_string());
    decision.emit(Event::RunCompleted {
        item: item.id,
        run: run.id,
        status: RunStatus::Timeout,
        error: Some(error),
    });
    let minutes = decision.state.goal.spec.budget_time_minutes.unwrap_or_default();
    escalate::item(
        decision,
        item.id,
        Question {
            escalation_type: EscalationType::Budget,
            title: "the time budget is used up".to_owned(),
            current_state: format!("item `{}` was stopped at the limit", item.key),
            root_cause: format!("the goal's steps have run for its {minutes} minute(s)"),
            options: vec![("raise", "raise `time_minutes` in the goal file and run it again")],
        },
    );
}

/// The item is done, and what waited for it may start.
pub(super) fn succeed(decision: &mut Decision, item: &Item, run: RunId, verdict: Verdict) {
    decision.emit(Event::RunCompleted { item: item.id, run, status: RunStatus::Success, error: None });
    decision.emit(Event::ItemCompleted { item: item.id, run, verdict });
    let freed: Vec<ItemId> = decision
        .state
        .items
        .iter()
        .filter(|next| next.status == ItemStatus::Queued && next.needs.contains(&item.id))
        .filter(|next| decision.state.needs_met(next))
        .map(|next| next.id)
        .collect();
    for item in freed {
        decision.emit(Event::ItemReady { item });
    }
}

/// The attempt failed: try again later, or give the item up with its evidence.
pub(super) fn fail(decision: &mut Decision, item: &Item, run: RunId, status: RunStatus, error: Failure) {
    decision.emit(Event::RunCompleted { item: item.id, run, status, error: Some(error.clone()) });
    if error.recoverable && item.retry_count < item.max_retries {
        let delay = retry::delay_ms(item.retry_count, decision.moment.seed);
        decision.emit(Event::ItemRetrying {
            item: item.id,
            retry_count: item.retry_count + 1,
            not_before_ms: decision.moment.now_ms + delay,
            error,
        });
    } else {
        decision.emit(Event::ItemFailed { item: item.id, error });
    }
}

/// The run was stopped by a cancellation.
pub(super) fn abort(decision: &mut Decision, item: &Item, run: RunId) {
    let error = Failure::lasting("CANCELLED", "the goal was cancelled");
    decision.emit(Event::RunCompleted {
        item: item.id,
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
