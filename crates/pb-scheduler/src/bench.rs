//! The scheduler's end of the link and nothing else of a scheduler, for `cargo xtask bench link`.

use std::sync::Arc;
use std::time::Duration;

use pb_model::{GoalId, RunId};
use pb_protocol::ipc::{DeltaKind, SchedulerDelta};
use pb_protocol::link_text::PieceLines;
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{EventRecord, Location, Log};
use tokio_util::sync::CancellationToken;

use crate::commands::Bell;
use crate::link::{self, Link, LinkTask, Outbox};
use crate::service::{Config, StartError};

/// How often it is looked whether there is a connection.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Events that stand in the log, as far as the gateway can tell: each rings its bell.
    Event,
    /// Pieces of what a model says.
    Piece,
}

/// A scheduler that has its home, and does nothing but send.
#[derive(Debug)]
pub struct Sender {
    link: Link,
    task: LinkTask,
    _log: Log,
    _lock: ProcessLock,
}

impl Sender {
    /// Takes the home, of which no scheduler may run.
    ///
    /// # Errors
    /// The home is taken, or its log cannot be opened.
    pub async fn start(home: Home) -> Result<Self, StartError> {
        let ids = Ids::random(Clock::System);
        let lock = ProcessLock::acquire(&home.scheduler_lock(), Clock::System.now_ms())?;
        let log = Log::open(Location::File(home.state_db()), "bench".to_owned(), None).await?;
        let (db, socket) = (home.state_db(), home.gateway_socket());
        let config = Config { db, socket, exe: "pb".into(), clock: Clock::System, ids, home };
        let (link, task) = link::link(config, log.identity(), Bell::default());
        Ok(Self { link, task, _log: log, _lock: lock })
    }

    /// Sends so many messages, whose lines have about so many bytes, and says goodbye. `began` is told when
    /// there is a connection.
    pub async fn send(self, message: Message, (count, bytes): (u64, usize), began: impl FnOnce()) {
        let Self { link, task, .. } = self;
        let outbox = Arc::clone(&task.outbox);
        let stop = CancellationToken::new();
        let sending = async {
            while !outbox.is_open() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            began();
            let mut messages = Messages::new((&link, &outbox), message, bytes);
            for n in 0..count {
                while !messages.send(n) {
                    // The link is in this task too: now it writes, and waits for the socket if need be.
                    outbox.taken().await;
                }
            }
            stop.cancel();
        };
        tokio::join!(link::run(task, stop.clone()), sending);
    }
}

/// What is sent again and again.
struct Messages<'a> {
    link: &'a Link,
    message: Message,
    event: EventRecord,
    lines: PieceLines,
    chunk: String,
}

impl<'a> Messages<'a> {
    fn new((link, outbox): (&'a Link, &Outbox), message: Message, bytes: usize) -> Self {
        let id = uuid::Uuid::from_u128(u128::MAX);
        let (goal, run) = (GoalId::from(id).to_string(), RunId::from(id).to_string());
        let delta = SchedulerDelta {
            goal_id: goal.clone(),
            work_item_id: None,
            run_id: run.clone(),
            request_id: format!("{run}.1"),
            kind: DeltaKind::Text,
            chunk: None,
            index: 0,
            model: None,
            tokens_used: None,
            finish_reason: None,
            tool: None,
            error: None,
        };
        let data = |filling: &str| format!(r#"{{"runId":"{run}","success":true,"f":"{filling}"}}"#);
        let event = EventRecord {
            pos: 1,
            seq: 1,
            goal: goal.clone(),
            id: "e1".to_owned(),
            at_ms: Clock::System.now_ms(),
            kind: "run.completed".to_owned(),
            body: String::new(),
            data: data(""),
        };
        let mut messages =
            Self { link, message, event, lines: PieceLines::new(&delta), chunk: String::new() };
        let mut bare = Vec::new();
        messages.send(0);
        outbox.take(&mut bare);
        messages.chunk = "x".repeat(bytes.saturating_sub(bare.len()));
        messages.event.data = data(&messages.chunk);
        messages
    }

    /// Sends number `n`; false when there is no room.
    fn send(&mut self, n: u64) -> bool {
        match self.message {
            Message::Event => {
                (self.event.pos, self.event.seq) = (n + 1, n + 1);
                self.link.event(&self.event)
            }
            Message::Piece => self.link.piece(&self.lines, (DeltaKind::Text, &self.chunk, n)),
        }
    }
}
