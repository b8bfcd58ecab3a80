//! Goals, items and runs: what stands in the log now.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use pb_protocol::RpcError;
use pb_protocol::domain::{Goal, Run, WorkItem};
use pb_protocol::methods::debug_queries::{OneGoalParams, RunsParams};
use pb_protocol::methods::goal::ListParams as GoalListParams;
use pb_protocol::methods::workitem::ListParams as ItemListParams;
use pb_protocol::{ErrorCode, methods::debug_queries::ItemWithRuns};
use pb_store::TraceQuery;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Refused;
use super::events::{enriched, trace};
use super::{LOOK_MAX, limit, offset};
use crate::hub::Hub;
use crate::methods::{debug_queries, goal as goals_of, workitem};

/// Debug events that are told with a goal.
const GOAL_EVENTS: usize = 100;

/// A goal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GoalRow {
    id: String,
    status: String,
    title: String,
    updated_at: u64,
    data: Goal,
}

impl From<Goal> for GoalRow {
    fn from(data: Goal) -> Self {
        let (id, status, title) = (data.id.clone(), data.status.clone(), data.title.clone());
        Self { id, status, title, updated_at: data.updated_at, data }
    }
}

/// An item.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemRow {
    id: String,
    goal_id: String,
    status: String,
    title: String,
    updated_at: u64,
    data: WorkItem,
}

impl From<WorkItem> for ItemRow {
    fn from(data: WorkItem) -> Self {
        let (id, goal_id) = (data.id.clone(), data.goal_id.clone());
        let (status, title) = (data.status.clone(), data.title.clone());
        Self { id, goal_id, status, title, updated_at: data.updated_at, data }
    }
}

/// A run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunRow {
    id: String,
    work_item_id: String,
    status: String,
    updated_at: u64,
    data: Run,
}

impl From<Run> for RunRow {
    fn from(data: Run) -> Self {
        let (id, work_item_id) = (data.id.clone(), data.work_item_id.clone());
        let updated_at = data.completed_at.unwrap_or(data.created_at);
        Self { id, work_item_id, status: data.status.clone(), updated_at, data }
    }
}

/// The query of `GET /api/goals`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GoalsAsked {
    status: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
    cursor: Option<String>,
}

/// Goals.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GoalPage {
    /// Those that were asked for last come first.
    goals: Vec<GoalRow>,
    /// How many there are in all.
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) async fn goals(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<GoalsAsked>, QueryRejection>,
) -> Result<Json<GoalPage>, Refused> {
    let Query(asked) = asked?;
    let params = GoalListParams {
        status: asked.status,
        limit: Some(limit(asked.limit)),
        offset: Some(offset(asked.offset)),
        cursor: asked.cursor,
        latest: true,
    };
    let mut listed = goals_of::list(&hub, params).await?;
    listed.goals.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    let goals = listed.goals.into_iter().map(GoalRow::from).collect();
    Ok(Json(GoalPage { goals, total: listed.total, next_cursor: listed.next_cursor }))
}

/// `GET /api/goals/:id`. A goal that there is not is no error there, as in the first implementation.
pub(super) async fn goal(
    State(hub): State<Arc<Hub>>,
    Path(goal_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let Some(found) = debug_queries::goal(&hub, OneGoalParams { goal_id }).await? else {
        return Ok(Json(json!({"error": "Goal not found"})));
    };
    let events = match trace(&hub).await? {
        Some((trace, identity)) => {
            let query = TraceQuery { goal: Some(found.goal.id.clone()), ..TraceQuery::default() };
            enriched(trace.find(&query, (0, GOAL_EVENTS), LOOK_MAX).await?, &identity)
        }
        None => Vec::new(),
    };
    let (mut items, mut runs) = (Vec::new(), Vec::new());
    for ItemWithRuns { work_item, runs: of_item } in found.work_items {
        items.push(ItemRow::from(work_item));
        runs.extend(of_item.into_iter().map(RunRow::from));
    }
    let goal = GoalRow::from(found.goal);
    Ok(Json(json!({"goal": goal, "workItems": items, "runs": runs, "events": events})))
}

/// The query of `GET /api/workitems`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ItemsAsked {
    goal_id: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn work_items(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<ItemsAsked>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(asked) = asked?;
    let params = ItemListParams {
        goal_id: asked.goal_id,
        limit: Some(limit(asked.limit)),
        offset: Some(offset(asked.offset)),
        cursor: asked.cursor,
        ..ItemListParams::default()
    };
    let listed = unless_unknown(workitem::list(&hub, params).await)?;
    let items: Vec<ItemRow> = listed.work_items.into_iter().map(ItemRow::from).collect();
    let mut told = json!({"workItems": items, "total": listed.total});
    if let (Some(cursor), Value::Object(told)) = (listed.next_cursor, &mut told) {
        told.insert("nextCursor".to_owned(), cursor.into());
    }
    Ok(Json(told))
}

/// The query of `GET /api/runs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunsAsked {
    work_item_id: Option<String>,
    status: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn runs(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<RunsAsked>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let Query(asked) = asked?;
    let params = RunsParams {
        work_item_id: asked.work_item_id,
        status: asked.status,
        limit: Some(limit(asked.limit)),
    };
    let listed = unless_unknown(debug_queries::runs(&hub, params).await)?;
    let runs: Vec<RunRow> = listed.runs.into_iter().map(RunRow::from).collect();
    Ok(Json(json!({"runs": runs})))
}

/// Of a goal or an item that there is not, there is nothing to be listed.
fn unless_unknown<T: Default>(listed: Result<T, RpcError>) -> Result<T, Refused> {
    match listed {
        Err(error) if error.is(ErrorCode::GoalNotFound) || error.is(ErrorCode::WorkItemNotFound) => {
            Ok(T::default())
        }
        other => Ok(other?),
    }
}
