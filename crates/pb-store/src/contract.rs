//! The words of the store: what is written in one transaction, and what is read back.

use std::path::PathBuf;

use pb_model::goal::{Artifact, Escalation, GateResult, Goal, Item, Run};
use pb_model::schedule::Schedule;
use pb_model::session::Session;
use pb_model::{Epoch, GoalId, Millis, RunId, ScheduleId, SessionId};

/// Schema of `state.db` that this build writes (`PRAGMA user_version`).
pub const SCHEMA_VERSION: u32 = 2;

/// Which history a log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIdentity {
    /// Random id, made with the file.
    pub id: String,
    /// Raised when the history may have changed under its readers (restore, migration).
    pub generation: u64,
    /// How often the log was opened for writing: the epoch of every claim.
    pub incarnation: Epoch,
    /// Schema version.
    pub schema: u32,
}

/// Writes that become durable together, in order, or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// The writes.
    pub writes: Vec<Write>,
}

/// One write.
#[derive(Debug)]
pub enum Write {
    /// Appends events to a goal's history.
    Events {
        /// The goal.
        goal: GoalId,
        /// The events, in order.
        events: Vec<NewEvent>,
    },
    /// Writes a row that `evolve` returned, whole.
    Row(Row),
    /// Notes that a step is about to have an effect.
    StepIntent(StepIntent),
    /// Records a step's result, once.
    StepResult(StepResult),
    /// Stores the result of a command for its caller and for repeats.
    CommandResult(StoredResult),
    /// Moves the position up to which an inbox was executed.
    InboxRead {
        /// Which inbox.
        inbox_id: String,
        /// The position of the last command executed.
        pos: u64,
    },
    /// Forgets the results of commands that were executed before this moment.
    ForgetResults {
        /// In milliseconds since 1970.
        before_ms: u64,
    },
    /// Drops a bounded part of the history of a goal that has ended; see [`Compacted::done`]. Refused as
    /// [`Error::NotEnded`] when it has not, or has gone on since its snapshot was made.
    Compact(Compact),
    /// Appends events to a schedule's history.
    ScheduleEvents {
        /// The schedule.
        schedule: ScheduleId,
        /// The events, in order.
        events: Vec<NewEvent>,
    },
    /// Drops the events of a schedule before its last one, which stands for them.
    ForgetSchedule {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Appends events to a session's history.
    SessionEvents {
        /// The session.
        session: SessionId,
        /// The events, in order.
        events: Vec<NewEvent>,
    },
    /// Drops the events of a session before its last one, which stands for them.
    ForgetSession {
        /// The session.
        session: SessionId,
    },
}

/// What is to be dropped: the events and the bodies of steps of an ended goal. Its rows stay.
#[derive(Debug, Clone)]
pub struct Compact {
    /// The goal.
    pub goal: GoalId,
    /// The goal's last event when the snapshot was made: one that went on since is left alone.
    pub seq: u64,
    /// The event that stands for those that are dropped. It is appended before the first of them goes, once.
    pub snapshot: NewEvent,
}

/// A part that was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The goal.
    pub goal: GoalId,
    /// How many events.
    pub events: u64,
    /// How many bytes of events and of bodies of steps.
    pub bytes: u64,
    /// Whether nothing is left to be dropped.
    pub done: bool,
}

/// How long the history of ended goals is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Goals that ended before this moment are compacted, in milliseconds since 1970.
    pub ended_before_ms: Millis,
    /// Above so many bytes of events and bodies of steps, of all goals, those that ended first are compacted.
    pub bytes_max: u64,
}

/// A goal that is to be compacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The goal.
    pub goal: GoalId,
    /// How many events it has.
    pub events: u64,
    /// Its last event.
    pub seq: u64,
    /// The bytes of its events and of the bodies of its steps.
    pub bytes: u64,
}

/// How long a goal's history is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The goal.
    pub goal: GoalId,
    /// How many events it has.
    pub events: u64,
    /// The bytes of its events and of the bodies of its steps.
    pub bytes: u64,
}

/// A row of one of the tables that `evolve` fills.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the row that it names")]
pub enum Row {
    Goal(Box<Goal>),
    Item(Box<Item>),
    /// Refused as [`Error::Fenced`] when a later epoch holds the run.
    Run(Box<Run>),
    GateResult(Box<GateResult>),
    Artifact(Box<Artifact>),
    Escalation(Box<Escalation>),
    Schedule(Box<Schedule>),
    Session(Box<Session>),
}

/// An event to append.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub at_ms: Millis,
    /// Its name on the wire.
    pub kind: String,
    /// The fact, as JSON: what `evolve` folds.
    pub body: String,
    /// What clients are sent, as JSON.
    pub data: String,
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Position in commit order, without gaps, from 1.
    pub pos: u64,
    /// Number in its goal, without gaps, from 1.
    pub seq: u64,
    /// The goal's id, or that of the schedule or session.
    pub goal: String,
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub at_ms: Millis,
    /// Its name on the wire.
    pub kind: String,
    /// The fact, as JSON. Empty in records that came over the link, which carries no facts.
    pub body: String,
    /// What clients are sent, as JSON.
    pub data: String,
}

/// What a commit wrote.
#[derive(Debug, Default)]
pub struct Committed {
    /// The events, with their positions.
    pub events: Vec<EventRecord>,
    /// How long the histories are that events were appended to; once for each [`Write::Events`].
    pub heads: Vec<Head>,
    /// The parts that were dropped.
    pub compacted: Vec<Compacted>,
}

/// The kinds of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `durability.md` §4")]
pub enum StepKind {
    Model,
    Tool,
    Gate,
    Timer,
}

impl StepKind {
    /// The word in the table and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Gate => "gate",
            Self::Timer => "timer",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// It did its work.
    Ok,
    /// It failed and is known to have.
    Error,
    /// Nobody knows.
    Unknown,
}

impl StepOutcome {
    /// The word in the table and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// A step about to run.
#[derive(Debug, Clone)]
pub struct StepIntent {
    /// The run.
    pub run: RunId,
    /// Place in the run's journal, from 1.
    pub n: u32,
    /// The incarnation that runs it.
    pub epoch: Epoch,
    /// Its kind.
    pub kind: StepKind,
    /// The name under which its effect is done at most once.
    pub effect_key: String,
    /// Digest of what it was asked to do.
    pub request_hash: String,
    /// What it was asked to do, in one line for people.
    pub label: String,
    /// When.
    pub at_ms: Millis,
}

/// How a step ended. Refused as [`Error::Fenced`] when the step's epoch does not hold its run.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// The run.
    pub run: RunId,
    /// Place in the run's journal.
    pub n: u32,
    /// The incarnation that ran it.
    pub epoch: Epoch,
    /// Its outcome.
    pub outcome: StepOutcome,
    /// Its result, as JSON.
    pub result: String,
    /// When.
    pub at_ms: Millis,
}

/// A step as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The run.
    pub run: String,
    /// Place in the run's journal, from 1.
    pub n: u32,
    /// The incarnation that ran it.
    pub epoch: Epoch,
    /// Its kind.
    pub kind: String,
    /// The name under which its effect is done at most once.
    pub effect_key: String,
    /// What it was asked to do, in one line for people.
    pub label: String,
    /// When it was about to run.
    pub intent_at_ms: Millis,
    /// When it ended.
    pub result_at_ms: Option<Millis>,
    /// `ok`, `error` or `unknown`; `None` while it runs, or after a crash.
    pub outcome: Option<String>,
    /// Its result, as JSON.
    pub result: Option<String>,
}

/// The result of a command, kept for its caller and for repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// The command's id.
    pub id: String,
    /// Digest of its parameters: a repeat with others is refused.
    pub params_digest: String,
    /// The result or error, as JSON.
    pub result: String,
    /// When it was executed.
    pub at_ms: Millis,
}

/// A command to keep until it is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    /// blake3(actor, method, idempotency key), or random without a key.
    pub id: String,
    /// Digest of the parameters without what the gateway added.
    pub params_digest: String,
    /// Who asks.
    pub actor: String,
    /// What is asked.
    pub method: String,
    /// With which parameters, as JSON.
    pub params: String,
    /// The goal that it is about.
    pub goal: String,
    /// When it was answered; it counts as of this time.
    pub at_ms: Millis,
}

/// How much of a command's id stands in logs, in bytes: enough to find it. All of it looks like a key.
const LOGGED_ID_BYTES: usize = 16;

impl NewCommand {
    /// Its id, as it stands in the logs of both processes.
    pub fn logged_id(&self) -> &str {
        self.id.get(..LOGGED_ID_BYTES).unwrap_or(&self.id)
    }

    /// The goal, if it is about one.
    pub fn logged_goal(&self) -> Option<&str> {
        Some(self.goal.as_str()).filter(|goal| !goal.is_empty())
    }
}

/// A command in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Position, rising.
    pub pos: u64,
    /// The command.
    pub command: NewCommand,
}

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A later incarnation holds the run: nothing of the batch was written.
    #[error("run {run} is held by another incarnation")]
    Fenced {
        /// The run.
        run: String,
    },
    /// The goal has not ended, or went on and ended anew: nothing of the batch was written.
    #[error("goal {goal} has not ended, or goes on, so its history is kept")]
    NotEnded {
        /// The goal.
        goal: String,
    },
    /// Who asked for it wants it no more: nothing was changed.
    #[error("interrupted")]
    Interrupted,
    /// What SQLite's own check found.
    #[error("{path} is damaged: {found}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// A stored id that is none.
    #[error("a stored id is not one of ours: {id}")]
    BadId {
        /// It.
        id: String,
    },
    /// The file was written by a newer version.
    #[error("{path} has schema {found}, this version knows up to {known}")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file is not ours.
    #[error("{path} is not a PonyBunny database")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full: nothing of the batch was written.
    #[error("the disk is full")]
    Full,
    /// The disk failed. What is in memory may not be what is on the disk: end the process and recover.
    #[error("the disk failed: {0}")]
    Broken(#[source] rusqlite_error::Opaque),
    /// Anything else.
    #[error("the database failed: {0}")]
    Database(#[source] rusqlite_error::Opaque),
    /// A stored value that this version cannot read.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// What it is.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The trace was removed, or another file took its place, while it was open.
    #[error("{path} is not the file any more that was opened")]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The folder or mark file cannot be used.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Keeps the SQL library out of the contract: its error is a source, not a type of ours.
pub mod rusqlite_error {
    /// An error of the backend.
    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    pub struct Opaque(pub(crate) Box<rusqlite::Error>);
}
