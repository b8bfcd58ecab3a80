//! One WebSocket: requests in, answers and events out.
//!
//! ```text
//!   reader --- request ---> task (at most 16) --- answer ---+
//!                                                           v
//!   subscriptions (each with its own position) --------> outbox (one message) ---> socket
//!                                                           ^
//!   deltas, if asked for (overtaken when it is slow) -------+
//! ```
//!
//! One loop owns the socket. It goes on reading while the socket does not take what is written, so
//! that two sides that both write cannot wait for each other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink, SinkExt, StreamExt};
use pb_protocol::frame::{EventFrame, Request, Response, ServerFrame};
use pb_protocol::methods::Method;
use pb_protocol::methods::events::Subscribe;
use pb_protocol::{ErrorCode, RpcError};
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite;

use crate::admit::Admitted;
use crate::deltas::{self, Heard, Listener};
use crate::hub::Hub;
use crate::methods::{self, Caller, Outcome};
use crate::subscriptions::Subscriptions;

/// Requests of one session that are worked on at once; further ones stay in the socket.
const REQUESTS_MAX: usize = 16;
/// How often a socket is pinged. One that said nothing since the last ping is closed.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long a page of events is held for a socket that takes nothing.
const PAGE_HELD_MAX: Duration = Duration::from_secs(1);
/// After how long without progress a socket is closed.
const STALL_MAX: Duration = Duration::from_secs(30);
/// How long the other side has to answer a close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// What an ended request is answered.
type Answer = (String, Result<Outcome, RpcError>);

/// Why we close.
#[derive(Debug, Clone, Copy)]
enum Closing {
    /// The other side is gone, or said goodbye.
    Gone,
    ShuttingDown,
    HeartbeatTimeout,
    ConnectionLimit,
    SlowConsumer,
    TooBig,
    Malformed,
}

impl Closing {
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::ShuttingDown => (1001, "Server shutting down"),
            Self::HeartbeatTimeout => (1000, "heartbeat_timeout"),
            Self::ConnectionLimit => (4006, "Connection limit exceeded"),
            Self::SlowConsumer => (4008, "slow_consumer"),
            Self::TooBig => (1009, "message too big"),
            Self::Malformed => (1002, "malformed frame"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}

/// Serves a socket to its end.
pub(crate) async fn run(socket: WebSocket, hub: Arc<Hub>, admitted: Admitted) {
    let (sink, stream) = socket.split();
    let Some(_seat) = hub.seat() else {
        return close(sink, stream, Closing::ConnectionLimit).await;
    };
    let caller = Arc::new(Caller::new(&hub, admitted));
    let (slots, answers) = mpsc::channel(REQUESTS_MAX);
    let now = Instant::now();
    let mut session = Session {
        control: VecDeque::from([greeting(&caller)]),
        subscriptions: Subscriptions::implicit(&hub.feed),
        listener: None,
        caller,
        hub,
        sink,
        stream,
        slots,
        answers,
        outbox: None,
        unflushed: false,
        progress: now,
        released: false,
        heard: true,
    };
    session.listen();
    let closing = session.serve().await;
    tracing::debug!(?closing, "a session ended");
    close(session.sink, session.stream, closing).await;
}

struct Session {
    hub: Arc<Hub>,
    caller: Arc<Caller>,
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
    /// A slot is taken before a request is read, and given up with its answer.
    slots: mpsc::Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
    subscriptions: Subscriptions,
    /// One for all subscriptions that want deltas, so that each delta is sent once.
    listener: Option<Listener>,
    /// What goes before answers and events: pings, cursors. At most a few, made by us.
    control: VecDeque<Message>,
    /// The message that waits for the socket.
    outbox: Option<Message>,
    /// Whether something was written that may not have left.
    unflushed: bool,
    /// When the socket last took something, or had nothing to take.
    progress: Instant,
    /// Whether the page was let go of since then.
    released: bool,
    /// Whether the other side said anything since the last ping.
    heard: bool,
}

impl Session {
    /// Works until there is a reason to close.
    async fn serve(&mut self) -> Closing {
        let stopping = self.hub.stopping.clone();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.outbox.is_none() {
                self.outbox = self.next_message();
            }
            let has_message = self.outbox.is_some();
            let is_writing = has_message || self.unflushed;
            if !is_writing {
                self.progressed();
            }
            // What is in the log goes first. Else deltas that never end would keep it from being read, for
            // each of them begins the reading anew.
            let may_hear =
                !has_message && self.listener.is_some() && !self.subscriptions.are_behind(&self.hub.feed);
            let patience = if self.released { STALL_MAX } else { PAGE_HELD_MAX };
            tokio::select! {
                () = stopping.cancelled() => return Closing::ShuttingDown,
                taken = poll_fn(|cx| poll_sink(&mut self.sink, has_message, cx)), if is_writing => {
                    if taken.is_err() || self.write().is_err() {
                        return Closing::Gone;
                    }
                }
                (slot, message) = next_request(&mut self.stream, &self.slots) => {
                    if let Err(closing) = self.take(slot, message) {
                        return closing;
                    }
                }
                answer = self.answers.recv(), if !has_message => {
                    self.outbox = answer.map(|answer| self.settle(answer));
                }
                farewell = self.subscriptions.fill(&self.hub.feed), if !has_message => {
                    self.control.extend(farewell.map(|frame| text(&frame)));
                    self.listen();
                }
                heard = deltas::next_of(&mut self.listener), if may_hear => self.outbox = self.shown(heard),
                _ = ping.tick() => {
                    if !self.beat(is_writing) {
                        return Closing::HeartbeatTimeout;
                    }
                }
                () = sleep_until(self.progress + patience), if is_writing => {
                    if self.released {
                        return Closing::SlowConsumer;
                    }
                    self.released = true;
                    self.subscriptions.release();
                }
            }
        }
    }

    /// What is to be sent next, if anything is there already.
    fn next_message(&mut self) -> Option<Message> {
        if let Some(message) = self.control.pop_front() {
            return Some(message);
        }
        if let Ok(answer) = self.answers.try_recv() {
            return Some(self.settle(answer));
        }
        self.subscriptions.pop().map(|frame| text(&frame))
    }

    /// Hands the message to the socket, which is ready for it; without one, everything has left.
    fn write(&mut self) -> Result<(), axum::Error> {
        let message = self.outbox.take();
        self.unflushed = message.is_some();
        self.progressed();
        match message {
            Some(message) => Pin::new(&mut self.sink).start_send(message),
            None => Ok(()),
        }
    }

    fn progressed(&mut self) {
        self.progress = Instant::now();
        self.released = false;
    }

    /// Pings; false when the last ping was answered with silence.
    fn beat(&mut self, is_writing: bool) -> bool {
        if is_writing {
            // A ping would stand behind what the socket does not take: its stall is what ends it.
            return true;
        }
        if !std::mem::take(&mut self.heard) {
            return false;
        }
        self.control.push_back(Message::Ping(bytes::Bytes::new()));
        let cursors = self.subscriptions.whereabouts();
        self.control.extend(cursors.map(|frame| text(&frame)));
        true
    }

    /// Takes what the other side sent.
    fn take(&mut self, slot: Slot, message: Incoming) -> Result<(), Closing> {
        self.heard = true;
        let bytes = match message {
            Some(Ok(Message::Text(text))) => bytes::Bytes::from(text),
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(_))) | None => return Err(Closing::Gone),
            Some(Err(error)) => return Err(closing_for(error)),
        };
        let request = std::str::from_utf8(&bytes)
            .map_err(|_| RpcError::new(ErrorCode::ParseError, "Parse error: Invalid JSON"))
            .and_then(Request::parse);
        match request {
            Ok(request) => self.work_on(slot, request),
            Err(error) => {
                slot.send((String::new(), Err(error)));
            }
        }
        Ok(())
    }

    fn work_on(&mut self, slot: Slot, request: Request) {
        if request.method == Subscribe::NAME {
            self.subscriptions.end_implicit();
        }
        let (hub, caller) = (Arc::clone(&self.hub), Arc::clone(&self.caller));
        self.hub.tasks.spawn("request", async move {
            let outcome = methods::dispatch(&hub, &caller, &request).await;
            slot.send((request.id, outcome));
        });
    }

    /// Listens to deltas while a subscription wants them.
    fn listen(&mut self) {
        if !self.subscriptions.want_deltas() && !self.hub.legacy_peers {
            self.listener = None;
        } else if self.listener.is_none() {
            self.listener = Some(self.hub.deltas.listen());
        }
    }

    /// The message for what was heard, if it is shown.
    fn shown(&self, heard: Heard) -> Option<Message> {
        match heard {
            Heard::Delta(delta) => self.subscriptions.show(&delta).then(|| Message::Text(delta.text())),
            Heard::Lag(_) if !self.subscriptions.want_deltas() => None,
            Heard::Lag(dropped) => Some(text(&ServerFrame::Lag { dropped })),
        }
    }

    /// Does what an outcome asks of the session, and makes its answer.
    fn settle(&mut self, (id, outcome): Answer) -> Message {
        let result = outcome.and_then(|outcome| match outcome {
            Outcome::Result(result) => Ok(result),
            Outcome::Subscribe(subscription, result) => {
                json(&self.subscriptions.add(*subscription, *result)?)
            }
            Outcome::Goals(change, result) => {
                self.subscriptions.name_goals(&self.hub.feed, change)?;
                Ok(result)
            }
            Outcome::Unsubscribe(subscription) => json(&self.subscriptions.remove(&subscription)),
        });
        self.listen();
        let response = match result {
            Ok(result) => Response::ok(id, result),
            Err(error) => Response::error(id, error),
        };
        text(&ServerFrame::Res(response))
    }
}

/// Waits until the socket takes a message, or until everything has left.
fn poll_sink(
    sink: &mut SplitSink<WebSocket, Message>,
    has_message: bool,
    cx: &mut Context<'_>,
) -> Poll<Result<(), axum::Error>> {
    if has_message { Pin::new(sink).poll_ready(cx) } else { Pin::new(sink).poll_flush(cx) }
}

type Slot = OwnedPermit<Answer>;
type Incoming = Option<Result<Message, axum::Error>>;

/// The next message, with the slot that its answer will need. Dropping the future loses nothing.
async fn next_request(stream: &mut SplitStream<WebSocket>, slots: &mpsc::Sender<Answer>) -> (Slot, Incoming) {
    match slots.clone().reserve_owned().await {
        Ok(slot) => (slot, stream.next().await),
        // The session itself holds the other end.
        Err(_) => std::future::pending().await,
    }
}

fn closing_for(error: axum::Error) -> Closing {
    match error.into_inner().downcast::<tungstenite::Error>().as_deref() {
        Ok(tungstenite::Error::Capacity(_)) => Closing::TooBig,
        Ok(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            Closing::Gone
        }
        Ok(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => Closing::Malformed,
        _ => Closing::Gone,
    }
}

fn greeting(caller: &Caller) -> Message {
    let permissions: Vec<_> = caller.permissions().iter().map(|one| one.as_str()).collect();
    let data = json!({"sessionId": caller.session_id, "permissions": permissions});
    let data = to_raw_value(&data).unwrap_or_else(|_| RawValue::NULL.to_owned());
    text(&ServerFrame::Event(EventFrame::outside_log("connection.authenticated", data)))
}

fn json<T: Serialize>(value: &T) -> Result<Box<RawValue>, RpcError> {
    to_raw_value(value).map_err(RpcError::internal)
}

fn text(frame: &ServerFrame) -> Message {
    // Frames are plain data: strings, numbers and JSON that was parsed before.
    Message::text(serde_json::to_string(frame).unwrap_or_default())
}

/// Says why, waits a moment for the answer, and lets go.
async fn close(
    mut sink: SplitSink<WebSocket, Message>,
    mut stream: SplitStream<WebSocket>,
    closing: Closing,
) {
    let goodbye = async {
        match closing.frame() {
            Some(frame) => sink.send(Message::Close(Some(frame))).await?,
            None => sink.flush().await?,
        }
        // What is unread when a socket is dropped would reset it, and the close frame with it.
        while let Some(Ok(_)) = stream.next().await {}
        if matches!(closing, Closing::TooBig | Closing::Malformed) {
            // The library reads no further after an error: the other side gets its moment all the same.
            std::future::pending::<()>().await;
        }
        Ok::<(), axum::Error>(())
    };
    // Whoever does not answer has had its chance.
    let _ = tokio::time::timeout(CLOSE_WAIT, goodbye).await;
}
