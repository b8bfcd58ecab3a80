//! Conversations: paying for a call before it is made, what an answer means, what follows from tools.

use super::escalate::{self, Question};
use super::{Decision, intake, run};
use crate::goal::command::{Next, Planned, Rejection};
use crate::goal::conversation::{
    AfterFailure, CALLS_MAX, Call, CallEnd, CallResult, Conversation, Doing, Hindrance, IDLE_TURNS_MAX,
    MODEL_FAILURES_MAX, PLANNING_TURNS_MAX, PLANS_REFUSED_MAX, Thought, ThoughtOutcome, Used,
};
use crate::goal::event::Event;
use crate::goal::spending::{Amount, Cap, Charge, Reservation};
use crate::goal::state::{
    EscalationType, Execution, ExecutionOutcome, Failure, Item, Run, RunStage, RunStatus,
};
use crate::spec::{Effect, Work};
use crate::{Epoch, RunId, Verdict, retry};

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
    } else if let Some(cap) = decision.state.cap_broken_by(run.item_id, next.amount) {
        exhausted(decision, item, run, cap);
    } else {
        let n = decision.state.run(run.id).map_or(run.steps, |run| run.steps) + 1;
        let reservation = Reservation {
            run: run.id,
            n,
            amount: next.amount,
            output_tokens: next.output_tokens,
            unpriced: next.unpriced,
        };
        decision.emit(Event::ModelRequested { item: run.item_id, model: next.model, reservation });
    }
}

/// The call of the model ended.
pub(super) fn thought(
    decision: &mut Decision,
    (run, epoch): (RunId, Epoch),
    n: u32,
    thought: Thought,
) -> Result<(), Rejection> {
    let (item, run, conversation) = talking(decision, run, epoch)?;
    if conversation.doing != (Doing::Thinking { n }) {
        return Err(Rejection::NotNow("the run does not wait for this answer"));
    }
    let reserved = decision.reserved(run.id, n);
    match thought.outcome {
        ThoughtOutcome::Answered { cut_short, calls, text } => {
            let charge = charge(reserved, thought.usage);
            let mut calls = calls;
            for (call, place) in calls.iter_mut().zip(n + 1..) {
                call.n = place;
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
            let charge = if charged { assumed(reserved) } else { Charge::default() };
            failed(decision, (item.as_ref(), &run, &conversation), (n, thought.model, error), then, charge);
        }
        ThoughtOutcome::Stopped => {
            decision.emit(Event::ModelFailed {
                item: run.item_id,
                run: run.id,
                n,
                model: thought.model,
                error: "it was stopped while it answered".to_owned(),
                charge: assumed(reserved),
                not_before_ms: None,
                lost: false,
            });
            if decision.state.goal.cancel.is_some() {
                end(decision, item.as_ref(), &run, cancelled());
            } else {
                exhausted(decision, item.as_ref(), &run, Cap::Time);
            }
        }
    }
    Ok(())
}

/// What was put aside for a call.
#[derive(Clone, Copy, Default)]
struct Reserved {
    amount: Amount,
    unpriced: bool,
}

impl Decision {
    fn reserved(&self, run: RunId, n: u32) -> Reserved {
        let held = self.state.goal.spending.reservation(run, n);
        held.map_or_else(Reserved::default, |held| Reserved { amount: held.amount, unpriced: held.unpriced })
    }
}

/// What a call is charged with: what it used, or, when nobody knows, all that was put aside.
fn charge(reserved: Reserved, used: Option<Used>) -> Charge {
    match used {
        None => assumed(reserved),
        Some(used) => {
            let tokens = used.input_tokens.saturating_add(used.output_tokens);
            let amount = Amount { tokens, micro_usd: used.micro_usd };
            Charge {
                amount,
                assumed: false,
                overrun: amount.exceeds(reserved.amount),
                unpriced: used.unpriced,
            }
        }
    }
}

fn assumed(reserved: Reserved) -> Charge {
    Charge { amount: reserved.amount, assumed: true, overrun: false, unpriced: reserved.unpriced }
}

/// The model answered: what follows, beside the tools that it calls.
fn answered(
    decision: &mut Decision,
    item: Option<&Item>,
    run: &Run,
    (calls, cut_short): (usize, bool),
    charge: Charge,
) {
    let caps = crate::goal::spending::Caps::of(&decision.state.goal.spec);
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
    } else if charge.overrun && (caps.tokens.is_some() || caps.micro_usd.is_some()) {
        exhausted(decision, item, run, if caps.tokens.is_some() { Cap::Tokens } else { Cap::Cost });
    } else if calls > CALLS_MAX {
        let reason = format!("it called {calls} tools at once, at most {CALLS_MAX} are made");
        give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
    } else if calls == 0 && cut_short {
        let reason = "its answer was cut at the length limit, without a call".to_owned();
        give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
    } else if calls == 0 {
        let idle = decision.conversation(run.id).map_or(0, |talk| talk.idle);
        if idle >= IDLE_TURNS_MAX {
            let reason = format!("{idle} answers in a row called no tool");
            give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
        } else {
            go_on(decision, item, run, None);
        }
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
    } else if let Some(next) = next {
        promise(decision, item, run, next);
    }
}

fn failed(
    decision: &mut Decision,
    (item, run, conversation): (Option<&Item>, &Run, &Conversation),
    (n, model, error): (u32, String, String),
    then: AfterFailure,
    charge: Charge,
) {
    let failures = conversation.failures + 1;
    let wait = match then {
        AfterFailure::Again { after_ms } if failures < MODEL_FAILURES_MAX => {
            let delay = retry::delay_ms(conversation.failures, decision.moment.seed);
            Some(decision.moment.now_ms + after_ms.unwrap_or(0).min(retry::RETRY_MAX_MS).max(delay))
        }
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
    });
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
        return;
    }
    match then {
        AfterFailure::Again { .. } if wait.is_some() => {}
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
            Question {
                escalation_type: EscalationType::Credential,
                title: format!("the model {model} does not let us in"),
                current_state: "the call was refused; nothing was charged".to_owned(),
                root_cause: error,
                options: vec![
                    ("fix_key", "set the key and run `pb scheduler restart`, then run the goal again"),
                    ("other_model", "name another model with --model"),
                ],
            },
        ),
    }
}

/// Calls of tools ended.
pub(super) fn acted(
    decision: &mut Decision,
    (run, epoch): (RunId, Epoch),
    results: &[CallResult],
    (plan, next): (Option<Planned>, Option<Next>),
) -> Result<(), Rejection> {
    let (item, run, conversation) = talking(decision, run, epoch)?;
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
        decision.emit(Event::ToolCompleted {
            item: run.item_id,
            run: run.id,
            call: Box::new(call.clone()),
            end: result.end,
            found: result.found.clone(),
            duration_ms: result.duration_ms,
        });
        match result.end {
            CallEnd::Withheld if conversation.withheld.contains(&call.digest) => {
                insists(decision, item.as_ref(), &run, call);
                return Ok(());
            }
            CallEnd::Ok | CallEnd::Failed | CallEnd::Unknown | CallEnd::Withheld => {}
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
        no_plan(decision, &run, results);
    } else if decision.conversation(run.id).is_some_and(|talk| talk.doing == Doing::default()) {
        go_on(decision, item.as_ref(), &run, next);
    }
    Ok(())
}

/// The model was told that an earlier attempt made this call, and makes it all the same.
fn insists(decision: &mut Decision, item: Option<&Item>, run: &Run, call: &Call) {
    let question = Question {
        escalation_type: EscalationType::Risk,
        title: format!("the agent wants to repeat {}: {}", call.tool, call.title),
        current_state: "an earlier attempt made the same call, or may have".to_owned(),
        root_cause: "its effect is unsafe: making it again might do it twice".to_owned(),
        options: vec![
            ("mark_idempotent", "if repeating it is harmless, say effect = \"idempotent\" on the item"),
            ("cancel", "cancel the goal with `pb goal cancel`"),
        ],
    };
    ask(decision, item, run, question);
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
            Some(plan) => intake::adopt(decision, plan),
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

/// How the work of the run ended, with what it said.
fn execute(decision: &mut Decision, item: &Item, run: &Run, outcome: ExecutionOutcome, said: &str) {
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
fn give_up(decision: &mut Decision, item: Option<&Item>, run: &Run, outcome: ExecutionOutcome) {
    let words = outcome.to_string();
    let error = match outcome {
        // Another attempt would use up as many again.
        ExecutionOutcome::TurnLimit { .. } => Failure::lasting("TURN_LIMIT", words),
        _ => Failure::recoverable("AGENT_FAILED", words),
    };
    match item {
        Some(item) => {
            execute(decision, item, run, outcome, "");
            run::fail(decision, item, run.id, RunStatus::Failure, error);
        }
        None => {
            end(decision, None, run, Err((RunStatus::Failure, error.clone())));
            escalate::goal(decision, planning_question(error.message, "the model made no plan"));
        }
    }
}

/// The plan was refused too often.
fn no_plan(decision: &mut Decision, run: &Run, results: &[CallResult]) {
    let errors = results.last().map_or("it handed none in", |result| result.found.as_str()).to_owned();
    let error = Failure::lasting("NO_PLAN", "no valid plan was made");
    if decision.state.run(run.id).is_some_and(|run| run.status == RunStatus::Running) {
        end(decision, None, run, Err((RunStatus::Failure, error)));
    }
    escalate::goal(decision, planning_question(errors, "the model's plans were not valid"));
}

fn planning_question(root_cause: String, title: &str) -> Question {
    Question {
        escalation_type: EscalationType::Stuck,
        title: title.to_owned(),
        current_state: "the goal has no work items".to_owned(),
        root_cause,
        options: vec![
            ("other_model", "run it again with another --model"),
            ("submit_file", "write the items into a goal file and run it with `pb run FILE`"),
        ],
    }
}

/// Something is missing before the model can be asked.
fn hinder(decision: &mut Decision, item: Option<&Item>, run: &Run, hindrance: Hindrance) {
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
        Hindrance::Host { why } => {
            give_up(decision, item, run, ExecutionOutcome::NotStarted { reason: why });
            return;
        }
    };
    let question = Question {
        escalation_type,
        title: title.to_owned(),
        current_state: "no model was called".to_owned(),
        root_cause: format!("{root_cause}; {hint}"),
        options: vec![("mend", "mend that, then run the goal again")],
    };
    ask(decision, item, run, question);
}

/// A cap is reached: the run ends, and a human decides.
fn exhausted(decision: &mut Decision, item: Option<&Item>, run: &Run, cap: Cap) {
    let error = Failure::lasting("BUDGET_EXHAUSTED", format!("the {} is used up", cap.as_str()));
    end(decision, item, run, Err((RunStatus::Timeout, error)));
    let question = run::budget_question(decision, item, cap);
    match item {
        Some(item) => escalate::item(decision, item.id, question),
        None => escalate::goal(decision, question),
    }
}

/// The run ends, and a human is asked.
fn ask(decision: &mut Decision, item: Option<&Item>, run: &Run, question: Question) {
    let error = Failure::lasting("NEEDS_HUMAN", question.root_cause.clone());
    end(decision, item, run, Err((RunStatus::Failure, error)));
    match item {
        Some(item) => escalate::item(decision, item.id, question),
        None => escalate::goal(decision, question),
    }
}

fn cancelled() -> Result<(), (RunStatus, Failure)> {
    Err((RunStatus::Aborted, Failure::lasting("CANCELLED", "the goal was cancelled")))
}

/// Ends a run; one that was cancelled takes its item along.
fn end(decision: &mut Decision, item: Option<&Item>, run: &Run, how: Result<(), (RunStatus, Failure)>) {
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

/// Nobody knows how a call ended: what may be repeated is, the rest is found out by the gates.
fn unknown(decision: &mut Decision, item: Option<&Item>, (run, epoch): (&Run, Epoch), call: &Call) {
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
            let reason = format!("the outcome of {} is unknown again and again", call.tool);
            give_up(decision, item, run, ExecutionOutcome::Unanswered { reason });
        }
    }
}

/// A later incarnation goes on with a conversation: what was in flight is charged or found out.
pub(super) fn take_over(decision: &mut Decision, run: &Run, epoch: Epoch) {
    let item = run.item_id.and_then(|item| decision.state.item(item)).cloned();
    let Some(conversation) = &run.conversation else { return };
    match &conversation.doing {
        Doing::Composing { .. } => {}
        Doing::Thinking { n } => {
            lose(decision, run, *n, "the scheduler stopped while it answered");
        }
        Doing::Acting { .. } => {
            if let Some(call) = run.risky_call() {
                unknown(decision, item.as_ref(), (run, epoch), call);
            }
        }
    }
}

/// The end of a call was not seen, and will not be: it is charged in full.
pub(super) fn lose(decision: &mut Decision, run: &Run, n: u32, error: &str) {
    let reserved = decision.reserved(run.id, n);
    let model = run.conversation.as_ref().and_then(|talk| talk.model.clone()).unwrap_or_default();
    decision.emit(Event::ModelFailed {
        item: run.item_id,
        run: run.id,
        n,
        model,
        error: error.to_owned(),
        charge: assumed(reserved),
        not_before_ms: None,
        lost: true,
    });
}
