//! A client asks for a person's yes to something that it does itself (`wire.md` §2.6, `approval.create`).
//!
//! Nothing of the goal waits for the answer but its end: what was asked beside it is settled before it is delivered.

use super::Decision;
use super::converse::expiry;
use super::escalate::{self, Question, Waiting};
use crate::approval::{Approval, ApprovalStatus, BoundCall};
use crate::goal::asking::{
    QUESTION_BYTES_MAX, REQUEST_DETAILS_BYTES_MAX, REQUEST_TYPE_BYTES_MAX, REQUESTS_MAX,
};
use crate::goal::command::{ApprovalRequest, Rejection};
use crate::goal::escalation::{Answer, Escalation, EscalationType};
use crate::goal::state::Phase;
use crate::text::{prose, visible};

pub(super) fn request(decision: &mut Decision, request: ApprovalRequest, by: &str) -> Result<(), Rejection> {
    check(decision, &request)?;
    let ApprovalRequest { request_type, description, item, run, details } = request;
    let mut question = Question::new(
        EscalationType::Approval,
        prose(description.trim()),
        format!("{} waits for the answer; the goal is not delivered before", visible(by)),
        format!("{} asks for it: {}", visible(by), visible(format!("{request_type} {details}").trim_end())),
        &[(Answer::Approve, "say yes to it, once"), (Answer::Deny, "say no; the goal goes on without it")],
    );
    let expiry = expiry(decision, Answer::Deny);
    let binding = blake3::hash(format!("{request_type}\0{description}\0{details}").as_bytes()).to_hex();
    let call = BoundCall {
        tool: request_type,
        arguments: details,
        digest: binding.to_string(),
        ..BoundCall::default()
    };
    let approval = Approval {
        call,
        binding: binding.to_string(),
        expires_at_ms: expiry.at_ms,
        status: ApprovalStatus::Pending,
        decided_by: None,
    };
    question.waiting =
        Some(Waiting { run, n: None, expiry, approval: Some(approval), questions: Vec::new() });
    escalate::requested(decision, item, question);
    Ok(())
}

fn check(decision: &Decision, request: &ApprovalRequest) -> Result<(), Rejection> {
    let state = &decision.state;
    if state.goal.status.is_terminal() {
        return Err(Rejection::Cannot("asked about", state.goal.status.as_str()));
    }
    if state.goal.cancel.is_some() {
        return Err(Rejection::Cannot("asked about", "cancelled"));
    }
    if state.goal.phase == Phase::Publish {
        return Err(Rejection::Cannot("asked about", "being delivered"));
    }
    let bad = |problem: String| Err(Rejection::BadAnswer(problem));
    for (key, text, most) in [
        ("requestType", &request.request_type, REQUEST_TYPE_BYTES_MAX),
        ("description", &request.description, QUESTION_BYTES_MAX),
    ] {
        if text.trim().is_empty() {
            return bad(format!("{key}: it is empty; a person has to know what the yes is for"));
        }
        if text.len() > most {
            return bad(format!("{key}: it has {} bytes; at most {most}", text.len()));
        }
    }
    if request.details.len() > REQUEST_DETAILS_BYTES_MAX {
        let most = REQUEST_DETAILS_BYTES_MAX;
        return bad(format!("details: they have {} bytes; at most {most}", request.details.len()));
    }
    if let Some(item) = request.item.filter(|item| state.item(*item).is_none()) {
        return bad(format!("workItemId: the goal has no item {item}"));
    }
    if let Some(run) = request.run {
        let found = state
            .run(run)
            .ok_or_else(|| Rejection::BadAnswer(format!("runId: the goal has no run {run}")))?;
        if request.item.is_some() && found.item_id != request.item {
            return bad(format!("runId: {run} is a run of another item"));
        }
    }
    if state.open_escalations().filter(|asked| Escalation::is_request(asked)).count() >= REQUESTS_MAX {
        return bad(format!("{REQUESTS_MAX} requests for a yes are open already; have them answered first"));
    }
    Ok(())
}
