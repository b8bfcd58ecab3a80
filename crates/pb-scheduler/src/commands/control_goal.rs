//! `goal.cancel|pause|resume|retry|prioritize` and `escalation.respond`: what a person has a goal do.

use std::collections::BTreeMap;

use pb_model::goal::{Command, Rejection, Reply};
use pb_model::{EscalationId, GoalId};
use pb_protocol::methods::Method;
use pb_protocol::methods::escalation::Respond;
use pb_protocol::methods::goal::Cancel;
use pb_protocol::methods::goal_control::{Pause, Prioritize, Resume, Retry};
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::goals::Goals;
use crate::turn::{Papers, Turn};

#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) goal: GoalId,
    command: Command,
}

/// What the gateway wrote; each method has its part of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    goal_id: GoalId,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    answer: Option<String>,
    #[serde(default)]
    to: Option<f64>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    answers: BTreeMap<String, String>,
    #[serde(default)]
    priority: Option<u8>,
    #[serde(default)]
    escalation_id: Option<EscalationId>,
}

/// The command of a row; `None` if it is none of these.
pub(super) fn prepare(row: &InboxRow) -> Option<Result<Control, RpcError>> {
    let method = row.command.method.as_str();
    let known = [Cancel::NAME, Pause::NAME, Resume::NAME, Retry::NAME, Prioritize::NAME, Respond::NAME];
    known.contains(&method).then(|| read(method, row))
}

fn read(method: &str, row: &InboxRow) -> Result<Control, RpcError> {
    let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    let by = row.command.actor.clone();
    let missing = |key: &str| RpcError::invalid_params(format!("{key}: it is missing"));
    let reply = match &params.answer {
        Some(word) => Some(Reply {
            answer: word.parse().map_err(RpcError::invalid_params)?,
            to: params.to,
            text: params.text,
            answers: params.answers,
        }),
        None => None,
    };
    let command = match method {
        Cancel::NAME => Command::Cancel { by, reason: params.reason },
        Pause::NAME => Command::Pause { by },
        Resume::NAME => Command::Resume { by, reply },
        Retry::NAME => Command::Retry { by },
        Prioritize::NAME => {
            Command::Prioritize { priority: params.priority.ok_or_else(|| missing("priority"))?, by }
        }
        _ => Command::Answer {
            escalation: params.escalation_id.ok_or_else(|| missing("escalationId"))?,
            reply: reply.ok_or_else(|| missing("action"))?,
            by,
        },
    };
    Ok(Control { goal: params.goal_id, command })
}

pub(super) fn execute(turn: &mut Turn, goals: &mut Goals, control: &Control) -> Result<Value, RpcError> {
    match turn.decide(goals, control.goal, control.command.clone(), &Papers::default()) {
        Ok(()) => Ok(json!({ "success": true })),
        Err(rejection) => Err(refused(control.goal, rejection)),
    }
}

pub(super) fn refused(goal: GoalId, rejection: Rejection) -> RpcError {
    let text = rejection.to_string();
    match rejection {
        Rejection::UnknownGoal => RpcError::goal_not_found(goal),
        Rejection::UnknownEscalation => RpcError::new(ErrorCode::EscalationNotFound, text),
        Rejection::AlreadyAnswered { .. } => RpcError::new(ErrorCode::EscalationAlreadyResolved, text),
        Rejection::AlreadyCancelled => RpcError::new(ErrorCode::GoalAlreadyCancelled, text),
        Rejection::BadAnswer(_) => RpcError::invalid_params(text),
        Rejection::NeedsAnswer { problem, offered } => {
            RpcError::new(ErrorCode::InvalidStateTransition, problem).hint(format!("answer with {offered}"))
        }
        Rejection::Invalid(_)
        | Rejection::Exists
        | Rejection::AlreadyEnded(_)
        | Rejection::Cannot(..)
        | Rejection::Fenced
        | Rejection::NotNow(_) => RpcError::new(ErrorCode::InvalidStateTransition, text),
    }
}
