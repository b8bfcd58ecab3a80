//! Goals, items and runs: what stands in the log now.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use pb_protocol::domain::{Goal, Run, WorkItem};
use pb_protocol::methods::goal::ListParams as GoalListParams;
use pb_protocol::methods::workitem::ListParams as ItemListParams;
use pb_protocol::{ErrorCode, RpcError};
use pb_store::TraceQuery;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Refused;
use super::events::{enriched, trace};
use super::{LOOK_MAX, limit, offset};
use crate::hub::Hub;
use crate::methods::goal::{self as goals_of, Found};
use crate::methods::{debug_queries, workitem};

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
    let found = match goals_of::resolve(&hub, &goal_id).await {
        Ok(id) => goals_of::state(&hub, id).await,
        Err(error) => Err(error),
    };
    let Ok(found) = found else { return Ok(Json(json!({"error": "Goal not found"}))) };
    let (goal, items, runs) = match found {
        Found::InInbox(goal) => (GoalRow::from(*goal), Vec::new(), Vec::new()),
        Found::InLog(state) => (
            GoalRow::from(Goal::from(&state.goal)),
            state.items.iter().map(|item| ItemRow::from(WorkItem::of(item, &state))).collect(),
            // Also those of no item, in which a model plans or reviews.
            state.runs.iter().map(|run| RunRow::from(Run::of(run, &state))).collect(),
        ),
    };
    let events = match trace(&hub).await? {
        Some((trace, identity)) => {
            let query = TraceQuery { goal: Some(goal.id.clone()), ..TraceQuery::default() };
            enriched(trace.find(&query, (0, GOAL_EVENTS), LOOK_MAX).await?, &identity)
        }
        None => Vec::new(),
    };
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

/// Items: those of the latest goals first, each goal's in the order of its plan.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemPage {
    work_items: Vec<ItemRow>,
    /// How many there are in all.
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) async fn work_items(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<ItemsAsked>, QueryRejection>,
) -> Result<Json<ItemPage>, Refused> {
    let Query(asked) = asked?;
    let params = ItemListParams {
        goal_id: asked.goal_id,
        offset: Some(offset(asked.offset)),
        cursor: asked.cursor,
        ..ItemListParams::default()
    };
    let listed = unless_unknown(workitem::page(&hub, params, limit(asked.limit)).await)?;
    let work_items = listed.work_items.into_iter().map(ItemRow::from).collect();
    Ok(Json(ItemPage { work_items, total: listed.total, next_cursor: listed.next_cursor }))
}

/// The query of `GET /api/runs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunsAsked {
    work_item_id: Option<String>,
    status: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
    cursor: Option<String>,
}

/// Runs, the latest first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunPage {
    runs: Vec<RunRow>,
    /// How many there are in all.
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) async fn runs(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<RunsAsked>, QueryRejection>,
) -> Result<Json<RunPage>, Refused> {
    let Query(asked) = asked?;
    let asked = debug_queries::RunsAsked {
        work_item_id: asked.work_item_id,
        status: asked.status,
        limit: limit(asked.limit),
        offset: offset(asked.offset),
        cursor: asked.cursor,
    };
    let listed = unless_unknown(debug_queries::run_page(&hub, asked).await)?;
    let runs = listed.runs.into_iter().map(RunRow::from).collect();
    Ok(Json(RunPage { runs, total: listed.total, next_cursor: listed.next_cursor }))
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
