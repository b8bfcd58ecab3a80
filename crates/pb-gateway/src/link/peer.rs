//! One connection on the link.

use std::sync::Arc;
use std::time::Duration;

use pb_protocol::ipc::{
    self, Connect, Frame, GoalDiff, LogLevels, Refused, SchedulerCommand, SchedulerEvent,
};
use pb_protocol::line::{BadLine, LineReader};
use pb_protocol::link_text::{Glance, glance};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use super::admission::{self, Refusal};
use super::{Connected, Scheduler, legacy, questions};
use crate::deltas;
use crate::hub::Hub;

/// How long a connection may take to say `connect`.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long the other side may leave our few bytes unread.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// How often it is asked whether it is there.
const PING_EVERY: Duration = Duration::from_millis(ipc::PING_INTERVAL_MS);
/// Lines taken before anything else has its turn.
const LINES_AT_ONCE_MAX: usize = 256;
/// After how long without a word it is dropped.
const SILENCE_MAX: Duration = Duration::from_millis(ipc::SILENCE_MAX_MS);

type Lines = LineReader<OwnedReadHalf>;

/// Serves a connection to its end.
pub(super) async fn serve(hub: Arc<Hub>, stream: UnixStream, number: u64) {
    let who = admission::user(&stream);
    let (read, mut write) = stream.into_split();
    let mut lines = LineReader::new(read);
    let admitted = match who {
        Ok(pid) => admit(&hub, &mut lines, pid).await,
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
    let Scheduler { pid, ref version, keeps_log } = scheduler;
    tracing::info!(pid, version, keeps_log, "a scheduler is connected");
    let mut connection = Connection {
        connected: hub.link.connected.subscribe(),
        bell: hub.link.bell.subscribe(),
        levels: hub.link.levels.listen(),
        diffs: hub.link.diffs.listen(),
        number,
        keeps_log,
        heard: Instant::now(),
        lines: 0,
        write,
        hub,
    };
    connection.hub.link.arrived(number, scheduler);
    let why = connection.work(&mut lines).await;
    connection.hub.link.left(number);
    tracing::info!(pid, why, lines = connection.lines, "a scheduler is disconnected");
}

/// Finds out who it is, and whether it may be what it says.
async fn admit(hub: &Hub, lines: &mut Lines, pid: i32) -> Result<Scheduler, Refusal> {
    if !hub.legacy_peers {
        admission::holder(hub, pid)?;
    }
    let connect = connect(lines).await?;
    admission::role(&connect)?;
    let keeps_log = match connect.kept_log() {
        Some(log) => {
            admission::holder(hub, pid)?;
            admission::log(hub, log).await?;
            true
        }
        None if hub.legacy_peers => false,
        None => return Err(Refusal::NoLog),
    };
    Ok(Scheduler { pid: pid.cast_unsigned(), version: connect.version, keeps_log })
}

/// Waits for `connect`.
async fn connect(lines: &mut Lines) -> Result<Connect, Refusal> {
    let first = timeout(CONNECT_MAX, lines.next()).await.map_err(|_| Refusal::NoConnect)?;
    let Ok(Some(Ok(line))) = first else {
        return Err(Refusal::NoConnect);
    };
    let Ok(Some(Frame::Connect(connect))) = ipc::parse(line) else {
        return Err(Refusal::NoConnect);
    };
    Ok(connect)
}

async fn send(hub: &Hub, write: &mut OwnedWriteHalf, frame: &Frame) -> std::io::Result<()> {
    let line = ipc::line(frame, hub.clock.now_ms());
    timeout(WRITE_MAX, write.write_all(line.as_bytes())).await?
}

/// A scheduler's connection.
struct Connection {
    hub: Arc<Hub>,
    number: u64,
    keeps_log: bool,
    write: OwnedWriteHalf,
    connected: watch::Receiver<Connected>,
    bell: watch::Receiver<Option<SchedulerCommand>>,
    levels: broadcast::Receiver<LogLevels>,
    diffs: broadcast::Receiver<GoalDiff>,
    /// When it last said something.
    heard: Instant,
    /// How many lines it said.
    lines: u64,
}

impl Connection {
    /// Works until there is a reason to stop, and gives it.
    async fn work(&mut self, lines: &mut Lines) -> &'static str {
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        // What was rung between its own first look and this moment is rung again.
        self.bell.mark_changed();
        loop {
            let frame = tokio::select! {
                line = lines.next() => {
                    let Ok(Some(line)) = line else { return "the connection ended" };
                    self.heard = Instant::now();
                    let mut goes_on = self.take(line);
                    for _ in 1..LINES_AT_ONCE_MAX {
                        let Some(line) = lines.next_read().filter(|_| goes_on) else { break };
                        goes_on = self.take(line);
                    }
                    if !goes_on {
                        return "it said goodbye";
                    }
                    continue;
                }
                _ = self.bell.changed(), if self.keeps_log => match self.bell.borrow_and_update().clone() {
                    Some(command) => Frame::SchedulerCommand(command),
                    None => continue,
                },
                question = questions::next(&mut self.levels), if self.keeps_log => Frame::LogLevels(question),
                question = questions::next(&mut self.diffs), if self.keeps_log => Frame::GoalDiff(question),
                _ = ping.tick() => Frame::Ping,
                () = sleep_until(self.heard + SILENCE_MAX) => return "it was silent for too long",
                () = replaced(&mut self.connected, self.number) => return "a new connection took its place",
            };
            if send(&self.hub, &mut self.write, &frame).await.is_err() {
                return "it does not read";
            }
        }
    }

    /// Takes a line; false when it was the last one.
    fn take(&mut self, line: Result<&str, BadLine>) -> bool {
        self.lines += 1;
        let line = match line {
            Ok(line) => line,
            Err(bad) => {
                tracing::warn!(%bad, "a line of the link is skipped");
                return true;
            }
        };
        // There are many of these, and most of what they say is for nobody.
        match glance(line) {
            Some(Glance::Event { pos }) if self.keeps_log => self.heard_of(Some(pos)),
            Some(Glance::Delta) if !self.hub.deltas.are_heard() => {}
            _ => return self.read(line),
        }
        true
    }

    /// Reads a line; false when it was the last one.
    fn read(&self, line: &str) -> bool {
        match ipc::parse(line) {
            Ok(Some(Frame::SchedulerEvent(event))) if self.keeps_log => self.heard_of(event.pos),
            Ok(Some(Frame::SchedulerEvent(event))) => self.show(&event),
            Ok(Some(Frame::SchedulerDelta(delta))) if line.len() <= deltas::LINE_BYTES_MAX => {
                self.hub.deltas.offer(*delta, self.hub.clock.now_ms());
            }
            Ok(Some(Frame::DebugEvent(event))) => self.hub.debug.ring(event.pos),
            Ok(Some(Frame::SchedulerDelta(_))) => tracing::warn!("a delta that is too long is skipped"),
            Ok(Some(Frame::SchedulerCommandResult(result))) => {
                self.hub.link.waiters.wake(&result.request_id);
            }
            Ok(Some(Frame::LogLevelsTold(told))) => {
                self.hub.link.levels.answered(&told.request_id.clone(), *told);
            }
            Ok(Some(Frame::GoalDiffTold(told))) => {
                self.hub.link.diffs.answered(&told.request_id.clone(), *told);
            }
            Ok(Some(Frame::Disconnect(_))) => return false,
            Ok(
                Some(
                    Frame::Connect(_)
                    | Frame::Ping
                    | Frame::Pong
                    | Frame::SchedulerCommand(_)
                    | Frame::LogLevels(_)
                    | Frame::GoalDiff(_)
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
    fn heard_of(&self, pos: Option<u64>) {
        if pos.is_none_or(|pos| pos > self.hub.feed.last_pos()) {
            self.hub.feed.bell();
        }
    }

    /// Shows an event that is in no log.
    fn show(&self, event: &SchedulerEvent) {
        let Some(frame) = legacy::frame(event) else {
            tracing::warn!(name = event.r#type, "an event of no known name is dropped");
            return;
        };
        self.hub.deltas.show(event.goal_id.clone().unwrap_or_default(), frame);
    }
}

/// Waits until another connection took the place of this one.
async fn replaced(connected: &mut watch::Receiver<Connected>, number: u64) {
    // The hub holds the sender for as long as there are connections.
    let _ = connected.wait_for(|connected| !connected.contains_key(&number)).await;
}
