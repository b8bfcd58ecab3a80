//! `goal.cancel`.

use pb_model::GoalId;
use pb_model::goal::{Command, Rejection};
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::goals::Goals;
use crate::turn::{Papers, Turn};

#[derive(Debug, Clone)]
pub(super) struct Cancel {
    pub(super) goal: GoalId,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    goal_id: GoalId,
    #[serde(default)]
    reason: Option<String>,
}

pub(super) fn prepare(row: &InboxRow) -> Result<Cancel, RpcError> {
    let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
    Ok(Cancel { goal: params.goal_id, reason: params.reason })
}

pub(super) fn execute(
    turn: &mut Turn,
    goals: &mut Goals,
    row: &InboxRow,
    cancel: &Cancel,
) -> Result<Value, RpcError> {
    let command = Command::Cancel { by: row.command.actor.clone(), reason: cancel.reason.clone() };
    match turn.decide(goals, cancel.goal, command, &Papers::default()) {
        Ok(()) => Ok(json!({ "success": true })),
        Err(Rejection::UnknownGoal) => Err(RpcError::goal_not_found(cancel.goal)),
        Err(rejection @ Rejection::AlreadyCancelled) => {
            Err(RpcError::new(ErrorCode::GoalAlreadyCancelled, rejection.to_string()))
        }
        Err(rejection) => Err(RpcError::new(ErrorCode::InvalidStateTransition, rejection.to_string())),
    }
}
