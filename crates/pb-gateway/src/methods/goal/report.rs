//! `goal.report`: a goal as its state tells it, for people who were away.

use pb_protocol::methods::goal::GoalIdParams;
use pb_protocol::report::Report;
use pb_protocol::{ErrorCode, RpcError};

use super::{Found, resolve, state};
use crate::hub::Hub;

pub(in crate::methods) async fn report(hub: &Hub, params: GoalIdParams) -> Result<Report, RpcError> {
    let id = resolve(hub, &params.goal_id).await?;
    match state(hub, id).await? {
        Found::InLog(state) => Ok(Report::from(&*state)),
        Found::InInbox(_) => {
            let error = RpcError::new(ErrorCode::InvalidStateTransition, "the goal waits for a scheduler");
            Err(error.hint(format!("follow it with: pb goal watch {id}")))
        }
    }
}
