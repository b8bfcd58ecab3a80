//! A scheduler that does as it is told: it holds the lock, writes the log, and offers what it wrote
//! when the test says so.

use std::path::Path;

use pb_model::goal::{Command, DayBudget, Event, GoalState, Moment, decide, evolve};
use pb_model::{EscalationId, GoalId, GoalSpec, ItemId};
use pb_protocol::domain::Goal;
use pb_protocol::event;
use pb_protocol::ipc::{self, Connect, Frame, LogAddress, SchedulerCommandResult, SchedulerEvent};
use pb_protocol::line::LineReader;
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{
    Batch, Compact, EventRecord, InboxReader, InboxRow, Location, Log, LogIdentity, Mark, NewEvent, Row,
    StoredResult, Write,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::{TestHome, within};

/// The other end of a connection on the link.
#[derive(Debug)]
pub(crate) struct Peer {
    lines: LineReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

/// The process that holds `scheduler.lock`: this one.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) log: Log,
    pub(crate) link: Option<Peer>,
    home: Home,
    ids: Ids,
    _lock: ProcessLock,
}

/// A `goal.submit` row, as the scheduler reads it.
#[derive(Deserialize)]
struct SubmitRow {
    #[serde(rename = "goalId")]
    goal_id: GoalId,
    spec: GoalSpec,
}

/// The goal with this number.
pub(crate) fn goal(n: u8) -> GoalId {
    format!("goal_{n:032x}").parse().unwrap()
}

/// The event as the link carries it.
pub(crate) fn link_event(log: &LogIdentity, record: &EventRecord) -> SchedulerEvent {
    SchedulerEvent {
        r#type: event::link_type(&record.kind),
        timestamp: record.at_ms,
        goal_id: Some(record.goal.clone()),
        work_item_id: None,
        run_id: None,
        data: RawValue::from_string(record.data.clone()).ok(),
        pos: Some(record.pos),
        generation: Some(log.generation),
        seq: Some(record.seq),
        id: Some(record.id.clone()),
        kind: Some(record.kind.clone()),
    }
}

impl Peer {
    pub(crate) async fn connect(socket: &Path) -> Self {
        let (read, write) = UnixStream::connect(socket).await.unwrap().into_split();
        Self { lines: LineReader::new(read), write }
    }

    pub(crate) async fn send(&mut self, frame: &Frame) {
        self.send_bytes(ipc::line(frame, 7).as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        within("room on the link", self.write.write_all(bytes)).await.unwrap();
    }

    /// What the gateway says next; `None` when it closed.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        within("a line of the link", self.frame_at_last()).await
    }

    /// The same, however long it takes: for a clock that the test moves.
    pub(crate) async fn frame_at_last(&mut self) -> Option<Frame> {
        let line = self.lines.next().await.ok()??.unwrap();
        ipc::parse(line).unwrap()
    }
}

impl Scheduler {
    /// Takes the lock and opens the log; not connected yet.
    pub(crate) async fn start(at: &TestHome) -> Self {
        Self::start_behind(at, None).await
    }

    /// The same, where the log was once seen further than it is now.
    pub(crate) async fn start_behind(at: &TestHome, mark: Option<Mark>) -> Self {
        let home = at.home.clone();
        let lock = ProcessLock::acquire(&home.scheduler_lock(), 1).unwrap();
        let ids = Ids::random(Clock::System);
        let fresh = ids.uuid().simple().to_string();
        let log = Log::open(Location::File(home.state_db()), fresh, mark).await.unwrap();
        Self { log, link: None, home, ids, _lock: lock }
    }

    /// The same, connected.
    pub(crate) async fn connected(at: &TestHome) -> Self {
        let mut scheduler = Self::start(at).await;
        scheduler.connect().await;
        scheduler
    }

    /// Connects, in the place of a connection that it has.
    pub(crate) async fn connect(&mut self) {
        let mut peer = Peer::connect(&self.home.gateway_socket()).await;
        peer.send(&Frame::Connect(self.hello())).await;
        self.link = Some(peer);
    }

    /// What a scheduler says first.
    pub(crate) fn hello(&self) -> Connect {
        let identity = self.log.identity();
        Connect {
            client_type: ipc::CLIENT_TYPE.to_owned(),
            version: "test".to_owned(),
            pid: std::process::id(),
            caps: vec!["log".to_owned()],
            log: Some(LogAddress {
                id: identity.id.clone(),
                generation: identity.generation,
                schema: identity.schema,
                path: self.home.state_db().to_str().unwrap().to_owned(),
            }),
        }
    }

    pub(crate) fn link(&mut self) -> &mut Peer {
        self.link.as_mut().unwrap()
    }

    /// Commits so many events of a goal.
    pub(crate) async fn commit(&self, to: GoalId, count: usize) -> Vec<EventRecord> {
        self.commit_sized(to, count, 0).await
    }

    /// The same, each with about so many bytes.
    pub(crate) async fn commit_sized(&self, to: GoalId, count: usize, bytes: usize) -> Vec<EventRecord> {
        let event = |_| {
            let id = self.ids.uuid().to_string();
            let data = json!({"goalId": to, "id": id, "filling": "x".repeat(bytes)}).to_string();
            NewEvent {
                at_ms: Clock::System.now_ms(),
                kind: "goal.tested".to_owned(),
                body: data.clone(),
                data,
                id,
            }
        };
        let events = (0..count).map(event).collect();
        let batch = Batch { writes: vec![Write::Events { goal: to, events }] };
        self.log.commit(batch).await.unwrap().events
    }

    /// Offers events over the link.
    pub(crate) async fn offer(&mut self, records: &[EventRecord]) {
        let identity = self.log.identity().clone();
        let event = |record| Frame::SchedulerEvent(Box::new(link_event(&identity, record)));
        let lines: String = records.iter().map(|record| ipc::line(&event(record), 7)).collect();
        self.link().send_bytes(lines.as_bytes()).await;
    }

    /// Commits events of a goal, each of a kind and a moment, with what is told about it.
    pub(crate) async fn commit_of(&self, to: GoalId, events: Vec<(u64, &str, Value)>) -> Vec<EventRecord> {
        let event = |(at_ms, kind, data): (u64, &str, Value)| NewEvent {
            at_ms,
            kind: kind.to_owned(),
            body: String::new(),
            data: data.to_string(),
            id: self.ids.uuid().to_string(),
        };
        let events = events.into_iter().map(event).collect();
        let batch = Batch { writes: vec![Write::Events { goal: to, events }] };
        self.log.commit(batch).await.unwrap().events
    }

    /// Commits and offers, as a scheduler does.
    pub(crate) async fn tell(&mut self, to: GoalId, count: usize) -> Vec<EventRecord> {
        let records = self.commit(to, count).await;
        self.offer(&records).await;
        records
    }

    /// The commands that wait.
    pub(crate) async fn inbox(&self) -> Vec<InboxRow> {
        let inbox = InboxReader::open(&self.home.gateway_db()).await.unwrap();
        let id = inbox.id().await.unwrap().unwrap();
        let read = self.log.reader().inbox_read(&id).await.unwrap();
        inbox.after(read, 1000).await.unwrap()
    }

    /// Executes the goals that wait in the inbox; gives the events.
    pub(crate) async fn execute(&mut self) -> Vec<EventRecord> {
        let mut told = Vec::new();
        for row in self.inbox().await {
            let asked: SubmitRow = serde_json::from_str(&row.command.params).unwrap();
            let command = Command::Submit {
                id: asked.goal_id,
                spec: Box::new(asked.spec),
                by: row.command.actor.clone(),
            };
            let (state, writes) = self.decide(None, command, Clock::System.now_ms());
            let result = json!({"ok": Goal::from(&state.goal)});
            told.extend(self.settle(&row, writes, &result).await);
        }
        told
    }

    /// Makes the plan of a goal that brought its items.
    pub(crate) async fn plan(&self, goal: GoalId) {
        self.plan_at(goal, Clock::System.now_ms()).await;
    }

    /// The same at another moment.
    pub(crate) async fn plan_at(&self, goal: GoalId, now_ms: u64) {
        let state = self.log.reader().state(goal).await.unwrap().unwrap();
        let items = state.goal.spec.items.iter().map(|_| ItemId::from(self.ids.uuid())).collect();
        let (_, writes) = self.decide(Some(state), Command::Plan { items }, now_ms);
        self.log.commit(Batch { writes }).await.unwrap();
    }

    /// Cancels a goal that has not begun, and compacts it.
    pub(crate) async fn cancel_and_compact(&self, goal: GoalId) {
        let state = self.log.reader().state(goal).await.unwrap();
        let cancel = Command::Cancel { by: "test".to_owned(), reason: None };
        let (state, writes) = self.decide(state, cancel, Clock::System.now_ms());
        let seq = self.log.commit(Batch { writes }).await.unwrap().heads[0].events;
        let compacted = Event::GoalCompacted { events: seq, state: Box::new(state) };
        let snapshot = NewEvent {
            id: self.ids.uuid().to_string(),
            at_ms: Clock::System.now_ms(),
            kind: compacted.kind().to_owned(),
            body: serde_json::to_string(&compacted).unwrap(),
            data: json!({"goalId": goal}).to_string(),
        };
        loop {
            let part = Write::Compact(Compact { goal, seq, snapshot: snapshot.clone() });
            let done = self.log.commit(Batch { writes: vec![part] }).await.unwrap();
            if done.compacted[0].done {
                return;
            }
        }
    }

    /// The state after a command, and what is to be written of it.
    fn decide(&self, mut state: Option<GoalState>, command: Command, now_ms: u64) -> (GoalState, Vec<Write>) {
        let escalation = EscalationId::from(self.ids.uuid());
        let moment = Moment {
            now_ms,
            escalation,
            run: pb_model::RunId::from(uuid::Uuid::nil()),
            seed: 1,
            day: DayBudget::default(),
        };
        let mut events = Vec::new();
        for event in decide(state.as_ref(), command, moment.clone()).unwrap() {
            state = evolve(state, &event, moment.now_ms);
            events.push(NewEvent {
                id: self.ids.uuid().to_string(),
                at_ms: moment.now_ms,
                kind: event.kind().to_owned(),
                body: serde_json::to_string(&event).unwrap(),
                data: event::data(&event, state.as_ref().unwrap(), moment.now_ms).to_string(),
            });
        }
        let state = state.unwrap();
        let mut writes = vec![
            Write::Events { goal: state.goal.id, events },
            Write::Row(Row::Goal(Box::new(state.goal.clone()))),
        ];
        writes.extend(state.items.iter().map(|item| Write::Row(Row::Item(Box::new(item.clone())))));
        (state, writes)
    }

    /// Answers a command with this result, in one transaction with the writes, and tells.
    pub(crate) async fn settle(
        &mut self,
        row: &InboxRow,
        mut writes: Vec<Write>,
        result: &serde_json::Value,
    ) -> Vec<EventRecord> {
        let inbox = InboxReader::open(&self.home.gateway_db()).await.unwrap();
        let inbox_id = inbox.id().await.unwrap().unwrap();
        writes.push(Write::CommandResult(StoredResult {
            id: row.command.id.clone(),
            params_digest: row.command.params_digest.clone(),
            result: result.to_string(),
            at_ms: Clock::System.now_ms(),
        }));
        writes.push(Write::InboxRead { inbox_id, pos: row.pos });
        let events = self.log.commit(Batch { writes }).await.unwrap().events;
        if self.link.is_some() {
            self.offer(&events).await;
            let request_id = row.command.id.clone();
            let told = SchedulerCommandResult { request_id, success: true, error: None };
            self.link().send(&Frame::SchedulerCommandResult(told)).await;
        }
        events
    }

    /// Waits for the bell; gives the goal that it names.
    pub(crate) async fn bell(&mut self) -> String {
        match self.link().frame().await {
            Some(Frame::SchedulerCommand(command)) => command.goal_id,
            other => panic!("no bell: {other:?}"),
        }
    }
}
