//! One connection on the link.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use pb_protocol::ipc::{self, Frame, Refused, SchedulerCommand, SchedulerEvent};
use pb_protocol::line::LineDecoder;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_util::codec::FramedRead;

use super::Scheduler;
use super::admission::{self, Refusal};
use crate::deltas;
use crate::hub::Hub;

/// How long a connection may take to say `connect`.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long the other side may leave our few bytes unread.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// How often it is asked whether it is there.
const PING_EVERY: Duration = Duration::from_millis(ipc::PING_INTERVAL_MS);
/// After how long without a word it is dropped.
const SILENCE_MAX: Duration = Duration::from_millis(ipc::SILENCE_MAX_MS);

type Lines = FramedRead<OwnedReadHalf, LineDecoder>;

/// Serves a connection to its end.
pub(super) async fn serve(hub: Arc<Hub>, stream: UnixStream, number: u64) {
    let who = admission::who(&hub, &stream);
    let (read, mut write) = stream.into_split();
    let mut lines = FramedRead::new(read, LineDecoder::default());
    let admitted = match who {
        Ok(pid) => connect(&hub, &mut lines).await.map(|version| Scheduler { number, pid, version }),
        Err(refusal) => Err(refusal),
    };
    let scheduler = match admitted {
        Ok(scheduler) => scheduler,
        Err(refusal) => {
            let error = refusal.to_string();
            tracing::warn!(error, "a connection on the link is refused");
            // It may be gone already; then there is nobody to tell.
            let _ = send(&hub, &mut write, &Frame::Refused(Refused { error })).await;
            return;
        }
    };
    tracing::info!(pid = scheduler.pid, version = scheduler.version, "the scheduler is connected");
    let mut connection = Connection {
        replaced: hub.link.scheduler.subscribe(),
        bell: hub.link.bell.subscribe(),
        number,
        heard: Instant::now(),
        write,
        hub,
    };
    connection.hub.link.arrived(scheduler);
    let why = connection.work(&mut lines).await;
    connection.hub.link.left(number);
    tracing::info!(why, "the scheduler is disconnected");
}

/// Waits for `connect` and checks it; gives the scheduler's version.
async fn connect(hub: &Hub, lines: &mut Lines) -> Result<String, Refusal> {
    let first = timeout(CONNECT_MAX, lines.next()).await.map_err(|_| Refusal::NoConnect)?;
    let Some(Ok(Ok(line))) = first else {
        return Err(Refusal::NoConnect);
    };
    let Ok(Some(Frame::Connect(connect))) = ipc::parse(&line) else {
        return Err(Refusal::NoConnect);
    };
    let version = connect.version.clone();
    admission::log(hub, connect).await?;
    Ok(version)
}

async fn send(hub: &Hub, write: &mut OwnedWriteHalf, frame: &Frame) -> std::io::Result<()> {
    let line = ipc::line(frame, hub.clock.now_ms());
    timeout(WRITE_MAX, write.write_all(line.as_bytes())).await?
}

/// The scheduler's connection.
struct Connection {
    hub: Arc<Hub>,
    number: u64,
    write: OwnedWriteHalf,
    replaced: watch::Receiver<Option<Scheduler>>,
    bell: watch::Receiver<Option<SchedulerCommand>>,
    /// When it last said something.
    heard: Instant,
}

impl Connection {
    /// Works until there is a reason to stop, and gives it.
    async fn work(&mut self, lines: &mut Lines) -> &'static str {
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        // What was rung between its own first look and this moment is rung again.
        self.bell.mark_changed();
        loop {
            let frame = tokio::select! {
                line = lines.next() => match line {
                    Some(Ok(Ok(line))) => {
                        self.heard = Instant::now();
                        if !self.take(&line) {
                            return "it said goodbye";
                        }
                        continue;
                    }
                    Some(Ok(Err(bad))) => {
                        tracing::warn!(%bad, "a line of the link is skipped");
                        continue;
                    }
                    Some(Err(_)) | None => return "the connection ended",
                },
                _ = self.bell.changed() => match self.bell.borrow_and_update().clone() {
                    Some(command) => Frame::SchedulerCommand(command),
                    None => continue,
                },
                _ = ping.tick() => Frame::Ping,
                () = sleep_until(self.heard + SILENCE_MAX) => return "it was silent for too long",
                () = replaced(&mut self.replaced, self.number) => return "a new connection took its place",
            };
            if send(&self.hub, &mut self.write, &frame).await.is_err() {
                return "it does not read";
            }
        }
    }

    /// Takes a line; false when it was the last one.
    fn take(&self, line: &str) -> bool {
        match ipc::parse(line) {
            Ok(Some(Frame::SchedulerEvent(event))) => self.heard_of(&event),
            Ok(Some(Frame::SchedulerDelta(delta))) if line.len() <= deltas::LINE_BYTES_MAX => {
                self.hub.deltas.offer(*delta, self.hub.clock.now_ms());
            }
            Ok(Some(Frame::SchedulerDelta(_))) => tracing::warn!("a delta that is too long is skipped"),
            Ok(Some(Frame::SchedulerCommandResult(result))) => {
                self.hub.link.waiters.wake(&result.request_id);
            }
            Ok(Some(Frame::Disconnect(_))) => return false,
            Ok(
                Some(
                    Frame::Connect(_)
                    | Frame::Ping
                    | Frame::Pong
                    | Frame::SchedulerCommand(_)
                    | Frame::Refused(_),
                )
                | None,
            ) => {}
            Err(error) => tracing::warn!(%error, "a line of the link is skipped"),
        }
        true
    }

    /// Rings, if the event could be one that is not known yet. What the event says is not believed: clients
    /// are told what the log says.
    fn heard_of(&self, event: &SchedulerEvent) {
        if event.pos.is_none_or(|pos| pos > self.hub.feed.last_pos()) {
            self.hub.feed.bell();
        }
    }
}

/// Waits until another connection is the scheduler's.
async fn replaced(scheduler: &mut watch::Receiver<Option<Scheduler>>, number: u64) {
    let other = |now: &Option<Scheduler>| now.as_ref().is_none_or(|now| now.number != number);
    // The hub holds the sender for as long as there are connections.
    let _ = scheduler.wait_for(other).await;
}
