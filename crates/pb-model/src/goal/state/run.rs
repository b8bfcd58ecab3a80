//! Runs: attempts at an item, at a plan, or at a review.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::goal::adding::Addition;
use crate::goal::conversation::{Call, Conversation, Doing, batch};
use crate::goal::failure::Failure;
use crate::{Epoch, GoalId, ItemId, Millis, RunId};

/// One attempt at a work item, or at a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The item; `None` when a model makes the goal's plan.
    #[serde(default)]
    pub item_id: Option<ItemId>,
    /// Whose work it reviews, if that is what it does; then it has no item of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviews: Option<Reviews>,
    /// The goal.
    pub goal_id: GoalId,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The incarnation that holds it; writes of any other are refused.
    pub epoch: Epoch,
    /// Where it stands.
    pub status: RunStatus,
    /// What it is doing.
    pub stage: RunStage,
    /// When it started.
    pub created_at_ms: Millis,
    /// When it ended.
    pub completed_at_ms: Option<Millis>,
    /// How many places of its journal are taken.
    pub steps: u32,
    /// How its command ended, once it did.
    pub execution: Option<Execution>,
    /// Each time a later incarnation took it over.
    pub continued: Vec<Continuation>,
    /// Why it did not succeed.
    pub error: Option<Failure>,
    /// What it adds to its goal once its item is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Addition>,
    /// Its conversation with a model, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

/// What a run reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviews {
    /// The run whose work it is.
    pub run: RunId,
    /// The gate that it decides, from 0.
    pub gate: u32,
}

impl Run {
    /// Whether a model makes a plan in it.
    pub fn is_planning(&self) -> bool {
        self.item_id.is_none() && self.reviews.is_none()
    }

    /// The call whose effect is under way, or would be after a crash: the one that ends the next batch.
    pub fn risky_call(&self) -> Option<&Call> {
        match &self.conversation.as_ref()?.doing {
            // What comes after a call that is held was not begun.
            Doing::Acting { calls } => calls.get(..batch(calls))?.last().filter(|call| call.has_intent()),
            Doing::Composing { .. } | Doing::Thinking { .. } => None,
        }
    }

    /// Whether its next call waits for a person.
    pub fn is_waiting(&self) -> bool {
        let waits = self.conversation.as_ref().is_some_and(|talk| talk.waits.is_some());
        waits && self.status == RunStatus::Running && self.stage == RunStage::Executing
    }
}

/// Where a run stands (`wire.md` §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Not ended.
    Running,
    /// The work and its gates passed.
    Success,
    /// The work or a gate failed.
    Failure,
    /// A time limit ended it.
    Timeout,
    /// It was stopped.
    Aborted,
}

impl RunStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Success, Self::Failure, Self::Timeout, Self::Aborted];

    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
        }
    }
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStage {
    /// Its work runs.
    Executing,
    /// Its gates run.
    Verifying,
    /// Its gates run to find out whether work of unknown outcome was done (`durability.md` §4).
    Probing,
    /// Nothing.
    Ended,
}

impl RunStage {
    /// The word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Executing => "executing",
            Self::Verifying => "verifying",
            Self::Probing => "probing",
            Self::Ended => "ended",
        }
    }
}

/// A run that a later incarnation took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// The incarnation that took it over.
    pub epoch: Epoch,
    /// When.
    pub at_ms: Millis,
    /// Whether its command was run again.
    pub ran_again: bool,
    /// Why, in words.
    pub why: String,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The outcome.
    pub outcome: ExecutionOutcome,
    /// How long it ran, in milliseconds.
    pub duration_ms: u64,
    /// Digest of everything it printed (blake3, hex).
    pub output_digest: String,
    /// How many bytes it printed.
    pub output_bytes: u64,
    /// The end of what it printed, for people.
    pub output_tail: String,
    /// What the kernel did not confine, if anything.
    pub unconfined: Option<String>,
}

/// The ways in which a command ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExecutionOutcome {
    /// It exited.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// Its own time limit ended it.
    TimedOut,
    /// The goal's time budget ended it.
    BudgetExhausted,
    /// A person or a shutdown ended it.
    Stopped,
    /// The agent says that it is done.
    Finished,
    /// The agent used up its answers.
    TurnLimit {
        /// How many it had.
        turns: u32,
    },
    /// The model gave nothing that could be used.
    Unanswered {
        /// Why.
        reason: String,
    },
    /// It never started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// Nobody knows how it ended.
    Lost,
}

impl std::fmt::Display for ExecutionOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "the command exited with {code}"),
            Self::Signaled { signal } => write!(f, "signal {signal} ended the command"),
            Self::TimedOut => f.write_str("the command ran into its time limit"),
            Self::BudgetExhausted => f.write_str("the goal's budget is used up"),
            Self::Stopped => f.write_str("the command was stopped"),
            Self::Finished => f.write_str("the agent finished"),
            Self::TurnLimit { turns } => write!(f, "the agent used up its {turns} turn(s)"),
            Self::Unanswered { reason } => write!(f, "no usable answer: {reason}"),
            Self::NotStarted { reason } => write!(f, "the command did not start: {reason}"),
            Self::Lost => f.write_str("the outcome of the command is unknown"),
        }
    }
}
