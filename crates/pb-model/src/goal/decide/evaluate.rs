//! What follows an attempt that failed (`evaluation.rs`).

use super::escalate::{self, Question};
use super::{Decision, replan, run};
use crate::goal::escalation::{Answer, EscalationType};
use crate::goal::evaluation::{Evaluation, GATE_FAILURES_BEFORE_SWITCH, REPLANS_MAX};
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{GoalState, Item};
use crate::spec::Work;
use crate::{RunId, Tier, retry};

/// The error of an attempt whose gates did not pass.
pub(super) const GATE_FAILED: &str = "GATE_FAILED";

/// Who wants another plan, when nobody does.
const EVALUATION: &str = "evaluation";

/// The attempt has ended: what is done now, and why.
pub(super) fn failed(decision: &mut Decision, item: &Item, run: RunId, error: Failure) {
    let evaluation = evaluate(&decision.state, item, &error);
    let reason = reason(&decision.state, item, &evaluation, &error);
    let told =
        Event::EvaluationDecided { item: item.id, run, decision: evaluation.clone(), reason: reason.clone() };
    decision.emit(told);
    match evaluation {
        Evaluation::Retry | Evaluation::SwitchModel { .. } => {
            let delay = retry::delay_ms(item.retry_count, decision.moment.seed);
            decision.emit(Event::ItemRetrying {
                item: item.id,
                retry_count: item.retry_count + 1,
                not_before_ms: decision.moment.now_ms + delay,
                error,
            });
        }
        Evaluation::Replan => {
            decision.emit(Event::ItemFailed { item: item.id, error });
            replan::begin(decision, reason, EVALUATION);
        }
        Evaluation::Escalate => escalate::item(decision, item.id, question(item, &error)),
        Evaluation::GiveUp => decision.emit(Event::ItemFailed { item: item.id, error }),
    }
}

fn evaluate(state: &GoalState, item: &Item, error: &Failure) -> Evaluation {
    if error.class.is_retried() && item.retry_count < item.max_retries {
        return switch(state, item, error).unwrap_or(Evaluation::Retry);
    }
    let by_a_model = state.goal.plans > 0;
    if !by_a_model || state.goal.cancel.is_some() {
        return Evaluation::GiveUp;
    }
    let another_helps = match error.class {
        ErrorClass::Transient | ErrorClass::Permanent | ErrorClass::Model => true,
        // Another plan needs the same machine.
        ErrorClass::Host | ErrorClass::Policy => false,
    };
    // Where somebody is asked already, another plan might take away what that is about.
    let is_asked = state.open_escalations().next().is_some();
    let may_plan = another_helps && !is_asked && state.goal.plans <= REPLANS_MAX;
    if may_plan { Evaluation::Replan } else { Evaluation::Escalate }
}

/// Somebody else, when the same one failed at the gates again. A model that a person named stays.
fn switch(state: &GoalState, item: &Item, error: &Failure) -> Option<Evaluation> {
    let Work::Agent(agent) = &item.work else { return None };
    if agent.model.as_ref().or(state.goal.spec.model.as_ref()).is_some() || error.code != GATE_FAILED {
        return None;
    }
    let runs = state.runs.iter().rev().filter(|run| run.item_id == Some(item.id));
    let failed_gates =
        runs.take_while(|run| run.error.as_ref().is_some_and(|error| error.code == GATE_FAILED));
    if failed_gates.count() < GATE_FAILURES_BEFORE_SWITCH {
        return None;
    }
    let talk = state.last_run(item.id)?.conversation.as_ref()?;
    let avoid = talk.model.clone().filter(|_| talk.watch.other_model.is_some());
    let avoid = avoid.filter(|model| !item.avoided.contains(model));
    let tier = match agent.tier {
        _ if avoid.is_some() => None,
        Tier::Simple => Some(Tier::Medium),
        Tier::Medium => Some(Tier::Complex),
        Tier::Complex => None,
    };
    (avoid.is_some() || tier.is_some()).then_some(Evaluation::SwitchModel { avoid, tier })
}

fn reason(state: &GoalState, item: &Item, evaluation: &Evaluation, error: &Failure) -> String {
    let cause = &error.message;
    match evaluation {
        Evaluation::Retry => {
            format!("attempt {} of {}: {cause}", item.retry_count + 1, item.max_retries + 1)
        }
        Evaluation::SwitchModel { avoid: Some(model), .. } => {
            format!("{model} failed at the gates again, so another model is asked: {cause}")
        }
        Evaluation::SwitchModel { tier, .. } => {
            let tier = tier.map_or("higher", Tier::as_str);
            format!("its gates failed again, so a model of the tier {tier} is asked: {cause}")
        }
        Evaluation::Replan => {
            format!("item `{}` cannot be done as planned (plan {}): {cause}", item.key, state.goal.plans)
        }
        Evaluation::Escalate => format!("no attempt and no other plan is left: {cause}"),
        Evaluation::GiveUp => format!("no attempt is left: {cause}"),
    }
}

fn question(item: &Item, error: &Failure) -> Question {
    Question::new(
        EscalationType::RepeatedFailure,
        format!("item `{}` fails again and again", item.key),
        "no attempt and no other plan is left",
        error.message.clone(),
        &[
            (Answer::Retry, "try it again from the start: what hindered it is mended"),
            (Answer::AlternativeApproach, run::ANOTHER_WAY),
            (Answer::Skip, "go on without it: it is done, or not needed"),
        ],
    )
}
