//! The scheduler's stand-in: its lock, its log, its end of the link.

use std::path::PathBuf;

use anyhow::Context;
use pb_model::GoalId;
use pb_protocol::event;
use pb_protocol::ipc::{self, Connect, Frame, LogAddress, SchedulerEvent};
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{Batch, Cursor, Location, Log, NewEvent, Write};
use serde_json::value::RawValue;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

/// Bytes of filling, so that an event is a frame of about 333 bytes on the link.
const FILLING_BYTES: usize = 60;

/// A scheduler that only commits what it is told to.
#[derive(Debug)]
pub(super) struct StandIn {
    log: Log,
    link: UnixStream,
    goal: GoalId,
    ids: Ids,
    lock_file: PathBuf,
    _lock: ProcessLock,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It names this process, which `pb stop` would end.
        let _ = std::fs::remove_file(&self.lock_file);
    }
}

impl StandIn {
    /// Takes the lock, makes a log and connects to the gateway.
    pub(super) async fn start(home: &Home) -> anyhow::Result<Self> {
        let ids = Ids::random(Clock::System);
        let lock = ProcessLock::acquire(&home.scheduler_lock(), Clock::System.now_ms())?;
        let fresh = ids.uuid().simple().to_string();
        let log = Log::open(Location::File(home.state_db()), fresh, None).await?;
        let identity = log.identity();
        let connect = Frame::Connect(Connect {
            client_type: ipc::CLIENT_TYPE.to_owned(),
            version: pb_runtime::VERSION.to_owned(),
            pid: std::process::id(),
            caps: vec!["log".to_owned()],
            log: Some(LogAddress {
                id: identity.id.clone(),
                generation: identity.generation,
                schema: identity.schema,
                path: home.state_db().to_string_lossy().into_owned(),
            }),
        });
        let mut link = UnixStream::connect(home.gateway_socket()).await.context("no link to the gateway")?;
        link.write_all(ipc::line(&connect, 0).as_bytes()).await?;
        let goal = GoalId::from(ids.uuid());
        Ok(Self { log, link, goal, ids, lock_file: home.scheduler_lock(), _lock: lock })
    }

    /// Commits events that carry the numbers from `first` on.
    pub(super) async fn commit(&self, first: u64, count: u64) -> anyhow::Result<Vec<String>> {
        let now = Clock::System.now_ms();
        let events = (first..first + count).map(|number| NewEvent {
            id: self.ids.uuid().simple().to_string(),
            at_ms: now,
            kind: "run.completed".to_owned(),
            body: "{}".to_owned(),
            data: format!(
                r#"{{"n":{number},"goalId":"{}","success":true,"filling":"{}"}}"#,
                self.goal,
                "x".repeat(FILLING_BYTES)
            ),
        });
        let writes = vec![Write::Events { goal: self.goal, events: events.collect() }];
        let committed = self.log.commit(Batch { writes }).await?;
        let generation = self.log.identity().generation;
        let line = |record: pb_store::EventRecord| {
            let event = SchedulerEvent {
                r#type: event::link_type(&record.kind),
                timestamp: record.at_ms,
                goal_id: Some(record.goal),
                work_item_id: None,
                run_id: None,
                data: RawValue::from_string(record.data).ok(),
                pos: Some(record.pos),
                generation: Some(generation),
                seq: Some(record.seq),
                id: Some(record.id),
                kind: Some(record.kind),
            };
            ipc::line(&Frame::SchedulerEvent(Box::new(event)), now)
        };
        Ok(committed.events.into_iter().map(line).collect())
    }

    /// The cursor after which so many events follow.
    pub(super) async fn cursor_before_last(&self, events: u64) -> anyhow::Result<String> {
        let last = self.log.reader().last_pos().await?;
        Ok(Cursor::at(self.log.identity(), last.saturating_sub(events)).to_string())
    }

    /// Tells what was committed.
    pub(super) async fn tell(&mut self, lines: &[String]) -> anyhow::Result<()> {
        self.link.write_all(lines.concat().as_bytes()).await.context("the link broke")
    }
}
