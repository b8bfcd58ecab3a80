//! The scheduler's stand-in: its lock, its log, its end of the link.

use std::path::PathBuf;

use anyhow::Context;
use pb_model::GoalId;
use pb_protocol::ipc::{self, Connect, Frame, LogAddress};
use pb_protocol::link_text::EventLine;
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{Batch, Cursor, EventRecord, Location, Log, NewEvent, Write};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

/// Bytes of filling, so that an event is a frame of about 333 bytes on the link.
const FILLING_BYTES: usize = 60;

/// How durable its commits are. Users have no choice: it is [`Sync::Full`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands::bench) enum Sync {
    Full,
    /// A power cut may lose the last ones: what durability costs.
    Normal,
}

/// A scheduler that only commits what it is told to.
#[derive(Debug)]
pub(in crate::commands::bench) struct StandIn {
    log: Log,
    home: Home,
    /// `None` while there is no gateway.
    link: Option<UnixStream>,
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
    pub(in crate::commands::bench) async fn start(home: &Home, sync: Sync) -> anyhow::Result<Self> {
        let ids = Ids::random(Clock::System);
        let lock = ProcessLock::acquire(&home.scheduler_lock(), Clock::System.now_ms())?;
        let (place, fresh) = (Location::File(home.state_db()), ids.uuid().simple().to_string());
        let log = match sync {
            Sync::Full => Log::open(place, fresh, None).await?,
            Sync::Normal => Log::open_normal(place, fresh).await?,
        };
        let goal = GoalId::from(ids.uuid());
        let lock_file = home.scheduler_lock();
        let mut stand_in = Self { log, home: home.clone(), link: None, goal, ids, lock_file, _lock: lock };
        stand_in.connect().await.context("no link to the gateway")?;
        Ok(stand_in)
    }

    async fn connect(&mut self) -> std::io::Result<()> {
        let identity = self.log.identity();
        let connect = Frame::Connect(Connect {
            client_type: ipc::CLIENT_TYPE.to_owned(),
            version: pb_runtime::VERSION.to_owned(),
            pid: std::process::id(),
            caps: vec![ipc::LOG_CAPABILITY.to_owned()],
            log: Some(LogAddress {
                id: identity.id.clone(),
                generation: identity.generation,
                schema: identity.schema,
                path: self.home.state_db().to_string_lossy().into_owned(),
            }),
        });
        let mut link = UnixStream::connect(self.home.gateway_socket()).await?;
        link.write_all(ipc::line(&connect, 0).as_bytes()).await?;
        self.link = Some(link);
        Ok(())
    }

    /// Commits events that carry the numbers from `first` on.
    pub(in crate::commands::bench) async fn commit(
        &self,
        first: u64,
        count: u64,
    ) -> anyhow::Result<Vec<EventRecord>> {
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
        Ok(self.log.commit(Batch { writes }).await?.events)
    }

    /// The cursor after which so many events follow.
    pub(in crate::commands::bench) async fn cursor_before_last(&self, events: u64) -> anyhow::Result<String> {
        let last = self.log.reader().last_pos().await?;
        Ok(Cursor::at(self.log.identity(), last.saturating_sub(events)).to_string())
    }

    /// Tells what was committed, if there is a gateway: it reads the log anyway.
    pub(in crate::commands::bench) async fn tell(&mut self, committed: &[EventRecord]) {
        let (generation, now) = (self.log.identity().generation, Clock::System.now_ms());
        let mut lines = Vec::new();
        for record in committed {
            let line = EventLine {
                pos: record.pos,
                timestamp: record.at_ms,
                goal_id: &record.goal,
                work_item_id: None,
                run_id: None,
                data: &record.data,
                generation,
                seq: record.seq,
                id: &record.id,
                kind: &record.kind,
            };
            line.write(&mut lines, now);
        }
        if self.link.is_none() && self.connect().await.is_err() {
            return;
        }
        let Some(link) = &mut self.link else { return };
        if link.write_all(&lines).await.is_err() {
            self.link = None;
        }
    }
}
