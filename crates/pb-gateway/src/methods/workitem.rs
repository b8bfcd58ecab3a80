//! `workitem.*`.

use pb_model::ItemId;
use pb_protocol::domain::{Run, WorkItem};
use pb_protocol::methods::goal::GoalIdParams;
use pb_protocol::methods::workitem::{ByGoalResult, RunsParams, RunsResult};
use pb_protocol::{ErrorCode, RpcError};

use super::goal::{self, Found};
use crate::hub::Hub;

pub(super) async fn by_goal(hub: &Hub, params: GoalIdParams) -> Result<ByGoalResult, RpcError> {
    let id = goal::resolve(hub, &params.goal_id).await?;
    let work_items = match goal::state(hub, id).await? {
        Found::InLog(state) => state.items.iter().map(|item| WorkItem::of(item, &state)).collect(),
        Found::InInbox(_) => Vec::new(),
    };
    Ok(ByGoalResult { work_items })
}

pub(super) async fn runs(hub: &Hub, params: RunsParams) -> Result<RunsResult, RpcError> {
    let not_found =
        || RpcError::new(ErrorCode::WorkItemNotFound, format!("workitem not found: {}", params.work_item_id));
    let item: ItemId = params.work_item_id.parse().map_err(|_| not_found())?;
    let log = hub.feed.reader().ok_or_else(not_found)?;
    let state = log.state_of_item(item).await.map_err(RpcError::internal)?.ok_or_else(not_found)?;
    let runs = state.runs.iter().filter(|run| run.item_id == Some(item));
    Ok(RunsResult { runs: runs.map(|run| Run::of(run, &state)).collect() })
}
