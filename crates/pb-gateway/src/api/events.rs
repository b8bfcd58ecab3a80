//! `GET /api/events`: debug events, the latest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use pb_protocol::debug::DebugEvent;
use pb_store::{Cursor, TraceFound, TraceIdentity, TraceQuery, TraceReader, TraceRow};
use serde::{Deserialize, Serialize};

use super::answer::Refused;
use super::{LOOK_MAX, limit, offset};
use crate::debug::debug_event;
use crate::hub::Hub;

/// Names of events that say how long something took.
const TIMED: [&str; 2] = ["llm.response", "tool.result"];

/// The query.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Asked {
    r#type: Option<String>,
    source: Option<String>,
    goal_id: Option<String>,
    work_item_id: Option<String>,
    run_id: Option<String>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    /// Words that the events have.
    q: Option<String>,
    /// What comes after the page that told this as `nextCursor`.
    cursor: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
}

/// A debug event, with what is found out about it.
#[derive(Debug, Serialize)]
pub(crate) struct EnrichedEvent {
    #[serde(flatten)]
    event: DebugEvent,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    /// Where it stands, as `debug.events.subscribe` takes it.
    cursor: String,
}

impl EnrichedEvent {
    /// `None` if what was stored is no JSON, which we never write.
    pub(crate) fn of(row: TraceRow, trace: &TraceIdentity) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Timed {
            duration_ms: Option<u64>,
        }
        let cursor = trace.cursor(row.pos).to_string();
        let event = debug_event(row)?;
        let timed = TIMED.contains(&event.r#type.as_str());
        let duration = timed.then(|| serde_json::from_str::<Timed>(event.data.get()).ok()?.duration_ms);
        Some(Self { duration: duration.flatten(), event, cursor })
    }
}

/// A page.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    events: Vec<EnrichedEvent>,
    /// How many events there are, whatever was asked.
    total: u64,
    /// Where the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) async fn events(
    State(hub): State<Arc<Hub>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Page>, Refused> {
    let Query(asked) = asked?;
    let Some((trace, identity)) = trace(&hub).await? else { return Ok(Json(Page::default())) };
    let before = asked.cursor.as_deref().map(|cursor| before(cursor, &identity)).transpose()?;
    let query = TraceQuery {
        kind: asked.r#type,
        source: asked.source,
        goal: asked.goal_id,
        item: asked.work_item_id,
        run: asked.run_id,
        since_ms: asked.start_time,
        until_ms: asked.end_time,
        words: asked.q,
        before,
    };
    let page = (offset(asked.offset), limit(asked.limit));
    let found = trace.find(&query, page, LOOK_MAX).await?;
    let next = found.next.map(|next| identity.cursor(next).to_string());
    Ok(Json(Page { events: enriched(found, &identity), total: trace.count().await?, next_cursor: next }))
}

/// The trace, if there is one.
pub(super) async fn trace(hub: &Hub) -> Result<Option<(TraceReader, TraceIdentity)>, Refused> {
    let Some(trace) = TraceReader::open(&hub.home.trace_db()).await? else { return Ok(None) };
    Ok(trace.identity().await?.map(|identity| (trace, identity)))
}

/// Events as they are told.
pub(super) fn enriched(found: TraceFound, trace: &TraceIdentity) -> Vec<EnrichedEvent> {
    found.rows.into_iter().filter_map(|row| EnrichedEvent::of(row, trace)).collect()
}

/// The position before which a page is that begins at `cursor`.
fn before(cursor: &str, trace: &TraceIdentity) -> Result<u64, Refused> {
    let parsed = cursor.parse::<Cursor>().ok().filter(|cursor| trace.gave(cursor));
    let told = || "cursor: it is none of this trace; begin without one".to_owned();
    parsed.map(|cursor| cursor.pos).ok_or_else(|| Refused::Wrong(told()))
}
