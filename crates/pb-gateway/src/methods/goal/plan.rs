//! `goal.plan`: the plan of a goal, for people to edit and run again.

use pb_model::goal_file;
use pb_protocol::methods::goal::{GoalIdParams, PlanResult};
use pb_protocol::{ErrorCode, RpcError};

use super::{Found, resolve, state};
use crate::hub::Hub;

pub(in crate::methods) async fn plan(hub: &Hub, params: GoalIdParams) -> Result<PlanResult, RpcError> {
    let id = resolve(hub, &params.goal_id).await?;
    let Found::InLog(state) = state(hub, id).await? else {
        let error = RpcError::new(ErrorCode::InvalidStateTransition, "the goal waits for a scheduler");
        return Err(error.hint(format!("follow it with: pb goal watch {id}")));
    };
    if state.items.is_empty() {
        let (message, hint) = if state.goal.status.is_terminal() {
            ("the goal ended without a plan", format!("see why with: pb goal show {id}"))
        } else {
            ("the goal has no plan yet", format!("follow it with: pb goal watch {id}"))
        };
        return Err(RpcError::new(ErrorCode::InvalidStateTransition, message).hint(hint));
    }
    let spec = state.plan_spec();
    Ok(PlanResult { goal_file: goal_file::render(&spec), spec })
}
