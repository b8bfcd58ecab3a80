//! `GET /api/replay/...`: how a goal came to where it is, by folding its history anew.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use pb_model::GoalId;
use pb_store::{GoalEventFilter, LogReader};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Refused;
use super::events::trace;
use super::{limit, offset};
use crate::hub::Hub;
use crate::methods::goal::resolve;
use crate::replay::{self, FoldError, ReplayEvent, Timeline, Until, changes, unless_compacted};

/// The goal that a path names, and the log.
async fn goal_of(hub: &Hub, text: &str) -> Result<(GoalId, LogReader), Refused> {
    let unknown = || Refused::NotFound("Goal not found".to_owned());
    let goal = resolve(hub, text).await?;
    let log = hub.feed.reader().ok_or_else(unknown)?;
    log.goal_history(goal).await?.ok_or_else(unknown)?;
    Ok((goal, log))
}

pub(super) async fn timeline(
    State(hub): State<Arc<Hub>>,
    Path(goal): Path<String>,
) -> Result<Json<Timeline>, Refused> {
    let (goal, log) = goal_of(&hub, &goal).await?;
    let mut timeline = Timeline::of(&log, goal).await?;
    if let Some((trace, _)) = trace(&hub).await? {
        timeline.take_spans(&trace, goal).await?;
    }
    timeline.last_updated = hub.clock.now_ms();
    Ok(Json(timeline))
}

/// The query of `/api/replay/:goal/events`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventsAsked {
    from: Option<u64>,
    to: Option<u64>,
    limit: Option<usize>,
    offset: Option<usize>,
    /// Only events after this number: the `seq` of the last one of the page before.
    after: Option<u64>,
}

/// Events of a goal's history, in their order.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    events: Vec<ReplayEvent>,
    /// How many there are from `from` to `to`.
    total: u64,
}

pub(super) async fn events(
    State(hub): State<Arc<Hub>>,
    Path(goal): Path<String>,
    asked: Result<Query<EventsAsked>, QueryRejection>,
) -> Result<Json<Page>, Refused> {
    let Query(asked) = asked?;
    let (goal, log) = goal_of(&hub, &goal).await?;
    unless_compacted(&log, goal).await?;
    let all = GoalEventFilter { goal, after_seq: 0, since_ms: asked.from, until_ms: asked.to };
    let total = log.goal_events_count(all).await?;
    let filter = GoalEventFilter { after_seq: asked.after.unwrap_or(0), ..all };
    let (skip, take) = (offset(asked.offset), limit(asked.limit));
    let identity = log.identity().await?;
    let page = log.goal_events(filter, skip + take).await?;
    let event = |record| ReplayEvent::of(record, identity.as_ref());
    Ok(Json(Page { events: page.into_iter().skip(skip).filter_map(event).collect(), total }))
}

/// `/api/replay/:goal/state/:at`: how everything stood then. `at` is a time, or a cursor of an event.
pub(super) async fn state(
    State(hub): State<Arc<Hub>>,
    Path((goal, at)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let (goal, log) = goal_of(&hub, &goal).await?;
    let until = match at.parse::<u64>() {
        Ok(at_ms) => Until::Time(at_ms),
        Err(_) => replay::at_cursor(&log, &at).await?,
    };
    let folded = replay::fold(&log, goal, until).await?;
    let timestamp = if let Until::Time(at_ms) = until { at_ms } else { folded.at_ms };
    Ok(Json(json!({
        "timestamp": timestamp,
        "state": folded.view(),
        "eventsReplayed": folded.events,
        "seq": folded.seq,
    })))
}

/// `/api/replay/:goal/diff/:event`: what an event of its history changed.
pub(super) async fn diff(
    State(hub): State<Arc<Hub>>,
    Path((goal, event)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let (goal, log) = goal_of(&hub, &goal).await?;
    match replay::around(&log, goal, &event).await {
        Ok(Some((before, after))) => Ok(Json(json!({"changes": changes(&before.view(), &after.view())}))),
        Ok(None) => Err(Refused::NotFound("Event not found: it is none of this goal's history".to_owned())),
        Err(error @ FoldError::Compacted { .. }) => Err(error.into()),
        Err(error) => Err(Refused::broken(error)),
    }
}
