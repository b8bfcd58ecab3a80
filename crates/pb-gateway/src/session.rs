//! One WebSocket: requests in, answers and events out.
//!
//! ```text
//!   reader --- request ---> task (at most 16) --- answer ---+
//!                                                           v
//!   subscriptions, debug (each with its own position) -> outgoing (64 KiB) ---> socket
//!                                                           ^
//!   deltas, if asked for (overtaken when it is slow) -------+
//! ```
//!
//! One loop owns the socket. It goes on reading while the socket does not take what is written, so
//! that two sides that both write cannot wait for each other.

mod closing;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use pb_protocol::frame::{EventFrame, Request, Response, ServerFrame};
use pb_protocol::methods::events::Subscribe;
use pb_protocol::methods::{Method, of_alias};
use pb_protocol::{CloseReason, ErrorCode, RpcError};
use pb_runtime::Clock;
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::access::{Grant, PENDING_FRAME_BYTES, PENDING_MAX_AGE, Place};
use crate::admit::Admitted;
use crate::debug::Outlet;
use crate::deltas::{self, Heard, Listener};
use crate::hub::Hub;
use crate::methods::{self, Caller, Outcome};
use crate::roster::Entry;
use crate::socket::{Socket, WriteHalf};
use crate::subscription::Shown;
use crate::subscriptions::Subscriptions;
use crate::websocket::{Incoming, Opcode, Outgoing, Written, control_frame, text_frame};
pub(crate) use closing::{Closing, close};

/// Requests of one session that are worked on at once; further ones stay in the socket.
const REQUESTS_MAX: usize = 16;
/// How much is gathered for one write, in bytes; the last page may go beyond.
const GATHERED_BYTES: usize = 64 * 1024;
/// The same of debug events. They are made for one session alone, and stay when pages are let go of.
const DEBUG_GATHERED_BYTES: usize = 8 * 1024;
/// How often a session looks after itself.
const TICK: Duration = Duration::from_secs(1);
/// After how many ticks a socket is pinged. One that said nothing since the last ping is closed.
const TICKS_A_PING: u32 = 30;
/// How many messages more are taken before a ping is answered, if they are there already.
const PINGS_TOGETHER_MAX: usize = 64;
/// How long a page of events is held for a socket that takes nothing, at most a tick more.
const PAGE_HELD_MAX: Duration = Duration::from_secs(1);
/// After how long without progress a socket is closed.
const STALL_MAX: Duration = Duration::from_secs(30);

/// What an ended request is answered. In a box: a channel has room for 32 from its beginning, and most sessions
/// ask nothing.
type Answer = Box<Answered>;
type Answered = (String, Result<Outcome, RpcError>);
type Slot = OwnedPermit<Answer>;

/// Serves a socket to its end, which has said `came` already.
pub(crate) async fn run(stream: Socket, came: Bytes, hub: Arc<Hub>, admitted: Admitted) {
    let (read, socket) = stream.into_split();
    let mut incoming = Incoming::new(read, came).await;
    let pending = admitted.is_pending.then(|| hub.access.pending.take(admitted.who));
    let (Some(_place), Some(pending)) =
        (hub.places.take(admitted.who), pending.map_or(Some(None), |place| place.map(Some)))
    else {
        Closing::ConnectionLimit.count(&hub.metrics);
        return close(incoming, socket, Outgoing::default(), Closing::ConnectionLimit).await;
    };
    incoming.limit(pending.is_some().then_some(PENDING_FRAME_BYTES));
    let caller = Arc::new(Caller::new(&hub, admitted));
    let entry = hub.roster.enter(Arc::clone(&caller), hub.clock.now_ms());
    let (slots, answers) = mpsc::channel(REQUESTS_MAX);
    let mut session = Session {
        // Who is not let in yet is told nothing before it asks (`wire.md` §2.2).
        control: pending.is_none().then(|| greeting(&caller)).into_iter().collect(),
        pong: None,
        subscriptions: match pending {
            None => Subscriptions::implicit(&hub.feed, caller.named.clone()),
            Some(_) => Subscriptions::none(),
        },
        pending: pending.map(|place| (place, Instant::now())),
        is_another: false,
        listener: None,
        debug: Outlet::default(),
        caller,
        entry,
        hub,
        socket,
        slots,
        answers,
        outgoing: Outgoing::default(),
        blocked: false,
        holding: None,
        progress: Instant::now(),
        ticks: 0,
        heard: true,
    };
    session.listen();
    let closing = session.serve(&mut incoming).await;
    closing.count(&session.hub.metrics);
    tracing::debug!(session = session.caller.session_id, ?closing, "a session ended");
    close(incoming, session.socket, session.outgoing, closing).await;
}

struct Session {
    hub: Arc<Hub>,
    caller: Arc<Caller>,
    /// Its row among the others.
    entry: Entry,
    /// Until it has said who it is, and since when.
    pending: Option<(Place, Instant)>,
    /// Whether it has just proved to be somebody.
    is_another: bool,
    socket: WriteHalf,
    /// A slot is taken before a request is read, and given up with its answer.
    slots: mpsc::Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
    subscriptions: Subscriptions,
    /// One for all subscriptions that want deltas, so that each delta is sent once.
    listener: Option<Listener>,
    /// The debug events that were asked for.
    debug: Outlet,
    /// What goes before answers and events: pings, cursors. At most a few, made by us.
    control: VecDeque<Bytes>,
    /// The answer to the last ping of the other side.
    pong: Option<Bytes>,
    /// What waits for the socket.
    outgoing: Outgoing,
    /// Whether the socket takes nothing now.
    blocked: bool,
    /// The right to keep pages that are only for this session while the socket takes nothing.
    holding: Option<OwnedSemaphorePermit>,
    /// When the socket last took something, or had nothing to take.
    progress: Instant,
    ticks: u32,
    /// Whether the other side said anything since the last ping.
    heard: bool,
}

impl Session {
    /// Works until there is a reason to close.
    async fn serve(&mut self, incoming: &mut Incoming) -> Closing {
        let stopping = self.hub.stopping.clone();
        let mut stopped = std::pin::pin!(stopping.cancelled());
        let mut token_ended = std::pin::pin!(end_of(self.caller.grant(), self.hub.clock.clone()));
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut slot = None;
        loop {
            if self.write().is_err() {
                return Closing::Gone;
            }
            if std::mem::take(&mut self.is_another) {
                token_ended.set(end_of(self.caller.grant(), self.hub.clock.clone()));
                incoming.limit(None);
            }
            // Where everything was let go of, nothing is taken again before the socket takes something.
            let is_idle = self.outgoing.is_empty() && !self.blocked;
            // What is in the log goes first. Else deltas that never end would keep it from being read, for
            // each of them begins the reading anew.
            let may_hear =
                is_idle && self.listener.is_some() && !self.subscriptions.are_behind(&self.hub.feed);
            tokio::select! {
                () = &mut stopped => return Closing::ShuttingDown,
                why = &mut token_ended => return Closing::TokenEnded(why),
                writable = self.socket.writable(), if !is_idle => {
                    if writable.is_err() {
                        return Closing::Gone;
                    }
                    self.blocked = false;
                }
                message = next_request(incoming, &self.slots, &mut slot) => {
                    if let Err(closing) = self.take_with_pings(incoming, &mut slot, message) {
                        return closing;
                    }
                }
                answer = self.answers.recv(), if is_idle => {
                    if let Some(answer) = answer {
                        self.gather_events();
                        let message = self.settle(*answer);
                        self.outgoing.push(message);
                    }
                }
                farewell = self.subscriptions.fill(&self.hub.feed), if is_idle => {
                    self.control.extend(farewell.map(|frame| text_frame(&frame)));
                    self.listen();
                }
                () = self.debug.fill(), if is_idle => {}
                heard = deltas::next_of(&mut self.listener), if may_hear => {
                    if let Some(message) = self.shown(heard) {
                        self.outgoing.push(message);
                    }
                }
                _ = tick.tick() => {
                    if let Err(closing) = self.look_after() {
                        return closing;
                    }
                }
            }
        }
    }

    /// Writes what there is, until the socket takes no more or nothing is left.
    fn write(&mut self) -> io::Result<()> {
        while !self.blocked {
            self.gather();
            if self.outgoing.is_empty() {
                self.progress = Instant::now();
                self.drained();
                return Ok(());
            }
            let written = self.outgoing.write(&self.socket);
            self.hub.metrics.sent(self.outgoing.take_sent());
            match written? {
                Written::All => {}
                Written::Blocked { some } => {
                    if some {
                        self.progress = Instant::now();
                    }
                    self.blocked = true;
                    self.hold_or_release();
                }
            }
        }
        Ok(())
    }

    /// Takes what is to be sent next, if anything is there already and nothing waits.
    fn gather(&mut self) {
        if !self.outgoing.is_empty() {
            return;
        }
        if let Some(pong) = self.pong.take() {
            self.outgoing.push(control_frame(Opcode::Pong, &pong));
        }
        for frame in self.control.drain(..) {
            self.outgoing.push(frame);
        }
        self.gather_events();
        while self.outgoing.bytes() < 2 * GATHERED_BYTES
            && let Ok(answer) = self.answers.try_recv()
        {
            let message = self.settle(*answer);
            self.outgoing.push(message);
        }
        while self.outgoing.bytes() < DEBUG_GATHERED_BYTES
            && let Some(frame) = self.debug.pop()
        {
            self.outgoing.push(text_frame(&frame));
        }
    }

    /// Events that are in memory. They go before answers: who submits a goal is told that it was made, and
    /// then that it was accepted, as in the first implementation.
    fn gather_events(&mut self) {
        while self.outgoing.bytes() < GATHERED_BYTES
            && let Some((dress, shown)) = self.subscriptions.pop()
        {
            match shown {
                Shown::Events(span, range) => self.outgoing.push_events(span, range, dress),
                Shown::Cursor(frame) => self.outgoing.push(text_frame(&frame)),
            }
        }
    }

    /// Pages that many share cost nothing more; of those that only this session holds there is a limit.
    fn hold_or_release(&mut self) {
        let holds_alone = self.outgoing.holds_alone() || self.debug.has_page();
        if self.holding.is_some() || !(holds_alone || self.subscriptions.have_page()) {
            return;
        }
        match Arc::clone(&self.hub.holders).try_acquire_owned() {
            Ok(holding) => self.holding = Some(holding),
            Err(_) => self.release(),
        }
    }

    fn release(&mut self) {
        let unsent = self.outgoing.release();
        self.subscriptions.release(&unsent);
        self.debug.release();
        self.holding = None;
    }

    /// There is nothing to write. The right is given back at the end of the log.
    fn drained(&mut self) {
        if self.holding.is_some() && !self.subscriptions.are_behind(&self.hub.feed) {
            self.holding = None;
        }
    }

    /// What is done each second: a socket that takes nothing, or says nothing, is not waited for without end.
    fn look_after(&mut self) -> Result<(), Closing> {
        self.ticks = self.ticks.wrapping_add(1);
        let pending_max = self.hub.pending_connections.unwrap_or(PENDING_MAX_AGE);
        if self.pending.as_ref().is_some_and(|(_, since)| since.elapsed() >= pending_max) {
            return Err(Closing::AuthTimeout);
        }
        if self.blocked {
            let stalled = self.progress.elapsed();
            if stalled >= STALL_MAX {
                return Err(Closing::SlowConsumer);
            }
            if stalled >= PAGE_HELD_MAX {
                self.release();
            }
            // A ping would stand behind what the socket does not take: its stall is what ends it.
            return Ok(());
        }
        if !self.ticks.is_multiple_of(TICKS_A_PING) {
            return Ok(());
        }
        if !std::mem::take(&mut self.heard) {
            return Err(Closing::HeartbeatTimeout);
        }
        self.control.push_back(control_frame(Opcode::Ping, &[]));
        let cursors = self.subscriptions.whereabouts();
        self.control.extend(cursors.map(|frame| text_frame(&frame)));
        Ok(())
    }

    /// Takes what the other side sent. Of pings that came together only the last is answered (RFC 6455 §5.5.3), so a
    /// flood of them costs few writes.
    fn take_with_pings(
        &mut self,
        incoming: &mut Incoming,
        slot: &mut Option<Slot>,
        message: Received,
    ) -> Result<(), Closing> {
        self.take(slot, message)?;
        for _ in 0..PINGS_TOGETHER_MAX {
            if self.pong.is_none() {
                break;
            }
            let Some(message) = next_request(incoming, &self.slots, slot).now_or_never() else { break };
            self.take(slot, message)?;
        }
        Ok(())
    }

    /// Takes one message.
    fn take(&mut self, slot: &mut Option<Slot>, message: Received) -> Result<(), Closing> {
        self.heard = true;
        let bytes = match message {
            Some(Ok(Message::Text(text))) => Bytes::from(text),
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(payload))) => {
                self.pong = Some(payload);
                return Ok(());
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Ok(Message::Close(frame))) => return Err(Closing::goodbye(frame.as_ref())),
            None => return Err(Closing::Gone),
            Some(Err(error)) => return Err(Closing::of(&error)),
        };
        self.hub.metrics.received(bytes.len());
        let Some(slot) = slot.take() else {
            return Ok(()); // Nothing is read without one.
        };
        let request = std::str::from_utf8(&bytes)
            .map_err(|_| RpcError::new(ErrorCode::ParseError, "Parse error: Invalid JSON"))
            .and_then(Request::parse);
        match request {
            Ok(request) => self.work_on(slot, request),
            Err(error) => {
                self.hub.metrics.unreadable();
                slot.send(Box::new((String::new(), Err(error))));
            }
        }
        Ok(())
    }

    fn work_on(&mut self, slot: Slot, mut request: Request) {
        if let Some(ours) = of_alias(&request.method) {
            ours.clone_into(&mut request.method);
        }
        if request.method == Subscribe::NAME {
            self.subscriptions.end_implicit();
        }
        let (hub, caller) = (Arc::clone(&self.hub), Arc::clone(&self.caller));
        self.hub.tasks.spawn("request", async move {
            let came = Instant::now();
            let outcome = methods::dispatch(&hub, &caller, &request).await;
            hub.metrics.answered(&request.method, &outcome, came.elapsed());
            slot.send(Box::new((request.id, outcome)));
        });
    }

    /// The connection has proved to be this one. If it was nobody's before, it is told events from now on.
    fn become_another(&mut self, session_id: String, admitted: Admitted) {
        self.caller = Arc::new(self.caller.proved(session_id, admitted));
        self.entry.is_now(Arc::clone(&self.caller));
        self.is_another = true;
        if self.pending.take().is_some() {
            self.subscriptions = Subscriptions::implicit(&self.hub.feed, self.caller.named.clone());
        }
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
    fn shown(&self, heard: Heard) -> Option<Bytes> {
        match heard {
            Heard::Delta(delta) => self.subscriptions.show(&delta).then(|| delta.message()),
            Heard::Lag(_) if !self.subscriptions.want_deltas() => None,
            Heard::Lag(dropped) => Some(text_frame(&ServerFrame::Lag { dropped })),
        }
    }

    /// Does what an outcome asks of the session, and makes its answer.
    fn settle(&mut self, (id, outcome): Answered) -> Bytes {
        let result = outcome.and_then(|outcome| match outcome {
            Outcome::Result(result) => Ok(result),
            Outcome::Subscribe(subscription, result) => {
                json(&self.subscriptions.add(*subscription, *result)?)
            }
            Outcome::Goals(change, result) => {
                self.subscriptions.name_goals(&self.hub.feed, &self.caller.named, change)?;
                Ok(result)
            }
            Outcome::Authenticated { session_id, admitted, result } => {
                self.become_another(session_id, *admitted);
                Ok(result)
            }
            Outcome::Unsubscribe(subscription) => json(&self.subscriptions.remove(&subscription)),
            Outcome::Debug(subscription, result) => {
                self.debug.set(subscription);
                Ok(result)
            }
        });
        self.listen();
        let response = match result {
            Ok(result) => Response::ok(id, result),
            Err(error) => Response::error(id, error),
        };
        text_frame(&ServerFrame::Res(response))
    }
}

type Received = Option<Result<Message, tungstenite::Error>>;

/// The next message, once there is a slot for its answer. Dropping the future loses nothing.
async fn next_request(
    incoming: &mut Incoming,
    slots: &mpsc::Sender<Answer>,
    slot: &mut Option<Slot>,
) -> Received {
    if slot.is_none() {
        match slots.clone().reserve_owned().await {
            Ok(fresh) => *slot = Some(fresh),
            // The session itself holds the other end.
            Err(_) => std::future::pending().await,
        }
    }
    incoming.next().await
}

/// Waits until the access token has ended, if there is one. Why.
pub(crate) async fn end_of(grant: Option<Grant>, clock: Clock) -> CloseReason {
    match grant {
        Some(grant) => grant.end(&clock).await,
        None => std::future::pending().await,
    }
}

fn greeting(caller: &Caller) -> Bytes {
    let data = json!({"sessionId": caller.session_id, "permissions": caller.permissions().words()});
    let data = to_raw_value(&data).unwrap_or_else(|_| RawValue::NULL.to_owned());
    text_frame(&ServerFrame::Event(EventFrame::outside_log("connection.authenticated", data)))
}

fn json<T: Serialize>(value: &T) -> Result<Box<RawValue>, RpcError> {
    to_raw_value(value).map_err(RpcError::internal)
}
