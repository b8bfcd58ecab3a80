//! `approval.create`: a client asks for a person's yes to something that it does itself.

use pb_model::goal::{ApprovalRequest, Command, Escalation};
use pb_model::{GoalId, ItemId, RunId};
use pb_protocol::methods::Method;
use pb_protocol::methods::approval::Create;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::InboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use super::control_goal::refused;
use crate::goals::Goals;
use crate::turn::{Papers, Turn};

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) goal: GoalId,
    wanted: ApprovalRequest,
    by: String,
}

/// What the gateway wrote.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    goal_id: GoalId,
    request_type: String,
    description: String,
    work_item_id: Option<ItemId>,
    run_id: Option<RunId>,
    details: Option<Value>,
}

/// The command of a row; `None` if it is another one.
pub(super) fn prepare(row: &InboxRow) -> Option<Result<Request, RpcError>> {
    (row.command.method == Create::NAME).then(|| {
        let params: Params = serde_json::from_str(&row.command.params).map_err(RpcError::invalid_params)?;
        let wanted = ApprovalRequest {
            request_type: params.request_type,
            description: params.description,
            item: params.work_item_id,
            run: params.run_id,
            details: params.details.map(|details| details.to_string()).unwrap_or_default(),
        };
        Ok(Request { goal: params.goal_id, wanted, by: row.command.actor.clone() })
    })
}

/// The result names the approval.
pub(super) fn execute(turn: &mut Turn, goals: &mut Goals, asked: &Request) -> Result<Value, RpcError> {
    let Request { goal, wanted, by } = asked;
    let command = Command::RequestApproval { request: Box::new(wanted.clone()), by: by.clone() };
    turn.decide(goals, *goal, command, &Papers::default()).map_err(|rejection| refused(*goal, rejection))?;
    let made = goals.get(*goal).and_then(|state| state.escalations.iter().rfind(|made| made.is_request()));
    let id = made.map(|made: &Escalation| made.id);
    let id = id.ok_or_else(|| RpcError::new(ErrorCode::InternalError, "the request is not in its goal"))?;
    Ok(json!({ "approvalId": id }))
}
