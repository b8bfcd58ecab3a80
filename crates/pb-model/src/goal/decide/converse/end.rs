//! The end of a run with a conversation, and what a human is asked.

use crate::goal::cap::Cap;
use crate::goal::conversation::{CallResult, Hindrance};
use crate::goal::decide::escalate::{self, Question};
use crate::goal::decide::{Decision, budget, review, run};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{Execution, ExecutionOutcome, Item, Run, RunStatus};

/// How the work of the run ended, with what it said.
pub(super) fn execute(
    decision: &mut Decision,
    item: &Item,
    run: &Run,
    outcome: ExecutionOutcome,
    said: &str,
) {
    let execution = Execution {
        outcome,
        duration_ms: decision.moment.now_ms.saturating_sub(run.created_at_ms),
        output_digest: blake3::hash(said.as_bytes()).to_hex().to_string(),
        output_bytes: said.len() as u64,
        output_tail: said.to_owned(),
        unconfined: None,
    };
    decision.emit(Event::RunExecuted { item: item.id, run: run.id, execution: Box::new(execution) });
}

/// The attempt came to nothing: another one, later, or the end of the item; a plan needs a human.
pub(super) fn give_up(decision: &mut Decision, item: Option<&Item>, run: &Run, outcome: ExecutionOutcome) {
    let words = outcome.to_string();
    let error = match outcome {
        // Another attempt would use up as many again.
        ExecutionOutcome::TurnLimit { .. } => Failure::new(ErrorClass::Policy, "TURN_LIMIT", words),
        ExecutionOutcome::NotStarted { .. } => Failure::new(ErrorClass::Host, "AGENT_FAILED", words),
        _ => Failure::new(ErrorClass::Model, "AGENT_FAILED", words),
    };
    if let Some(item) = item {
        execute(decision, item, run, outcome, "");
        run::fail(decision, item, run.id, RunStatus::Failure, error);
    } else if run.reviews.is_some() {
        review::came_to_nothing(decision, run, error);
    } else {
        end(decision, None, run, Err((RunStatus::Failure, error.clone())));
        escalate::goal(decision, planning_question(error.message, "the model made no plan"));
    }
}

/// The plan was refused too often.
pub(super) fn no_plan(decision: &mut Decision, run: &Run, results: &[CallResult]) {
    let errors = results.last().map_or("it handed none in", |result| result.found.as_str()).to_owned();
    let error = Failure::new(ErrorClass::Model, "NO_PLAN", "no valid plan was made");
    if decision.state.run(run.id).is_some_and(|run| run.status == RunStatus::Running) {
        end(decision, None, run, Err((RunStatus::Failure, error)));
    }
    escalate::goal(decision, planning_question(errors, "the model's plans were not valid"));
}

fn planning_question(root_cause: String, title: &str) -> Question {
    Question::new(
        EscalationType::Stuck,
        title,
        "the goal has no work items",
        root_cause,
        &[(Answer::Retry, "have it planned again")],
    )
}

/// Something is missing before the model can be asked.
pub(super) fn hinder(decision: &mut Decision, item: Option<&Item>, run: &Run, hindrance: Hindrance) {
    let (escalation_type, title, root_cause, hint) = match hindrance {
        Hindrance::NoModel { why, hint } | Hindrance::Unusable { why, hint } => {
            (EscalationType::Credential, "a model is needed", why, hint)
        }
        Hindrance::Unconfined { hint } => (
            EscalationType::Risk,
            "this machine cannot confine what an agent runs",
            "the kernel has no Landlock, so an agent's commands could reach everything that you can"
                .to_owned(),
            hint,
        ),
        Hindrance::TooLong { why } => {
            too_long(decision, item, run, why);
            return;
        }
        Hindrance::Host { why } => {
            give_up(decision, item, run, ExecutionOutcome::NotStarted { reason: why });
            return;
        }
    };
    let question = Question::new(
        escalation_type,
        title,
        "no model was called",
        format!("{root_cause}; {hint}"),
        &[(Answer::Retry, "go on: that is mended")],
    );
    ask(decision, item, run, question);
}

/// The task does not fit the model: no other attempt would.
fn too_long(decision: &mut Decision, item: Option<&Item>, run: &Run, why: String) {
    let error = Failure::new(ErrorClass::Permanent, "CONTEXT_TOO_SMALL", why.clone());
    if let Some(item) = item {
        run::fail(decision, item, run.id, RunStatus::Failure, error);
    } else if run.reviews.is_some() {
        review::came_to_nothing(decision, run, error);
    } else {
        end(decision, None, run, Err((RunStatus::Failure, error)));
        escalate::goal(decision, planning_question(why, "the goal does not fit the model"));
    }
}

/// A cap is reached: the run ends, and a human decides.
pub(super) fn exhausted(decision: &mut Decision, item: Option<&Item>, run: &Run, cap: Cap) {
    let error =
        Failure::new(ErrorClass::Policy, "BUDGET_EXHAUSTED", format!("the {} is used up", cap.as_str()));
    if run.reviews.is_some() {
        review::came_to_nothing(decision, run, error);
        return;
    }
    end(decision, item, run, Err((RunStatus::Timeout, error)));
    let question = budget::exceeded(decision, item, cap);
    match item {
        Some(item) => escalate::item(decision, item.id, question),
        None => escalate::goal(decision, question),
    }
}

/// The run ends, and a human is asked.
pub(super) fn ask(decision: &mut Decision, item: Option<&Item>, run: &Run, question: Question) {
    let error = Failure::new(ErrorClass::Policy, "NEEDS_HUMAN", question.root_cause.clone());
    if run.reviews.is_some() {
        review::came_to_nothing(decision, run, error);
        return;
    }
    end(decision, item, run, Err((RunStatus::Failure, error)));
    match item {
        Some(item) => escalate::item(decision, item.id, question),
        None => escalate::goal(decision, question),
    }
}

pub(super) fn cancelled() -> Result<(), (RunStatus, Failure)> {
    Err((RunStatus::Aborted, Failure::new(ErrorClass::Policy, "CANCELLED", "the goal was cancelled")))
}

/// Ends a run; one that was cancelled takes its item along.
pub(super) fn end(
    decision: &mut Decision,
    item: Option<&Item>,
    run: &Run,
    how: Result<(), (RunStatus, Failure)>,
) {
    if let (Some(item), Err((RunStatus::Aborted, _))) = (item, &how) {
        run::abort(decision, item, run.id);
        return;
    }
    let (status, error) = match how {
        Ok(()) => (RunStatus::Success, None),
        Err((status, error)) => (status, Some(error)),
    };
    decision.emit(Event::RunCompleted { item: run.item_id, run: run.id, status, error });
}
