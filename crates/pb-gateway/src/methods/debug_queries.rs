//! `debug.*` that looks once.

use pb_model::Lane;
use pb_model::goal::{GoalState, ItemStatus, RunStatus};
use pb_protocol::RpcError;
use pb_protocol::domain::{Escalation, Goal, Run, WorkItem};
use pb_protocol::methods::debug_queries::{
    DEBUG_LIMIT_DEFAULT, DEBUG_LIMIT_MAX, EventsParams, EventsResult, ItemWithRuns, Lane as ShownLane,
    LaneItem, LaneStatus, LanesResult, OneGoalParams, OneGoalResult, RunsParams, RunsResult,
};
use pb_protocol::methods::goal::{ListParams as GoalListParams, ListResult as GoalListResult};
use pb_protocol::methods::workitem::ListParams;
use pb_runtime::config::{Config, Lanes};
use pb_store::{LaneCount, RunFilter, TraceFilter, TraceReader};

use super::goal::{self, Found};
use super::workitem;
use crate::debug::debug_event;
use crate::hub::Hub;
use crate::paging;

/// The name of the list of runs in cursors.
const RUN_LIST: &str = "run";

pub(super) async fn lanes(hub: &Hub) -> Result<LanesResult, RpcError> {
    let limits = Config::read(&hub.home.config()).map_err(RpcError::internal)?.lanes;
    let counts = match hub.feed.reader() {
        Some(log) => log.lane_counts().await.map_err(RpcError::internal)?,
        None => Vec::new(),
    };
    let running = in_status(hub, ItemStatus::InProgress).await?;
    let ready = in_status(hub, ItemStatus::Ready).await?;
    let of = |items: &[WorkItem], lane: Lane| {
        let items = items.iter().filter(|item| item.lane == lane.as_str());
        items.map(shown).collect::<Vec<_>>()
    };
    let lanes = Lane::ALL.into_iter().map(|lane| {
        let name = lane.as_str().to_owned();
        let found = counts.iter().find(|(known, _)| *known == name).map(|(_, count)| *count);
        let LaneCount { running: active_count, ready: queued_count } =
            found.unwrap_or(LaneCount { running: 0, ready: 0 });
        let is_available = active_count < capacity(&limits, lane) as u64;
        ShownLane {
            lane_id: name.clone(),
            status: LaneStatus { lane_id: name, active_count, queued_count, is_available },
            active_items: of(&running, lane),
            queued_items: of(&ready, lane),
        }
    });
    Ok(LanesResult { lanes: lanes.collect() })
}

/// How many items of a lane run at once, by what the person has set.
fn capacity(limits: &Lanes, lane: Lane) -> usize {
    let set = match lane {
        Lane::Main => limits.main,
        Lane::Subagent => limits.subagent,
        Lane::Cron => limits.cron,
        Lane::Session => limits.session,
    };
    set.unwrap_or(lane.capacity())
}

async fn in_status(hub: &Hub, status: ItemStatus) -> Result<Vec<WorkItem>, RpcError> {
    let params = ListParams {
        status: Some(status.as_str().to_owned()),
        limit: Some(DEBUG_LIMIT_MAX),
        ..ListParams::default()
    };
    Ok(workitem::list(hub, params).await?.work_items)
}

fn shown(item: &WorkItem) -> LaneItem {
    LaneItem { work_item_id: item.id.clone(), goal_id: item.goal_id.clone(), title: item.title.clone() }
}

pub(super) async fn goals(hub: &Hub, params: GoalListParams) -> Result<GoalListResult, RpcError> {
    let limit = Some(params.limit.unwrap_or(DEBUG_LIMIT_DEFAULT).min(DEBUG_LIMIT_MAX));
    goal::list(hub, GoalListParams { limit, ..params }).await
}

pub(super) async fn runs(hub: &Hub, params: RunsParams) -> Result<RunsResult, RpcError> {
    let limit = params.limit.unwrap_or(DEBUG_LIMIT_DEFAULT).min(DEBUG_LIMIT_MAX);
    let asked =
        RunsAsked { work_item_id: params.work_item_id, status: params.status, limit, ..RunsAsked::default() };
    let RunPage { runs, .. } = run_page(hub, asked).await?;
    Ok(RunsResult { total: runs.len() as u64, runs })
}

/// Which page of the runs.
#[derive(Debug, Default)]
pub(crate) struct RunsAsked {
    pub(crate) work_item_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    pub(crate) cursor: Option<String>,
}

/// A page of runs, the latest first.
#[derive(Debug, Default)]
pub(crate) struct RunPage {
    pub(crate) runs: Vec<Run>,
    /// How many there are in all.
    pub(crate) total: u64,
    pub(crate) next_cursor: Option<String>,
}

pub(crate) async fn run_page(hub: &Hub, asked: RunsAsked) -> Result<RunPage, RpcError> {
    let filter = RunFilter {
        item: match &asked.work_item_id {
            Some(id) => Some(id.parse().map_err(|_| workitem::not_found(id))?),
            None => None,
        },
        status: asked.status.as_deref().map(run_status).transpose()?,
        before: paging::after(RUN_LIST, asked.cursor.as_deref())?,
        limit: asked.limit + 1,
        offset: asked.offset,
    };
    let Some(log) = hub.feed.reader() else { return Ok(RunPage::default()) };
    let (mut page, total) = log.runs(filter).await.map_err(RpcError::internal)?;
    let next_cursor = paging::cut(RUN_LIST, &mut page, asked.limit, |run| run.place);
    let mut runs = Vec::with_capacity(page.len());
    // Runs of a goal mostly stand together, so each goal is read about once.
    let mut last: Option<GoalState> = None;
    for run in page {
        if last.as_ref().is_none_or(|state| state.goal.id != run.goal) {
            last = log.state(run.goal).await.map_err(RpcError::internal)?;
        }
        runs.extend(last.as_ref().and_then(|state| Some(Run::of(state.run(run.id)?, state))));
    }
    Ok(RunPage { runs, total, next_cursor })
}

fn run_status(word: &str) -> Result<RunStatus, RpcError> {
    let found = RunStatus::ALL.into_iter().find(|status| status.as_str() == word);
    found.ok_or_else(|| {
        let all = RunStatus::ALL.map(RunStatus::as_str).join(", ");
        RpcError::invalid_params(format!("status: there is no `{word}`; there are: {all}"))
    })
}

pub(super) async fn goal(hub: &Hub, params: OneGoalParams) -> Result<Option<OneGoalResult>, RpcError> {
    // A goal that there is not is no error here (`wire.md` §2.6).
    let Ok(id) = goal::resolve(hub, &params.goal_id).await else { return Ok(None) };
    let Ok(found) = goal::state(hub, id).await else { return Ok(None) };
    Ok(Some(match found {
        Found::InInbox(goal) => {
            OneGoalResult { goal: *goal, work_items: Vec::new(), escalations: Vec::new() }
        }
        Found::InLog(state) => {
            let with_runs = |item: &pb_model::goal::Item| {
                let runs = state.runs.iter().filter(|run| run.item_id == Some(item.id));
                ItemWithRuns {
                    work_item: WorkItem::of(item, &state),
                    runs: runs.map(|run| Run::of(run, &state)).collect(),
                }
            };
            OneGoalResult {
                goal: Goal::from(&state.goal),
                work_items: state.items.iter().map(with_runs).collect(),
                escalations: state.escalations.iter().map(Escalation::from).collect(),
            }
        }
    }))
}

pub(super) async fn events(hub: &Hub, params: EventsParams) -> Result<EventsResult, RpcError> {
    let limit = params.limit.unwrap_or(DEBUG_LIMIT_DEFAULT).min(DEBUG_LIMIT_MAX);
    let trace = TraceReader::open(&hub.home.trace_db()).await.map_err(RpcError::internal)?;
    let Some(trace) = trace else { return Ok(EventsResult { events: Vec::new(), total: 0 }) };
    let last = trace.last_pos().await.map_err(RpcError::internal)?;
    let (last, kinds) = match params.r#type {
        Some(kind) => (last, vec![kind]),
        None => (last.saturating_sub(params.offset.unwrap_or(0) as u64), Vec::new()),
    };
    let filter = TraceFilter { goal: None, kinds };
    let rows = trace.latest(last, &filter, limit).await.map_err(RpcError::internal)?;
    let events: Vec<_> = rows.into_iter().rev().filter_map(debug_event).collect();
    Ok(EventsResult { total: events.len() as u64, events })
}
