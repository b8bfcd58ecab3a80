//! The link to the gateway, from the scheduler's side: events go up after they are committed,
//! bells come down. Nothing waits for it and nothing depends on it: what is lost here is read
//! from the files. Deltas alone are in no file: of those, lost is lost.

mod backoff;
mod connection;
mod deltas;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pb_protocol::debug::DebugEvent;
use pb_protocol::event::link_type;
use pb_protocol::ipc::{Frame, LogAddress, SchedulerCommandResult, SchedulerDelta, SchedulerEvent};
use pb_store::{EventRecord, LogIdentity};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::commands::Bell;
use crate::service::Config;
use crate::turn::Executed;

pub(crate) use connection::run;
pub(crate) use deltas::{CallIds, DeltaStream, OutputStream, Saying};

/// Frames that wait for the socket; when it is full, frames are skipped and the gateway reads the log.
const FRAMES_WAITING_MAX: usize = 1024;
/// Deltas that wait for the socket, in a queue of their own so that they cost no event its place; when
/// it is full, further ones are dropped.
const DELTAS_WAITING_MAX: usize = 256;

/// Debug events that wait for the socket, in a queue of their own as well. When it is full, further ones are
/// skipped: those before them ring just as well.
const DEBUG_WAITING_MAX: usize = 256;

/// The loop's end of the link.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    frames: mpsc::Sender<Frame>,
    deltas: mpsc::Sender<SchedulerDelta>,
    debug: mpsc::Sender<DebugEvent>,
    dropped: Arc<AtomicU64>,
    generation: u64,
}

/// The other end, for the task that holds the socket.
#[derive(Debug)]
pub(crate) struct LinkTask {
    pub(crate) config: Config,
    pub(crate) log: LogAddress,
    pub(crate) frames: mpsc::Receiver<Frame>,
    pub(crate) deltas: mpsc::Receiver<SchedulerDelta>,
    pub(crate) debug: mpsc::Receiver<DebugEvent>,
    /// How many deltas were dropped since that was last told.
    pub(crate) dropped: Arc<AtomicU64>,
    pub(crate) bell: Bell,
}

/// The ids in what is told of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToldIds<'a> {
    #[serde(borrow)]
    work_item_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    run_id: Option<Cow<'a, str>>,
}

/// A link that is not connected yet.
pub(crate) fn link(config: Config, identity: &LogIdentity, bell: Bell) -> (Link, LinkTask) {
    let (frames_sender, frames) = mpsc::channel(FRAMES_WAITING_MAX);
    let (deltas_sender, deltas) = mpsc::channel(DELTAS_WAITING_MAX);
    let (debug_sender, debug) = mpsc::channel(DEBUG_WAITING_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let log = LogAddress {
        id: identity.id.clone(),
        generation: identity.generation,
        schema: identity.schema,
        path: config.db.to_string_lossy().into_owned(),
    };
    let link = Link {
        frames: frames_sender,
        deltas: deltas_sender,
        debug: debug_sender,
        dropped: Arc::clone(&dropped),
        generation: identity.generation,
    };
    (link, LinkTask { config, log, frames, deltas, debug, dropped, bell })
}

impl Link {
    /// Pushes a committed event. Skipped when the socket does not keep up.
    pub(crate) fn event(&self, record: &EventRecord) {
        let Ok(data) = RawValue::from_string(record.data.clone()) else {
            return;
        };
        // What is told of a goal has none of them.
        let ids: ToldIds<'_> = serde_json::from_str(&record.data).unwrap_or_default();
        let event = SchedulerEvent {
            r#type: link_type(&record.kind),
            timestamp: record.at_ms,
            goal_id: Some(record.goal.clone()),
            work_item_id: ids.work_item_id.map(Cow::into_owned),
            run_id: ids.run_id.map(Cow::into_owned),
            data: Some(data),
            pos: Some(record.pos),
            generation: Some(self.generation),
            seq: Some(record.seq),
            id: Some(record.id.clone()),
            kind: Some(record.kind.clone()),
        };
        let _ = self.frames.try_send(Frame::SchedulerEvent(Box::new(event))); // Full: the gateway reads the log.
    }

    /// Sends a piece of what a model says or a tool prints. Never waits; dropped, and counted, when the
    /// socket does not keep up.
    pub(crate) fn delta(&self, delta: SchedulerDelta) {
        if self.deltas.try_send(delta).is_err() {
            self.delta_dropped();
        }
    }

    /// Pushes a debug event that stands in the trace. Not even made when the socket does not keep up: the
    /// gateway reads the trace.
    pub(crate) fn debug(&self, event: impl FnOnce() -> Option<DebugEvent>) {
        if let Ok(place) = self.debug.try_reserve()
            && let Some(event) = event()
        {
            place.send(event);
        }
    }

    /// Counts a delta that was made and not sent.
    fn delta_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells that a command was executed.
    pub(crate) fn executed(&self, executed: Executed) {
        let result = SchedulerCommandResult {
            request_id: executed.id,
            success: executed.error.is_none(),
            error: executed.error,
        };
        let _ = self.frames.try_send(Frame::SchedulerCommandResult(result)); // Full: the gateway looks each second.
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::StreamExt;
    use pb_protocol::ipc;
    use pb_protocol::line::LineDecoder;
    use pb_runtime::{Clock, Home, Ids};
    use tokio::net::UnixListener;
    use tokio_util::codec::FramedRead;
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

    /// A link that is never connected.
    pub(super) fn loose() -> (Link, LinkTask) {
        at(Path::new("/tmp"))
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
            // More than wait; without a gateway they are let go.
            let mut lost = DeltaStream::start(link.clone(), call.clone(), "lost");
            for _ in 0..2 * DELTAS_WAITING_MAX {
                lost.push(Saying::Text, &"x".repeat(4096));
                tokio::task::yield_now().await;
            }
            drop(lost);
            while link.deltas.capacity() < DELTAS_WAITING_MAX {
                tokio::task::yield_now().await;
            }
            let (stream, _) = UnixListener::bind(socket).unwrap().accept().await.unwrap();
            let mut lines = FramedRead::new(stream, LineDecoder::default());
            let mut told = Vec::new();
            let mut stream = DeltaStream::start(link.clone(), call, "m");
            stream.push(Saying::Text, "你好");
            stream.end(Some(3), "stop");
            while told.len() < 4 {
                let next = lines.next().await.unwrap().unwrap().unwrap();
                told.push(match ipc::parse(&next).unwrap().unwrap() {
                    Frame::SchedulerDelta(delta) => format!("{:?} {:?}", delta.kind, delta.chunk),
                    Frame::Connect(_) => "Connect".to_owned(),
                    other => panic!("{other:?}"),
                });
            }
            stop.cancel();
            told
        };
        let both =
            tokio::time::timeout(std::time::Duration::from_secs(20), async { tokio::join!(running, test) });
        let ((), told) = both.await.unwrap();
        assert_eq!(told, ["Connect", "Start None", "Text Some(\"你好\")", "End None"]);
    }
}
