//! Calls that wait for a person (`asking.rs`).

use super::end::{cancelled, end};
use super::go_on;
use crate::RunId;
use crate::approval::{self, Approval, ApprovalCommand, ApprovalEvent, ApprovalStatus, BoundCall};
use crate::goal::asking::{ANSWER_WITHIN_S_DEFAULT, Asks, Clarification};
use crate::goal::conversation::{Call, CallEnd, Doing};
use crate::goal::decide::Decision;
use crate::goal::decide::escalate::{self, Question, Waiting};
use crate::goal::escalation::{Answer, Escalation, EscalationType, Expiry, Reply};
use crate::goal::event::Event;
use crate::goal::failure::{ErrorClass, Failure};
use crate::goal::state::{GoalState, Item, Run, RunStatus};
use crate::text::{command_line, prose, visible};

/// The call cannot be made before a person says something. One that has its yes may be made now.
pub(super) fn wait(decision: &mut Decision, item: Option<&Item>, run: &Run, call: &Call, asks: Asks) {
    if decision.state.goal.cancel.is_some() {
        end(decision, item, run, cancelled());
        return;
    }
    let question = match asks {
        Asks::Answers(questions) => clarification(decision, item, (run.id, call.n), questions),
        Asks::Approval(bound) if is_used(decision, run, call, &bound) => return,
        Asks::Approval(bound) => approval(decision, item, (run.id, call), bound),
    };
    escalate::waiting(decision, run.item_id, question);
}

/// Uses the yes that the call has, if it has one and that is for what would run now; one that is not is void.
fn is_used(decision: &mut Decision, run: &Run, call: &Call, bound: &BoundCall) -> bool {
    let of_call = |asked: &&Escalation| asked.run_id == Some(run.id) && asked.waiting == Some(call.n);
    let Some(asked) = decision.state.escalations.iter().rev().find(of_call).cloned() else { return false };
    let wanted = ApprovalCommand::Use { binding: bound.digest.clone() };
    let now = decision.moment.now_ms;
    let change = asked.approval.as_ref().and_then(|approval| approval::decide(approval, wanted, now).ok());
    let is_used = change == Some(ApprovalEvent::Used);
    if let Some(change) = change {
        change_approval(decision, &asked, change);
    }
    is_used
}

fn change_approval(decision: &mut Decision, asked: &Escalation, change: ApprovalEvent) {
    let (escalation, item, run) = (asked.id, asked.item_id, asked.run_id);
    decision.emit(Event::ApprovalChanged { escalation, item, run, change });
}

/// When nobody's answer is this one.
pub(in crate::goal::decide) fn expiry(decision: &Decision, answer: Answer) -> Expiry {
    let within = decision.state.goal.spec.answer_within_s.unwrap_or(ANSWER_WITHIN_S_DEFAULT);
    Expiry { at_ms: decision.moment.now_ms.saturating_add(within.saturating_mul(1_000)), answer }
}

fn clarification(
    decision: &Decision,
    item: Option<&Item>,
    (run, n): (RunId, u32),
    questions: Vec<Clarification>,
) -> Question {
    let title = match questions.as_slice() {
        [only] => prose(&only.question),
        several => format!("{} questions before it goes on", several.len()),
    };
    let mut question = Question::new(
        EscalationType::Clarification,
        title,
        match item {
            Some(item) => format!("item `{}` waits for the answer", item.key),
            None => "the goal is being planned, and waits for the answer".to_owned(),
        },
        "the goal can be read in more than one way, and the answer changes what is done",
        &[
            (Answer::UserInput, "answer; what you leave out is assumed as it says"),
            (Answer::Skip, "go on with what is assumed"),
        ],
    );
    let expiry = expiry(decision, Answer::Skip);
    question.waiting = Some(Waiting { run: Some(run), n: Some(n), expiry, approval: None, questions });
    question
}

fn approval(
    decision: &Decision,
    item: Option<&Item>,
    (run, call): (RunId, &Call),
    bound: BoundCall,
) -> Question {
    let what = if bound.argv.is_empty() {
        visible(&format!("{} {}", bound.tool, bound.arguments))
    } else {
        format!("{} (in {})", command_line(&bound.argv), visible(&bound.cwd))
    };
    let key = item.map_or("the plan", |item| item.key.as_str());
    let mut question = Question::new(
        EscalationType::Approval,
        format!("may `{key}` do this? {}: {}", call.tool, visible(&call.title)),
        "nothing of it was done; the agent waits",
        format!("it would run: {what}"),
        &[
            (Answer::Approve, "let it be done once, exactly as shown"),
            (Answer::Deny, "do not; the agent is told, and may try something else"),
        ],
    );
    let expiry = expiry(decision, Answer::Deny);
    let approval = Approval {
        binding: bound.digest.clone(),
        call: bound,
        expires_at_ms: expiry.at_ms,
        status: ApprovalStatus::Pending,
        decided_by: None,
    };
    let (run, n, approval) = (Some(run), Some(call.n), Some(approval));
    question.waiting = Some(Waiting { run, n, expiry, approval, questions: Vec::new() });
    question
}

/// A person said yes or no to a call; `None` in time is a no.
pub(in crate::goal::decide) fn decided(
    decision: &mut Decision,
    asked: &Escalation,
    (reply, by): (&Reply, &str),
    approval: &Approval,
) {
    let (yes, by) = (reply.answer == Answer::Approve, by.to_owned());
    let wanted = if yes {
        ApprovalCommand::Grant { by: by.clone() }
    } else {
        ApprovalCommand::Deny { by: by.clone() }
    };
    let Ok(change) = approval::decide(approval, wanted, decision.moment.now_ms) else { return };
    let found = match &change {
        ApprovalEvent::Denied { .. } => {
            let why = reply.text.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
            Some(format!("not done: {by} said no{why}. Do not try to get the same by another way."))
        }
        ApprovalEvent::Expired => Some("not done: nobody said yes in time.".to_owned()),
        ApprovalEvent::Requested
        | ApprovalEvent::Granted { .. }
        | ApprovalEvent::Used
        | ApprovalEvent::Voided => None,
    };
    change_approval(decision, asked, change);
    if let Some(found) = found {
        tell(decision, asked, CallEnd::Failed, found);
    }
}

/// A person answered what was asked, or what was assumed is taken.
pub(in crate::goal::decide) fn answered(decision: &mut Decision, asked: &Escalation, reply: &Reply) {
    let questions = &asked.packet.questions;
    let mut told = Vec::new();
    let mut assumed = Vec::new();
    for question in questions {
        let given =
            reply.answers.get(&question.id).map(|answer| answer.trim()).filter(|text| !text.is_empty());
        if let Some(answer) = given {
            told.push(format!("{}: {answer}", question.id));
        } else {
            told.push(format!("{}: {} (nobody answered; assume this)", question.id, question.default));
            assumed.push(format!("{} {}", question.question, question.default));
        }
    }
    told.extend(reply.text.iter().map(|text| format!("in their words: {text}")));
    if !assumed.is_empty() {
        decision.emit(Event::GoalElaborated { assumptions: assumed, criteria: Vec::new() });
    }
    tell(decision, asked, CallEnd::Ok, told.join("\n"));
}

/// The call that waited has ended without being made; its conversation goes on.
fn tell(decision: &mut Decision, asked: &Escalation, end: CallEnd, found: String) {
    let Some((run, call)) = waiting_call(&decision.state, asked) else { return };
    let item = run.item_id.and_then(|item| decision.state.item(item)).cloned();
    decision.emit(Event::ToolCompleted {
        item: run.item_id,
        run: run.id,
        call: Box::new(call),
        end,
        output_digest: blake3::hash(found.as_bytes()).to_hex().to_string(),
        found,
        workspace: None,
        duration_ms: 0,
    });
    if decision.conversation(run.id).is_some_and(|talk| talk.doing == Doing::default()) {
        go_on(decision, item.as_ref(), &run, None);
    }
}

fn waiting_call(state: &GoalState, asked: &Escalation) -> Option<(Run, Call)> {
    let run = state.run(asked.run_id?).filter(|run| run.status == RunStatus::Running)?;
    let Doing::Acting { calls } = &run.conversation.as_ref()?.doing else { return None };
    let call = calls.iter().find(|call| Some(call.n) == asked.waiting)?;
    Some((run.clone(), call.clone()))
}

/// Nobody needs the yes any more that the run waits for, or has.
pub(in crate::goal::decide) fn withdraw_approval(decision: &mut Decision, run: &Run) {
    let of_run = decision.state.escalations.iter().rev().filter(|asked| asked.run_id == Some(run.id));
    let of_call = |asked: &&Escalation| asked.approval.is_some() && asked.waiting.is_some();
    let Some(asked) = of_run.clone().find(of_call).cloned() else { return };
    let now = decision.moment.now_ms;
    let change = asked.approval.as_ref();
    let change = change.and_then(|approval| approval::decide(approval, ApprovalCommand::Withdraw, now).ok());
    if let Some(change) = change {
        change_approval(decision, &asked, change);
    }
}

/// Ends a run that waits for a person: its item is left out, so nobody needs the answer.
pub(in crate::goal::decide) fn withdraw(decision: &mut Decision, run: &Run, why: &str) {
    withdraw_approval(decision, run);
    let error = Failure::new(ErrorClass::Policy, "WITHDRAWN", why);
    decision.emit(Event::RunCompleted {
        item: run.item_id,
        run: run.id,
        status: RunStatus::Aborted,
        error: Some(error),
    });
}
