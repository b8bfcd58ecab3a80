//! `workitem.*`.

use pb_model::ItemId;
use pb_model::goal::{GoalState, ItemStatus};
use pb_protocol::domain::{Run, WorkItem};
use pb_protocol::methods::goal::GoalIdParams;
use pb_protocol::methods::workitem::{ByGoalResult, ItemParams, ListParams, ListResult, RunsResult};
use pb_protocol::{ErrorCode, RpcError};
use pb_store::ItemFilter;

use super::goal::{self, Found};
use crate::hub::Hub;
use crate::paging;

/// Its name in cursors.
const LIST: &str = "workitem";
/// Items on a page if nobody says how many.
const LIMIT_DEFAULT: usize = 50;
/// Most items on a page.
const LIMIT_MAX: usize = 500;

pub(super) async fn by_goal(hub: &Hub, params: GoalIdParams) -> Result<ByGoalResult, RpcError> {
    let id = goal::resolve(hub, &params.goal_id).await?;
    let work_items = match goal::state(hub, id).await? {
        Found::InLog(state) => state.items.iter().map(|item| WorkItem::of(item, &state)).collect(),
        Found::InInbox(_) => Vec::new(),
    };
    Ok(ByGoalResult { work_items })
}

pub(super) async fn list(hub: &Hub, params: ListParams) -> Result<ListResult, RpcError> {
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    page(hub, params, limit).await
}

/// A page of so many items, whatever `params` say of that.
pub(crate) async fn page(hub: &Hub, params: ListParams, limit: usize) -> Result<ListResult, RpcError> {
    let status = params.status.as_deref().map(known).transpose()?;
    let goal = match &params.goal_id {
        Some(id) => Some(goal::resolve(hub, id).await?),
        None => None,
    };
    let filter = ItemFilter {
        goal,
        status,
        after: paging::after(LIST, params.cursor.as_deref())?,
        limit: limit + 1,
        offset: params.offset.unwrap_or(0),
    };
    let Some(log) = hub.feed.reader() else { return Ok(ListResult::default()) };
    let (mut page, total) = log.items(filter).await.map_err(RpcError::internal)?;
    let next_cursor = paging::cut(LIST, &mut page, limit, |(item, _)| *item);
    let mut work_items = Vec::with_capacity(page.len());
    // Items of a goal stand together, so each goal is read once.
    let mut last: Option<GoalState> = None;
    for (item, goal) in page {
        if last.as_ref().is_none_or(|state| state.goal.id != goal) {
            last = log.state(goal).await.map_err(RpcError::internal)?;
        }
        let found = last.as_ref().and_then(|state| Some(WorkItem::of(state.item(item)?, state)));
        work_items.extend(found);
    }
    Ok(ListResult { work_items, total, next_cursor })
}

fn known(word: &str) -> Result<ItemStatus, RpcError> {
    let found = ItemStatus::ALL.into_iter().find(|status| status.as_str() == word);
    found.ok_or_else(|| {
        let all = ItemStatus::ALL.map(ItemStatus::as_str).join(", ");
        RpcError::invalid_params(format!("status: there is no `{word}`; there are: {all}"))
    })
}

pub(super) async fn get(hub: &Hub, params: ItemParams) -> Result<WorkItem, RpcError> {
    let (item, state) = find(hub, &params.work_item_id).await?;
    let found = state.item(item).map(|item| WorkItem::of(item, &state));
    found.ok_or_else(|| not_found(&params.work_item_id))
}

pub(super) async fn runs(hub: &Hub, params: ItemParams) -> Result<RunsResult, RpcError> {
    let (item, state) = find(hub, &params.work_item_id).await?;
    let runs = state.runs.iter().filter(|run| run.item_id == Some(item));
    Ok(RunsResult { runs: runs.map(|run| Run::of(run, &state)).collect() })
}

async fn find(hub: &Hub, id: &str) -> Result<(ItemId, GoalState), RpcError> {
    let item: ItemId = id.parse().map_err(|_| not_found(id))?;
    let log = hub.feed.reader().ok_or_else(|| not_found(id))?;
    let state = log.state_of_item(item).await.map_err(RpcError::internal)?;
    Ok((item, state.ok_or_else(|| not_found(id))?))
}

pub(super) fn not_found(id: &str) -> RpcError {
    RpcError::new(ErrorCode::WorkItemNotFound, format!("workitem not found: {id}"))
}
