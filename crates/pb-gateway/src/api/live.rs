//! The WebSocket of the debug server: debug events as they come, and goals played again.
//!
//! ```text
//!   client: subscribe, replay.* ---> Live (one loop) <--- subscription (a position and a page of the trace)
//!                                     |       ^
//!                                     |       +--- player (a position in a goal's history)
//!                                     +---> outgoing ---> socket
//! ```
//!
//! As in a session of the gateway, a client that does not read has a position and no queue: nothing is taken
//! while the socket takes nothing, pages are let go of, and after 30 s it is closed.

mod messages;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use pb_protocol::Permission;
use pb_store::TraceFilter;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::{self, Message};

use super::answer::Refused;
use super::events::EnrichedEvent;
use super::health::Status;
use super::player::{PlayError, Player};
use crate::access::Place;
use crate::admit::Admitted;
use crate::debug::Subscription;
use crate::hub::Hub;
use crate::session::{Closing, close, end_of};
use crate::socket::WriteHalf;
use crate::websocket::{
    Handshake, Incoming, Opcode, Outgoing, Written, control_frame, handshake, json_frame,
};
pub(super) use messages::Told;
use messages::{Asked, Task};

/// Longest message of a client, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How much is gathered for one write, in bytes; the last event may go beyond.
const GATHERED_BYTES: usize = 8 * 1024;
/// How much may wait for a client that goes on asking, in bytes; what the last question brings may go beyond.
const UNREAD_BYTES_MAX: usize = 64 * 1024;
/// How often a connection looks after itself.
const TICK: Duration = Duration::from_secs(1);
/// After how many ticks a socket is pinged. One that said nothing since the last ping is closed.
const TICKS_A_PING: u32 = 30;
/// How long a page of events is held for a socket that takes nothing.
const PAGE_HELD_MAX: Duration = Duration::from_secs(1);
/// After how long without progress a socket is closed.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Any path of the debug server that is no route: a WebSocket, or nothing.
pub(crate) async fn begin(
    State(hub): State<Arc<Hub>>,
    Extension(admitted): Extension<Admitted>,
    mut request: Request,
) -> Response {
    let Some(handshake) = handshake(&mut request) else {
        let hint = "the debug server knows /api/..., and WebSockets on any path";
        return (StatusCode::NOT_FOUND, Json(json!({"error": "Not found", "hint": hint}))).into_response();
    };
    if !admitted.permissions.allow(&[Permission::Admin]) {
        return Refused::Denied.into_response();
    }
    let response = handshake.response();
    let serving = Arc::clone(&hub);
    let work = async move { serve(handshake, serving, admitted).await };
    hub.tasks.spawn("debug session", hub.sessions.track_future(work));
    response
}

async fn serve(handshake: Handshake, hub: Arc<Hub>, admitted: Admitted) {
    let Some((stream, came)) = handshake.socket().await else { return };
    let (read, socket) = stream.into_split();
    let mut incoming = Incoming::new(read, came).await;
    incoming.limit(Some(MESSAGE_BYTES_MAX));
    let Some(place) = hub.places.take(admitted.who) else {
        Closing::ConnectionLimit.count(&hub.metrics);
        return close(incoming, socket, Outgoing::default(), Closing::ConnectionLimit).await;
    };
    let mut live = Live::new(hub, socket, place).await;
    let closing = live.serve(&mut incoming, admitted).await;
    closing.count(&live.hub.metrics);
    close(incoming, live.socket, live.outgoing, closing).await;
}

/// One connection.
struct Live {
    hub: Arc<Hub>,
    socket: WriteHalf,
    outgoing: Outgoing,
    subscription: Subscription,
    /// The goal that is played.
    player: Option<Box<Player>>,
    /// Whether the client was told that a scheduler is connected.
    connected: bool,
    /// Whether the socket takes nothing now.
    blocked: bool,
    /// The right to keep a page while the socket takes nothing.
    holding: Option<OwnedSemaphorePermit>,
    /// When the socket last took something, or had nothing to take.
    progress: Instant,
    ticks: u32,
    /// Whether the other side said anything since the last ping.
    heard: bool,
    _place: Place,
}

impl Live {
    async fn new(hub: Arc<Hub>, socket: WriteHalf, place: Place) -> Self {
        let subscription = Subscription::live(&hub, TraceFilter::default()).await;
        Self {
            hub,
            socket,
            outgoing: Outgoing::default(),
            subscription,
            player: None,
            connected: false,
            blocked: false,
            holding: None,
            progress: Instant::now(),
            ticks: 0,
            heard: true,
            _place: place,
        }
    }

    /// Works until there is a reason to close.
    async fn serve(&mut self, incoming: &mut Incoming, admitted: Admitted) -> Closing {
        let stopping = self.hub.stopping.clone();
        let mut token_ended = std::pin::pin!(end_of(admitted.grant, self.hub.clock.clone()));
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tell_status().await;
        loop {
            if self.write().is_err() {
                return Closing::Gone;
            }
            let is_idle = self.outgoing.is_empty() && !self.blocked;
            tokio::select! {
                () = stopping.cancelled() => return Closing::ShuttingDown,
                why = &mut token_ended => return Closing::TokenEnded(why),
                writable = self.socket.writable(), if !is_idle => {
                    if writable.is_err() {
                        return Closing::Gone;
                    }
                    self.blocked = false;
                }
                // Who does not read is not listened to: what it asks for would pile up.
                message = incoming.next(), if self.outgoing.bytes() < UNREAD_BYTES_MAX => {
                    if let Err(closing) = self.take(message).await {
                        return closing;
                    }
                }
                () = self.subscription.fill(), if is_idle => {}
                () = Player::due(self.player.as_deref()), if is_idle => self.play().await,
                _ = tick.tick() => {
                    if let Err(closing) = self.look_after().await {
                        return closing;
                    }
                }
            }
        }
    }

    /// Takes one message.
    async fn take(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Result<(), Closing> {
        self.heard = true;
        match message {
            Some(Ok(Message::Text(text))) => {
                self.hub.metrics.received(text.len());
                if let Some(task) = Asked::read(text.as_str()) {
                    self.work_on(task).await;
                }
                Ok(())
            }
            Some(Ok(Message::Ping(payload))) => {
                self.outgoing.push(control_frame(Opcode::Pong, &payload));
                Ok(())
            }
            Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
            Some(Ok(Message::Close(frame))) => Err(Closing::goodbye(frame.as_ref())),
            Some(Err(error)) => Err(Closing::of(&error)),
            None => Err(Closing::Gone),
        }
    }

    async fn work_on(&mut self, task: Task) {
        match task {
            Task::Show(filter) => self.subscription.show(filter),
            Task::Start { goal, speed } => {
                // First, so that its place is free.
                self.player = None;
                match Player::start(&self.hub, &goal, speed).await {
                    Ok(player) => self.player = Some(Box::new(player)),
                    Err(error) => self.tell(Err(error)),
                }
            }
            Task::Stop => self.player = None,
            Task::Play(command) => {
                let message = match &mut self.player {
                    Some(player) => player.command(command).await,
                    None => Err(PlayError::Nothing),
                };
                self.tell(message);
            }
        }
    }

    /// The next events of the goal that is played.
    async fn play(&mut self) {
        let Some(player) = &mut self.player else { return };
        let message = player.play().await;
        self.tell(message.map(Some));
    }

    fn tell(&mut self, message: Result<Option<Bytes>, PlayError>) {
        match message {
            Ok(message) => message.into_iter().for_each(|message| self.outgoing.push(message)),
            Err(error) => {
                tracing::info!(%error, "a goal is not played");
                self.player = None;
                self.push(&Told::Failed { error: error.to_string() });
            }
        }
    }

    /// Writes what there is, until the socket takes no more or nothing is left.
    fn write(&mut self) -> std::io::Result<()> {
        while !self.blocked {
            if self.outgoing.is_empty() {
                self.gather();
            }
            if self.outgoing.is_empty() {
                self.progress = Instant::now();
                self.holding = None;
                return Ok(());
            }
            let written = self.outgoing.write(&self.socket);
            self.hub.metrics.sent(self.outgoing.take_sent());
            if let Written::Blocked { some } = written? {
                if some {
                    self.progress = Instant::now();
                }
                self.blocked = true;
                self.hold_or_release();
            }
        }
        Ok(())
    }

    /// Takes debug events that are in memory.
    fn gather(&mut self) {
        while self.outgoing.bytes() < GATHERED_BYTES
            && let Some((row, trace)) = self.subscription.pop_row()
        {
            if let Some(event) = EnrichedEvent::of(row, &trace) {
                self.push(&Told::Event { data: Box::new(event) });
            }
        }
    }

    /// Of connections that keep a page while they do not read there is a limit, with those of the gateway.
    fn hold_or_release(&mut self) {
        if self.holding.is_some() || !self.subscription.has_page() {
            return;
        }
        match Arc::clone(&self.hub.holders).try_acquire_owned() {
            Ok(holding) => self.holding = Some(holding),
            Err(_) => self.subscription.release(),
        }
    }

    fn push(&mut self, message: &Told) {
        self.outgoing.push(json_frame(message));
    }

    async fn tell_status(&mut self) {
        // A trace that cannot be read is told by who asks for it.
        let Ok(status) = Status::look(&self.hub).await else { return };
        self.connected = status.gateway_connected;
        self.push(&Told::Status { data: status });
    }

    /// What is done each second: a socket that takes nothing, or says nothing, is not waited for without end.
    async fn look_after(&mut self) -> Result<(), Closing> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.blocked {
            let stalled = self.progress.elapsed();
            if stalled >= STALL_MAX {
                return Err(Closing::SlowConsumer);
            }
            if stalled >= PAGE_HELD_MAX {
                self.subscription.release();
                self.holding = None;
            }
            // A ping would stand behind what the socket does not take: its stall is what ends it.
            return Ok(());
        }
        if self.connected != self.hub.link.scheduler().is_some() {
            self.tell_status().await;
        }
        if self.ticks.is_multiple_of(TICKS_A_PING) {
            if !std::mem::take(&mut self.heard) {
                return Err(Closing::HeartbeatTimeout);
            }
            self.outgoing.push(control_frame(Opcode::Ping, &[]));
        }
        Ok(())
    }
}
