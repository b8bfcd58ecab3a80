//! One subscription: a position in the trace, and what of it is shown.

use std::collections::VecDeque;
use std::sync::Arc;

use pb_protocol::RpcError;
use pb_protocol::debug::{CHANNEL, DebugData, DebugEvent};
use pb_protocol::frame::{EventFrame, ServerFrame};
use pb_protocol::methods::debug::{EventsSubscribeParams, EventsSubscribeResult};
use pb_store::{Cursor, TraceFilter, TraceIdentity, TraceRow};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::watch;

use super::feed::{DebugFeed, Seen};
use crate::hub::Hub;
use crate::methods::goal;

/// Most names in one `types` filter.
const TYPES_MAX: usize = 64;
/// The word for the oldest event that is kept.
const START: &str = "start";

/// A position in the trace, and what of it is shown.
#[derive(Debug)]
pub(crate) struct Subscription {
    feed: Arc<DebugFeed>,
    seen: watch::Receiver<Seen>,
    filter: TraceFilter,
    /// The trace that the position is of, once there was one.
    identity: Option<TraceIdentity>,
    /// Everything up to here was read.
    pos: u64,
    page: VecDeque<TraceRow>,
    /// The position of the last event that left the page.
    passed: u64,
    /// Whether the client has to be told that the trace is another one.
    was_replaced: bool,
}

impl Subscription {
    /// Starts where `params` ask, and says where that is.
    pub(crate) async fn open(
        hub: &Hub,
        params: EventsSubscribeParams,
    ) -> Result<(Self, EventsSubscribeResult), RpcError> {
        let goal = match &params.goal_id {
            Some(text) => Some(goal::resolve(hub, text).await?.to_string()),
            None => None,
        };
        let kinds = params.types.unwrap_or_default();
        if kinds.len() > TYPES_MAX {
            return Err(RpcError::invalid_params(format!("types: at most {TYPES_MAX} names are allowed")));
        }
        let feed = Arc::clone(&hub.debug);
        feed.look().await.map_err(RpcError::internal)?;
        let mut seen = feed.watch();
        let now = seen.borrow_and_update().clone();
        let (pos, rebase_required) = start(&now, params.after.as_deref()).await?;
        let identity = now.identity().cloned();
        let cursor = identity.as_ref().map_or_else(unknown_trace, |trace| trace.cursor(pos)).to_string();
        let subscription = Self {
            feed,
            seen,
            filter: TraceFilter { goal, kinds },
            identity,
            pos,
            page: VecDeque::new(),
            passed: pos,
            was_replaced: false,
        };
        Ok((subscription, EventsSubscribeResult { success: true, cursor, rebase_required }))
    }

    /// Starts with what follows, for who knows nothing of cursors.
    pub(crate) async fn live(hub: &Hub, filter: TraceFilter) -> Self {
        let feed = Arc::clone(&hub.debug);
        if let Err(error) = feed.look().await {
            tracing::warn!(%error, "cannot read the trace; trying again at the next change");
        }
        let mut seen = feed.watch();
        let now = seen.borrow_and_update().clone();
        let identity = now.identity().cloned();
        let (page, pos) = (VecDeque::new(), now.last);
        Self { feed, seen, filter, identity, pos, page, passed: pos, was_replaced: false }
    }

    /// Shows something else from now on.
    pub(crate) fn show(&mut self, filter: TraceFilter) {
        self.release();
        self.filter = filter;
    }

    /// The next event, if one is there, and the trace that it is of.
    pub(crate) fn pop_row(&mut self) -> Option<(TraceRow, TraceIdentity)> {
        self.was_replaced = false;
        let identity = self.identity.clone()?;
        Some((self.next_row()?, identity))
    }

    /// Waits until there is something to be sent. Dropping the future loses nothing.
    pub(crate) async fn fill(&mut self) {
        while self.page.is_empty() && !self.was_replaced {
            let seen = self.seen.borrow_and_update().clone();
            if self.follows_another(&seen) {
                return;
            }
            if let Some((reader, _)) = seen.trace.filter(|_| self.pos < seen.last) {
                match self.feed.page(&reader, self.pos, &self.filter).await {
                    Ok(page) => {
                        self.passed = self.pos;
                        self.pos = page.passed;
                        self.page = page.rows.into();
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot read the trace; trying again at the next change");
                    }
                }
            }
            if self.seen.changed().await.is_err() {
                // The feed lives as long as there are connections.
                return std::future::pending().await;
            }
        }
    }

    /// Goes over to the trace that is there now, from its start; whether it took the place of another one.
    fn follows_another(&mut self, seen: &Seen) -> bool {
        let Some(identity) = seen.identity().filter(|identity| self.identity.as_ref() != Some(identity))
        else {
            return false;
        };
        self.was_replaced = self.identity.is_some();
        if self.was_replaced {
            (self.pos, self.passed) = (0, 0);
        }
        self.identity = Some(identity.clone());
        self.was_replaced
    }

    /// The next frame, if one is there.
    pub(super) fn pop(&mut self) -> Option<ServerFrame> {
        if std::mem::take(&mut self.was_replaced) {
            let data = raw(&json!({"channel": CHANNEL}))?;
            return Some(ServerFrame::Event(EventFrame::outside_log("rebase_required", data)));
        }
        let row = self.next_row()?;
        self.frame(row)
    }

    fn next_row(&mut self) -> Option<TraceRow> {
        let row = self.page.pop_front()?;
        self.passed = row.pos;
        if self.page.is_empty() {
            // An idle subscription keeps no room for the next page.
            self.page = VecDeque::new();
        }
        Some(row)
    }

    /// Whether a page is held.
    pub(crate) fn has_page(&self) -> bool {
        !self.page.is_empty()
    }

    /// Lets go of what is held for a client that does not read. It is read from the trace again.
    pub(crate) fn release(&mut self) {
        if !self.page.is_empty() {
            self.page = VecDeque::new();
            self.pos = self.passed;
        }
    }

    fn frame(&self, row: TraceRow) -> Option<ServerFrame> {
        let cursor = self.identity.as_ref().map(|trace| trace.cursor(row.pos).to_string());
        let at = row.event.at_ms;
        let data = raw(&DebugData::new(debug_event(row)?))?;
        Some(ServerFrame::Event(EventFrame {
            cursor,
            at: Some(at),
            ..EventFrame::outside_log(CHANNEL, data)
        }))
    }
}

/// The event as clients get it. `None` if what was stored is no JSON, which we never write.
pub fn debug_event(row: TraceRow) -> Option<DebugEvent> {
    let event = row.event;
    Some(DebugEvent {
        id: event.id,
        timestamp: event.at_ms,
        r#type: event.kind,
        source: event.source,
        data: RawValue::from_string(event.data).ok()?,
        goal_id: event.goal,
        work_item_id: event.item,
        run_id: event.run,
        step_id: event.step,
        span_id: event.span,
        parent_span_id: event.parent,
        pos: None,
    })
}

fn raw(data: &impl serde::Serialize) -> Option<Box<RawValue>> {
    to_raw_value(data).ok()
}

/// The cursor of a reader that saw no trace yet. It is served from the start.
fn unknown_trace() -> Cursor {
    Cursor { log_id: String::new(), generation: 0, pos: 0 }
}

/// Where a subscription starts, and whether that is not where it was asked to.
async fn start(now: &Seen, after: Option<&str>) -> Result<(u64, bool), RpcError> {
    let cursor: Cursor = match after {
        None => return Ok((now.last, false)),
        Some(START) => return Ok((0, false)),
        Some(text) => text.parse().map_err(|_| {
            RpcError::invalid_params("after: not a cursor")
                .hint("give a cursor of a debug event, \"start\", or leave it out")
        })?,
    };
    if cursor == unknown_trace() {
        return Ok((0, false));
    }
    let Some((reader, identity)) = &now.trace else { return Ok((0, true)) };
    let first = reader.first_pos().await.map_err(RpcError::internal)?;
    // What followed the cursor may have been removed, unless it is followed by what is left.
    let is_kept = first.map_or(cursor.pos == now.last, |first| cursor.pos.saturating_add(1) >= first);
    let is_served = identity.gave(&cursor) && cursor.pos <= now.last && is_kept;
    Ok(if is_served { (cursor.pos, false) } else { (0, true) })
}
