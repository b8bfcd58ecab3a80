//! The link to the gateway, from the scheduler's side: events go up after they are committed,
//! bells come down. Nothing waits for it and nothing depends on it: what is lost here is read
//! from the files. Deltas alone are in no file: of those, lost is lost.

mod backoff;
mod connection;
mod deltas;
mod diff;
mod levels;
mod outbox;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pb_protocol::debug::DebugEvent;
use pb_protocol::ipc::{self, DeltaKind, Frame, LogAddress, SchedulerCommandResult, SchedulerDelta};
use pb_protocol::link_text::{EventLine, PieceLines};
use pb_runtime::Clock;
use pb_store::{EventRecord, LogIdentity};
use serde::Deserialize;

use crate::commands::Bell;
use crate::service::Config;
use crate::turn::Executed;
use outbox::Queue;

pub(crate) use connection::run;
pub(crate) use deltas::{CallIds, DeltaStream, OutputStream, Saying};
pub(crate) use outbox::Outbox;

/// The loop's end of the link.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    outbox: Arc<Outbox>,
    dropped: Arc<AtomicU64>,
    clock: Clock,
    generation: u64,
}

/// The other end, for the task that holds the socket.
#[derive(Debug)]
pub(crate) struct LinkTask {
    pub(crate) config: Config,
    pub(crate) log: LogAddress,
    pub(crate) outbox: Arc<Outbox>,
    /// How many deltas were dropped since that was last told.
    pub(crate) dropped: Arc<AtomicU64>,
    pub(crate) bell: Bell,
}

/// The ids in what is told of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ToldIds<'a> {
    #[serde(borrow)]
    pub(crate) work_item_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) run_id: Option<Cow<'a, str>>,
}

impl<'a> ToldIds<'a> {
    /// Those of an event; what is told of a goal has none of them.
    pub(crate) fn of(record: &'a EventRecord) -> Self {
        serde_json::from_str(&record.data).unwrap_or_default()
    }
}

/// A link that is not connected yet.
pub(crate) fn link(config: Config, identity: &LogIdentity, bell: Bell) -> (Link, LinkTask) {
    let (outbox, dropped) = (Arc::new(Outbox::default()), Arc::new(AtomicU64::new(0)));
    let log = LogAddress {
        id: identity.id.clone(),
        generation: identity.generation,
        schema: identity.schema,
        path: config.db.to_string_lossy().into_owned(),
    };
    let link = Link {
        outbox: Arc::clone(&outbox),
        dropped: Arc::clone(&dropped),
        clock: config.clock.clone(),
        generation: identity.generation,
    };
    (link, LinkTask { config, log, outbox, dropped, bell })
}

impl Link {
    /// Pushes a committed event. Skipped when the socket does not keep up: the gateway reads the log. False
    /// when it was.
    pub(crate) fn event(&self, record: &EventRecord) -> bool {
        let ids = ToldIds::of(record);
        let event = EventLine {
            pos: record.pos,
            timestamp: record.at_ms,
            goal_id: &record.goal,
            work_item_id: ids.work_item_id.as_deref(),
            run_id: ids.run_id.as_deref(),
            data: &record.data,
            generation: self.generation,
            seq: record.seq,
            id: &record.id,
            kind: &record.kind,
        };
        let now = self.clock.now_ms();
        self.outbox.push(Queue::Facts, |out| event.write(out, now))
    }

    /// Tells that a command was executed. Skipped as events are: the gateway looks each second.
    pub(crate) fn executed(&self, executed: Executed) {
        let result = SchedulerCommandResult {
            request_id: executed.id,
            success: executed.error.is_none(),
            error: executed.error,
        };
        self.frame(Queue::Facts, &Frame::SchedulerCommandResult(result));
    }

    /// Sends a piece of what a model says or a tool prints. Never waits; dropped, and counted, when the
    /// socket does not keep up. False when it was.
    pub(crate) fn piece(&self, lines: &PieceLines, piece: (DeltaKind, &str, u64)) -> bool {
        let now = self.clock.now_ms();
        let is_taken = self.outbox.push(Queue::Deltas, |out| lines.write(out, now, piece));
        if !is_taken {
            self.delta_dropped();
        }
        is_taken
    }

    /// The same of any other delta.
    fn delta(&self, delta: SchedulerDelta) {
        if !self.frame(Queue::Deltas, &Frame::SchedulerDelta(Box::new(delta))) {
            self.delta_dropped();
        }
    }

    /// Pushes a debug event that stands in the trace. Not even made when the socket does not keep up: those
    /// before it ring just as well.
    pub(crate) fn debug(&self, event: impl FnOnce() -> Option<DebugEvent>) {
        let now = self.clock.now_ms();
        self.outbox.push(Queue::Debug, |out| {
            if let Some(event) = event() {
                out.extend_from_slice(ipc::line(&Frame::DebugEvent(Box::new(event)), now).as_bytes());
            }
        });
    }

    fn frame(&self, queue: Queue, frame: &Frame) -> bool {
        let text = ipc::line(frame, self.clock.now_ms());
        self.outbox.push(queue, |out| out.extend_from_slice(text.as_bytes()))
    }

    /// Counts a delta that was made and not sent.
    fn delta_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
impl LinkTask {
    /// What is sent waits from here on, for nobody.
    pub(crate) fn be_connected(&self) {
        self.outbox.open();
    }

    /// What waits to be sent.
    pub(crate) fn waiting(&self) -> Vec<Frame> {
        let mut lines = Vec::new();
        self.outbox.take(&mut lines);
        let lines = String::from_utf8(lines).unwrap();
        lines.lines().map(|line| ipc::parse(line).unwrap().unwrap()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pb_protocol::line::LineReader;
    use pb_runtime::{Home, Ids};
    use tokio::net::{UnixListener, UnixStream};
    use tokio_util::sync::CancellationToken;

    use super::deltas::{CallIds, DeltaStream, Saying};
    use super::*;

    /// A link in `folder`, and the task that would hold its socket.
    pub(super) fn at(folder: &Path) -> (Link, LinkTask) {
        let home = Home::at(folder).unwrap();
        let config = Config {
            db: home.state_db(),
            socket: home.gateway_socket(),
            exe: "pb".into(),
            clock: Clock::System,
            ids: Ids::random(Clock::System),
            home,
        };
        let identity = LogIdentity { id: "log".to_owned(), generation: 1, incarnation: 1, schema: 1 };
        link(config, &identity, Bell::default())
    }

    /// A link whose frames wait for ever.
    pub(super) fn loose() -> (Link, LinkTask) {
        let (link, task) = at(Path::new("/tmp"));
        task.be_connected();
        (link, task)
    }

    #[tokio::test]
    async fn deltas_cross_the_socket_and_those_for_nobody_are_let_go() {
        let folder = tempfile::Builder::new().prefix("pb").tempdir_in("/tmp").unwrap();
        let (link, task) = at(folder.path());
        let socket = task.config.socket.clone();
        let call = CallIds {
            goal: "goal_00000000000000000000000000000001".parse().unwrap(),
            item: "item_00000000000000000000000000000002".parse().ok(),
            run: "run_00000000000000000000000000000003".parse().unwrap(),
            request: "request".to_owned(),
        };
        let stop = CancellationToken::new();
        let running = run(task, stop.clone());
        let test = async {
            // More than would wait; without a gateway they are let go.
            let mut lost = DeltaStream::start(link.clone(), call.clone(), "lost");
            for _ in 0..2 * Queue::Deltas.bytes_max() / 4096 {
                lost.push(Saying::Text, &"x".repeat(4096));
                tokio::task::yield_now().await;
            }
            drop(lost);
            let (stream, _) = UnixListener::bind(socket).unwrap().accept().await.unwrap();
            let mut lines = LineReader::new(stream);
            let mut told = vec![frame(&mut lines).await];
            let mut stream = DeltaStream::start(link.clone(), call, "m");
            stream.push(Saying::Text, "你好");
            stream.end(Some(3), "stop");
            while told.len() < 4 {
                told.push(frame(&mut lines).await);
            }
            stop.cancel();
            told
        };
        let both =
            tokio::time::timeout(std::time::Duration::from_secs(20), async { tokio::join!(running, test) });
        let ((), told) = both.await.unwrap();
        assert_eq!(told, ["Connect", "Start None", "Text Some(\"你好\")", "End None"]);
    }

    async fn frame(lines: &mut LineReader<UnixStream>) -> String {
        let line = lines.next().await.unwrap().unwrap().unwrap();
        match ipc::parse(line).unwrap().unwrap() {
            Frame::SchedulerDelta(delta) => format!("{:?} {:?}", delta.kind, delta.chunk),
            Frame::Connect(_) => "Connect".to_owned(),
            other => panic!("{other:?}"),
        }
    }
}
