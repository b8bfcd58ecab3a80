//! `goal.diff`: the scheduler is asked, which kept the files and may look into the folder.

use std::time::Duration;

use pb_protocol::ipc::{GoalDiff, GoalDiffTold};
use pb_protocol::methods::goal::GoalIdParams;
use pb_protocol::methods::goal_diff::DiffResult;
use pb_protocol::{ErrorCode, RpcError};

use super::resolve;
use crate::hub::Hub;

/// How long a scheduler may take to compare a folder.
const ANSWER_MAX: Duration = Duration::from_secs(30);

pub(in crate::methods) async fn diff(hub: &Hub, params: GoalIdParams) -> Result<DiffResult, RpcError> {
    let goal_id = resolve(hub, &params.goal_id).await?.to_string();
    let request_id = format!("{:016x}", hub.ids.number());
    let asked = GoalDiff { request_id: request_id.clone(), goal_id: goal_id.clone() };
    let problem = match hub.link.diffs.ask(request_id, asked, ANSWER_MAX).await {
        Ok(GoalDiffTold { result: Some(result), .. }) => return Ok(result),
        Ok(told) => told.error.unwrap_or_else(|| "it says not why".to_owned()),
        Err(problem) => format!("the scheduler compares the files: {problem}"),
    };
    Err(RpcError::new(ErrorCode::InvalidStateTransition, problem)
        .hint(format!("on the machine itself: pb goal diff {goal_id}")))
}
