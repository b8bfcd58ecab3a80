//! `GET /events`: the same events as Server-Sent Events. `id:` is the cursor, so that a reader that
//! comes back with `Last-Event-ID` goes on where it was. Deltas have none, so they do not move it.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pb_protocol::RpcError;
use pb_protocol::frame::ServerFrame;
use pb_protocol::methods::events::{SubscribeParams, SubscribeResult};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::access::{Place, Who};
use crate::deltas::{self, Heard, Listener};
use crate::hub::Hub;
use crate::metrics::Transport;
use crate::page::EventSpan;
use crate::server::Peer;
use crate::subscription::{Shown, Subscription};

/// How often an idle stream shows that it is alive.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long a page of events is held for a reader that takes nothing.
const PAGE_HELD_MAX: Duration = Duration::from_secs(1);
/// After how long without progress a reader is cut off.
const STALL_MAX: Duration = Duration::from_secs(30);
/// Pieces between the subscription and the socket.
const PIECES_MAX: usize = 1;
/// Most bytes of events in one piece; a single event may be longer.
const PIECE_BYTES_MAX: usize = 16 * 1024;

/// The query of `GET /events`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(rename = "goalId")]
    goal_id: Option<String>,
    after: Option<String>,
    /// Separated by commas.
    kinds: Option<String>,
    #[serde(default)]
    deltas: bool,
}

/// Begins a stream.
pub(crate) async fn serve(hub: Arc<Hub>, peer: &Peer, headers: &HeaderMap, asked: Asked) -> Response {
    let Some(place) = hub.places.take(Who::of(peer.address, peer.uid)) else {
        let body = json!({"error": "Connection limit exceeded"});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    };
    // A reader that comes back sends the URL it began with, and the header that says how far it came.
    let came_to = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let params = SubscribeParams {
        goal_id: asked.goal_id,
        session_id: None,
        after: came_to.map(str::to_owned).or(asked.after),
        kinds: asked.kinds.map(|kinds| kinds.split(',').map(str::to_owned).collect()),
        deltas: asked.deltas,
    };
    let id = format!("sse_{}", hub.ids.uuid().simple());
    let (subscription, result) = match Subscription::open(&hub, params, id).await {
        Ok(opened) => opened,
        Err(error) => return refused(&error),
    };
    let (frames, receiver) = mpsc::channel(PIECES_MAX);
    let listener = (subscription.wants_deltas || hub.legacy_peers).then(|| hub.deltas.listen());
    let counted = Arc::clone(&hub.event_streams);
    let cut = peer.cut.clone();
    let writer = Writer {
        frames,
        subscription,
        listener,
        hub: Arc::clone(&hub),
        cut,
        _place: place,
        _counted: counted,
    };
    let hello = connected(&result, hub.clock.now_ms());
    let stopping = hub.stopping.clone();
    let work = async move {
        tokio::select! {
            () = writer.run(hello) => {}
            () = stopping.cancelled() => {}
        }
    };
    hub.tasks.spawn("event stream", hub.sessions.track_future(work));
    let body = Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        let frame: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(frame), receiver))
    }));
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

fn refused(error: &RpcError) -> Response {
    let body = json!({"error": error.message, "code": error.code, "hint": error.hint_text()});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn connected(result: &SubscribeResult, now_ms: u64) -> Bytes {
    let mut data = serde_json::to_value(result).unwrap_or_default();
    if let Some(data) = data.as_object_mut() {
        data.insert("timestamp".to_owned(), now_ms.into());
    }
    event(Some(&result.cursor), "connected", &data.to_string())
}

struct Writer {
    frames: mpsc::Sender<Bytes>,
    subscription: Subscription,
    listener: Option<Listener>,
    hub: Arc<Hub>,
    cut: CancellationToken,
    _place: Place,
    _counted: Arc<()>,
}

impl Writer {
    async fn run(mut self, hello: Bytes) {
        if !self.send(hello).await {
            return;
        }
        let mut heartbeat = Instant::now() + HEARTBEAT_EVERY;
        loop {
            if let Some(shown) = self.subscription.pop() {
                let sent = match shown {
                    Shown::Events(span, range) => self.send_events(span, range).await,
                    Shown::Cursor(frame) => self.send(lines(&frame)).await,
                };
                if !sent {
                    return;
                }
                heartbeat = Instant::now() + HEARTBEAT_EVERY;
                continue;
            }
            // What is in the log goes first, as in a session.
            let may_hear = self.listener.is_some() && !self.subscription.is_behind(self.hub.feed.last_pos());
            let sent = tokio::select! {
                () = self.frames.closed() => return,
                heard = deltas::next_of(&mut self.listener), if may_hear => match self.shown(heard) {
                    Some(shown) => self.send(shown).await,
                    None => true,
                },
                filled = timeout_at(heartbeat, self.subscription.fill()) => match filled {
                    Ok(Ok(())) => true,
                    Ok(Err(_)) => {
                        let farewell = lines(&self.subscription.farewell());
                        self.send(farewell).await;
                        return;
                    }
                    Err(_) => {
                        heartbeat = Instant::now() + HEARTBEAT_EVERY;
                        let alive = self.subscription.whereabouts();
                        let alive = alive.map_or(Bytes::from_static(b": heartbeat\n\n"), |frame| lines(&frame));
                        self.send(alive).await
                    }
                },
            };
            if !sent {
                return;
            }
        }
    }

    /// What is sent for what was heard, if it is shown.
    fn shown(&self, heard: Heard) -> Option<Bytes> {
        match heard {
            Heard::Delta(delta) => self.subscription.shows(&delta).then(|| delta.lines()),
            Heard::Lag(_) if !self.subscription.wants_deltas => None,
            Heard::Lag(dropped) => Some(lines(&ServerFrame::Lag { dropped })),
        }
    }

    /// Sends events in pieces. When the reader takes none for a while, the rest is let go of, to be read
    /// again.
    async fn send_events(&mut self, span: EventSpan, mut range: Range<usize>) -> bool {
        while !range.is_empty() {
            let page = span.page();
            let piece = page.lines().first_bytes(&range, PIECE_BYTES_MAX);
            let bytes = Bytes::copy_from_slice(page.lines().of(&piece));
            range.start = piece.end;
            let events = piece.len() as u64;
            match self.offer(bytes).await {
                Ok(()) => self.hub.metrics.delivered(Transport::EventStream, events),
                Err(Some(late)) => {
                    let sent = piece.end.checked_sub(1).and_then(|last| page.events().get(last));
                    self.subscription.go_back(sent.map_or(span.after(), |event| event.pos));
                    drop(span);
                    let taken = self.insist(late).await;
                    if taken {
                        self.hub.metrics.delivered(Transport::EventStream, events);
                    }
                    return taken;
                }
                Err(None) => return false,
            }
        }
        true
    }

    /// Whether the reader took it; one that takes nothing for too long is cut off.
    async fn send(&mut self, frame: Bytes) -> bool {
        match self.offer(frame).await {
            Ok(()) => true,
            Err(Some(late)) => {
                self.subscription.release();
                self.insist(late).await
            }
            Err(None) => false,
        }
    }

    /// Gives it to the reader; gives it back if it takes nothing for a while, and nothing if it is gone.
    async fn offer(&self, frame: Bytes) -> Result<(), Option<Bytes>> {
        self.frames.send_timeout(frame, PAGE_HELD_MAX).await.map_err(|error| match error {
            SendTimeoutError::Closed(_) => None,
            SendTimeoutError::Timeout(frame) => Some(frame),
        })
    }

    async fn insist(&self, frame: Bytes) -> bool {
        match self.frames.send_timeout(frame, STALL_MAX).await {
            Ok(()) => true,
            Err(SendTimeoutError::Closed(_)) => false,
            Err(SendTimeoutError::Timeout(_)) => {
                self.hub.metrics.slow_consumer();
                self.cut.cancel();
                false
            }
        }
    }
}

/// A frame as the stream carries it.
pub(crate) fn lines(frame: &ServerFrame) -> Bytes {
    match frame {
        ServerFrame::Event(frame) => event(frame.cursor.as_deref(), &frame.event, frame.data.get()),
        ServerFrame::Cursor { cursor, .. } => event(Some(cursor), "cursor", "{}"),
        ServerFrame::Lag { dropped } => event(None, "lag", &format!("{{\"dropped\":{dropped}}}")),
        ServerFrame::Res(_) => Bytes::new(),
    }
}

fn event(id: Option<&str>, name: &str, data: &str) -> Bytes {
    let mut text = Vec::with_capacity(data.len() + 128);
    write_event(&mut text, id.map(str::as_bytes), name, data.as_bytes());
    text.into()
}

/// Appends one event. Line ends between the tokens of JSON mean the same as spaces, and would end the line
/// here.
pub(crate) fn write_event(out: &mut Vec<u8>, id: Option<&[u8]>, name: &str, data: &[u8]) {
    let mut line = |name: &str, value: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        let start = out.len();
        out.extend_from_slice(value);
        for byte in out.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        out.push(b'\n');
    };
    if let Some(id) = id {
        line("id: ", id);
    }
    line("event: ", name.as_bytes());
    line("data: ", data);
    out.push(b'\n');
}
