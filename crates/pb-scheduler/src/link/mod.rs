//! The link to the gateway, from the scheduler's side: events go up after they are committed,
//! bells come down. Nothing waits for it and nothing depends on it: what is lost here is read
//! from the files.

mod connection;

use pb_protocol::event::link_type;
use pb_protocol::ipc::{Frame, LogAddress, SchedulerCommandResult, SchedulerEvent};
use pb_store::{EventRecord, LogIdentity};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::commands::Bell;
use crate::service::Config;
use crate::turn::Executed;

pub(crate) use connection::run;

/// Frames that wait for the socket; when it is full, frames are skipped and the gateway reads the log.
const FRAMES_WAITING_MAX: usize = 1024;

/// The loop's end of the link.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    frames: mpsc::Sender<Frame>,
    generation: u64,
}

/// The other end, for the task that holds the socket.
#[derive(Debug)]
pub(crate) struct LinkTask {
    pub(crate) config: Config,
    pub(crate) log: LogAddress,
    pub(crate) frames: mpsc::Receiver<Frame>,
    pub(crate) bell: Bell,
}

/// A link that is not connected yet.
pub(crate) fn link(config: Config, identity: &LogIdentity, bell: Bell) -> (Link, LinkTask) {
    let (sender, frames) = mpsc::channel(FRAMES_WAITING_MAX);
    let log = LogAddress {
        id: identity.id.clone(),
        generation: identity.generation,
        schema: identity.schema,
        path: config.db.to_string_lossy().into_owned(),
    };
    (Link { frames: sender, generation: identity.generation }, LinkTask { config, log, frames, bell })
}

impl Link {
    /// Pushes a committed event. Skipped when the socket does not keep up.
    pub(crate) fn event(&self, record: &EventRecord) {
        let Ok(data) = RawValue::from_string(record.data.clone()) else {
            return;
        };
        let id = |name: &str| {
            let value: serde_json::Value = serde_json::from_str(&record.data).ok()?;
            value.get(name)?.as_str().map(str::to_owned)
        };
        let event = SchedulerEvent {
            r#type: link_type(&record.kind),
            timestamp: record.at_ms,
            goal_id: Some(record.goal.clone()),
            work_item_id: id("workItemId"),
            run_id: id("runId"),
            data: Some(data),
            pos: Some(record.pos),
            generation: Some(self.generation),
            seq: Some(record.seq),
            id: Some(record.id.clone()),
            kind: Some(record.kind.clone()),
        };
        let _ = self.frames.try_send(Frame::SchedulerEvent(Box::new(event))); // Full: the gateway reads the log.
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
