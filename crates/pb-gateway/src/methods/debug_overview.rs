//! `debug.*` that looks at everything at once.

use std::collections::{BTreeMap, HashMap};

use pb_model::goal::{Goal, GoalStatus, ItemStatus, RunStatus};
use pb_protocol::RpcError;
use pb_protocol::methods::debug_overview::{
    ConnectionCounts, Counted, GOAL_STATES_MAX, GatewayResult, GoalExecutionState, SESSIONS_MAX,
    SNAPSHOT_EVENTS, SchedulerMetrics, SchedulerResult, SchedulerState, SnapshotGateway, SnapshotResult,
    SnapshotScheduler,
};
use pb_protocol::methods::debug_queries::EventsParams;
use pb_store::{GoalFilter, LogReader, RunFilter, RunPlace};

use super::debug_queries;
use crate::hub::Hub;

/// Of how many runs, the latest, averages are made.
pub(super) const LATEST_RUNS: usize = 1_000;

pub(super) async fn snapshot(hub: &Hub) -> Result<SnapshotResult, RpcError> {
    let (mut goals, mut work_items) = (Counted::default(), Counted::default());
    if let Some(log) = hub.feed.reader() {
        goals = log.goal_counts().await.map_err(RpcError::internal)?.into_iter().collect();
        let counts = log.work_counts(0).await.map_err(RpcError::internal)?;
        work_items = counts.items.into_iter().collect();
    }
    let latest = EventsParams { limit: Some(SNAPSHOT_EVENTS), ..EventsParams::default() };
    Ok(SnapshotResult {
        timestamp: hub.clock.now_ms(),
        scheduler: scheduler(hub).await?.map(|SchedulerResult { state, metrics, goal_states }| {
            SnapshotScheduler { state, metrics, goal_states }
        }),
        gateway: SnapshotGateway { connections: connections(hub) },
        goals,
        work_items,
        recent_events: debug_queries::events(hub, latest).await?.events,
    })
}

pub(super) async fn scheduler(hub: &Hub) -> Result<Option<SchedulerResult>, RpcError> {
    let (Some(_), Some(log)) = (hub.link.scheduler(), hub.feed.reader()) else { return Ok(None) };
    let counts = log.work_counts(LATEST_RUNS).await.map_err(RpcError::internal)?;
    let goals: BTreeMap<_, _> = log.goal_counts().await.map_err(RpcError::internal)?.into_iter().collect();
    let active = open_goals(&log, GoalStatus::Active).await?;
    let lanes = debug_queries::lanes(hub).await?.lanes;
    let state = SchedulerState {
        status: if active.is_empty() { "idle" } else { "running" }.to_owned(),
        active_goals: active.iter().map(|goal| goal.id.to_string()).collect(),
        lanes: lanes.into_iter().map(|lane| (lane.lane_id, lane.status)).collect(),
        last_tick_at: last_event_at(&log).await?,
        error_count: counts.items_in(ItemStatus::Failed),
    };
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand are looked at")]
    let success_rate = if counts.ended == 0 { 0.0 } else { counts.succeeded as f64 / counts.ended as f64 };
    let metrics = SchedulerMetrics {
        total_goals_processed: ended(&goals),
        total_work_items_completed: counts.items_in(ItemStatus::Done),
        total_runs_executed: counts.runs,
        average_work_item_duration_ms: average(counts.took_ms, counts.ended),
        success_rate,
        current_active_goals: goals.get(GoalStatus::Active.as_str()).copied().unwrap_or_default(),
        current_active_work_items: counts.items_in(ItemStatus::InProgress)
            + counts.items_in(ItemStatus::Verify),
    };
    let goal_states = goal_states(&log, active).await?;
    Ok(Some(SchedulerResult { state, metrics, goal_states }))
}

pub(super) fn gateway(hub: &Hub) -> GatewayResult {
    GatewayResult { connections: connections(hub), sessions: hub.roster.list(SESSIONS_MAX) }
}

fn connections(hub: &Hub) -> ConnectionCounts {
    let (total, pending) = (hub.connections(), hub.access.pending.count() as u64);
    ConnectionCounts { total, authenticated: total.saturating_sub(pending), pending }
}

/// How the goals are that have not ended, those that are active first.
async fn goal_states(log: &LogReader, active: Vec<Goal>) -> Result<Vec<GoalExecutionState>, RpcError> {
    let running =
        RunFilter { status: Some(RunStatus::Running), limit: GOAL_STATES_MAX, ..RunFilter::default() };
    let (runs, _) = log.runs(running).await.map_err(RpcError::internal)?;
    // The latest first: the one that began first stays.
    let runs: HashMap<_, RunPlace> = runs.into_iter().map(|run| (run.goal, run)).collect();
    let mut goals = active;
    for status in [GoalStatus::Blocked, GoalStatus::Queued] {
        goals.extend(open_goals(log, status).await?);
    }
    goals.truncate(GOAL_STATES_MAX);
    let state = |goal: Goal| {
        let run = runs.get(&goal.id);
        GoalExecutionState {
            goal_id: goal.id.to_string(),
            status: execution_status(&goal).to_owned(),
            current_work_item_id: run.and_then(|run| Some(run.item?.to_string())),
            current_run_id: run.map(|run| run.id.to_string()),
            started_at: goal.running_since_ms,
        }
    };
    Ok(goals.into_iter().map(state).collect())
}

/// The word of the first implementation.
fn execution_status(goal: &Goal) -> &'static str {
    match goal.status {
        GoalStatus::Blocked => "paused",
        _ if goal.paused_by.is_some() => "paused",
        GoalStatus::Queued => "pending",
        GoalStatus::Active => "running",
        GoalStatus::Completed => "completed",
        GoalStatus::Failed => "failed",
        GoalStatus::Cancelled => "cancelled",
    }
}

async fn open_goals(log: &LogReader, status: GoalStatus) -> Result<Vec<Goal>, RpcError> {
    let filter = GoalFilter { status: Some(status), limit: GOAL_STATES_MAX, ..GoalFilter::default() };
    Ok(log.goals(filter).await.map_err(RpcError::internal)?.0)
}

/// How many goals have ended.
pub(super) fn ended(goals: &BTreeMap<String, u64>) -> u64 {
    let ends = [GoalStatus::Completed, GoalStatus::Failed, GoalStatus::Cancelled];
    ends.iter().filter_map(|status| goals.get(status.as_str())).sum()
}

/// When the log was written to last.
pub(super) async fn last_event_at(log: &LogReader) -> Result<Option<u64>, RpcError> {
    let last = log.events_before(u64::MAX, None, 1).await.map_err(RpcError::internal)?;
    Ok(last.first().map(|event| event.at_ms))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of at most a thousand runs fit a double")]
pub(super) fn average(sum: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}
