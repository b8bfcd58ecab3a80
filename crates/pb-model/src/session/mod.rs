//! A conversation of a person with the worker: each message is kept, and answered by one call of a model, which
//! says something, asks something, or makes a goal. What becomes of that goal is told in the same conversation.
//!
//! ```text
//!          a message                   the call is paid for          answered, or given up
//! idle ---------------> waiting ----------------------------> thinking -----------------> idle
//!   ^                      ^                                      |
//!   |                      +--- failed, or lost with a crash -----+
//!   +-- a goal's news       \-- answered, and more was said meanwhile
//!
//! ended: from anywhere
//! ```
//!
//! A goal that was made here is submitted in the commit in which the answer is kept, so no crash loses one or
//! makes two. A call of a model is an event before it is made and one after; one whose end nobody saw is charged in
//! full and made again.

mod decide;
mod event;
mod evolve;
mod machine;
mod persona;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::goal::{GoalStatus, Spending};
use crate::{Epoch, GoalId, Millis, RunId, SessionId, retry};

pub use decide::{Heard, Reply, SessionCommand, SessionMoment, SessionRejection, SessionThought, decide};
pub use event::SessionEvent;
pub use evolve::evolve;
pub use machine::MACHINE;
pub use persona::{DEFAULT_PERSONA, Expertise, Persona};

/// Most sessions that have not ended; the one that was quiet longest makes room for another.
pub const SESSIONS_MAX: usize = 128;
/// Longest message of a person, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Most messages that wait for an answer.
pub const UNANSWERED_MAX: u64 = 16;
/// Most turns that a session keeps; older ones are only in the log.
pub const TURNS_KEPT_MAX: usize = 200;
/// Most bytes of them.
pub const TURNS_BYTES_MAX: usize = 128 * 1024;
/// How many of its last goals a session remembers.
pub const GOALS_KEPT_MAX: usize = 16;
/// Events of one session that are kept at most; then a snapshot stands for those before it.
pub const HISTORY_EVENTS_MAX: u64 = 2048;

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, minted where it entered.
    pub id: SessionId,
    /// In whose voice it is held, as that was when it began.
    pub persona: Persona,
    /// The folder in which its goals work; none has each goal work in one of its own.
    pub workspace: Option<String>,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub created_at_ms: Millis,
    /// When it last changed.
    pub updated_at_ms: Millis,
    /// Where it stands.
    pub status: SessionStatus,
    /// What was said last; at most [`TURNS_KEPT_MAX`] turns and [`TURNS_BYTES_MAX`] bytes.
    pub turns: Vec<Turn>,
    /// How many turns there were in all.
    pub said: u64,
    /// Messages up to this turn were answered.
    pub answered: u64,
    /// Whether the last answer asks the person something.
    pub asks: bool,
    /// How many calls of a model there were.
    pub calls: u32,
    /// The call that is under way.
    pub call: Option<Call>,
    /// Calls in a row that failed.
    pub failures: u32,
    /// No call before this moment.
    pub not_before_ms: Option<Millis>,
    /// What it has spent and promised; the calls of its goals are theirs.
    pub spending: Spending,
    /// Its last goals, the latest last; at most [`GOALS_KEPT_MAX`].
    pub goals: Vec<SessionGoal>,
    /// Events since its last snapshot, that included.
    pub events: u64,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Everything was answered.
    Idle,
    /// A message waits for its answer.
    Waiting,
    /// A model is asked.
    Thinking,
    /// It is over.
    Ended,
}

impl SessionStatus {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Waiting => "waiting",
            Self::Thinking => "thinking",
            Self::Ended => "ended",
        }
    }
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number in the session, from 1.
    pub n: u64,
    /// Who said it.
    pub role: Role,
    /// What.
    pub content: String,
    /// When.
    pub at_ms: Millis,
    /// The goal that it made, or that it tells about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// It answers the messages up to this turn; none for a message, and for news of a goal. Set when it is folded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u64>,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// The worker, through a model.
    Assistant,
    /// The worker itself: what becomes of a goal, or why there is no answer.
    Worker,
}

/// A call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its number in the session, from 1.
    pub n: u32,
    /// The incarnation that makes it; its answer is taken from no other.
    pub epoch: Epoch,
    /// It answers the messages up to this turn.
    pub up_to: u64,
    /// The model that is asked first.
    pub model: String,
}

/// A goal that was made in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionGoal {
    /// The goal.
    pub id: GoalId,
    /// Its title.
    pub title: String,
    /// How it ended, once it has.
    pub ended: Option<GoalStatus>,
}

/// What a session would have done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionWant {
    /// Put the next request together, and say what it may cost.
    Compose,
    /// Make this call.
    Think(u32),
}

impl Session {
    /// What it would have done at `now`.
    pub fn want(&self, now: Millis) -> Option<SessionWant> {
        match (self.status, &self.call) {
            (SessionStatus::Waiting, _) => {
                let is_due = self.not_before_ms.is_none_or(|not_before| retry::is_due(not_before, now));
                is_due.then_some(SessionWant::Compose)
            }
            (SessionStatus::Thinking, Some(call)) => Some(SessionWant::Think(call.n)),
            (SessionStatus::Thinking | SessionStatus::Idle | SessionStatus::Ended, _) => None,
        }
    }

    /// What answered the message of turn `n`, if that is known yet.
    pub fn answer_to(&self, n: u64) -> Option<&Turn> {
        self.turns.iter().find(|turn| turn.answers.is_some_and(|up_to| up_to >= n))
    }

    /// When it wants something by itself that it does not want yet.
    pub fn next_wake(&self) -> Option<Millis> {
        self.not_before_ms.filter(|_| self.status == SessionStatus::Waiting)
    }

    /// Its goal that has not ended, the latest one.
    pub fn active_goal(&self) -> Option<&SessionGoal> {
        self.goals.iter().rfind(|goal| goal.ended.is_none())
    }

    /// The word of the first implementation for where a conversation stands (`wire.md` §5.11).
    pub fn state(&self) -> &'static str {
        let last = self.turns.last().map(|turn| (turn.role, turn.goal));
        match (self.status, last) {
            (SessionStatus::Ended, _) | (_, None) => "idle",
            _ if self.asks => "clarifying",
            (_, Some((Role::Worker, Some(goal)))) if self.has_ended(goal) => "reporting",
            (_, Some((Role::Worker, Some(_)))) => "monitoring",
            _ if self.active_goal().is_some() => "executing",
            _ => "chatting",
        }
    }

    fn has_ended(&self, goal: GoalId) -> bool {
        self.goals.iter().any(|known| known.id == goal && known.ended.is_some())
    }

    /// Whose a call's reservation is: a session has no runs, and is one itself.
    fn payer(&self) -> RunId {
        RunId::from(self.id.uuid())
    }
}

#[cfg(test)]
mod tests;
