//! Where the conversation of a run with its model stands.
//!
//! ```text
//!             reserved                answered with calls
//! Composing ------------> Thinking ---------------------> Acting
//!     ^                    |    |                           |
//!     +---- failed --------+    +-- no call: nudged --+     | all done; the next call is reserved
//!     +-----------------------------------------------+     | in the same commit: Thinking
//!     +-----------------------------------------------------+ else Composing
//! ```
//!
//! While it acts, a call may wait for a person (`asking.rs`): then nothing of it is under way.
//!
//! What was said stands in the run's journal, not here: a continued run is rebuilt from its steps,
//! and so is every other one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adding::Addition;
use super::asking::Asks;
use super::guard::Watch;
use super::spending::Amount;
use crate::spec::Effect;
use crate::{EscalationId, Millis};

/// Answers in a row without a call after which an attempt is given up.
pub const IDLE_TURNS_MAX: u32 = 3;
/// Failed calls in a row after which an attempt is given up.
pub const MODEL_FAILURES_MAX: u32 = 5;
/// Refused plans after which the goal waits for a human: the first and two more.
pub const PLANS_REFUSED_MAX: u32 = 3;
/// Answers of the model in one attempt at a plan.
pub const PLANNING_TURNS_MAX: u32 = 20;
/// The tool by which a model hands in a plan.
pub const SUBMIT_PLAN: &str = "submit_plan";
/// The tool by which a model says that it is done.
pub const FINISH: &str = "finish";
/// The tool by which a model hands in a review.
pub const SUBMIT_REVIEW: &str = "submit_review";
/// Most calls of one answer; more are a runaway model.
pub const CALLS_MAX: usize = 32;

/// A run's conversation with its model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Answers so far.
    pub turns: u32,
    /// Answers in a row that called no tool.
    pub idle: u32,
    /// Calls of the model in a row that failed.
    pub failures: u32,
    /// Plans that were refused.
    pub plans_refused: u32,
    /// Digests of the calls that were withheld; a human is asked when one is made again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// The model that answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What its settled calls cost.
    #[serde(default)]
    pub spent: Amount,
    /// What its guards remember.
    #[serde(default)]
    pub watch: Watch,
    /// What of it is not sent any more as it was said.
    #[serde(default, skip_serializing_if = "Condensed::is_nothing")]
    pub condensed: Condensed,
    /// Length of the last request, in bytes, if its provider refused it as too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_bytes: Option<u64>,
    /// What comes next.
    pub doing: Doing,
    /// The question that its next call waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<EscalationId>,
}

/// What of a conversation is not sent any more as it was said. A fact of the run, so that each of its requests
/// is put together the same way at any time; all places are of its journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condensed {
    /// Results of tools up to this place are one line each.
    pub results_until: u32,
    /// Turns up to this place are one line a call.
    pub turns_until: u32,
    /// Results up to this place are cut.
    pub cut_until: u32,
    /// To so many bytes.
    pub cut_bytes: u32,
}

impl Condensed {
    /// Whether everything is sent as it was said.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A conversation that outgrew its model's window, and what is left out of it from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condensing {
    /// From now on.
    pub condensed: Condensed,
    /// How many turns are one line a call, in all.
    pub turns: u32,
    /// How many further results are one line.
    pub results: u32,
    /// By how many bytes the request is shorter than it was.
    pub bytes: u64,
}

/// What a conversation is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Doing {
    /// The next request is put together and paid for.
    Composing {
        /// Not before this time: a call failed.
        not_before_ms: Option<Millis>,
    },
    /// The model is called.
    Thinking {
        /// The call's place in the journal.
        n: u32,
    },
    /// Tools are called, in this order; those that are done are gone from here.
    Acting {
        /// What is left to be done.
        calls: Vec<Call>,
    },
}

impl Doing {
    /// What comes when these calls are left to be made.
    pub(super) fn after(calls: Vec<Call>) -> Self {
        if calls.is_empty() { Self::default() } else { Self::Acting { calls } }
    }
}

impl Default for Doing {
    fn default() -> Self {
        Self::Composing { not_before_ms: None }
    }
}

/// A tool that is to be called. Its arguments stand in the step of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its place in the run's journal.
    pub n: u32,
    /// The model's id for it.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// What it is about, in one line for people.
    pub title: String,
    /// What repeating it means.
    pub effect: Effect,
    /// Digest of tool and arguments (blake3, hex): the same call has the same.
    pub digest: String,
    /// Whether it was begun before and nobody knows how it ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Whether it is not made before a person has said yes to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

impl Call {
    /// Whether it has an intent in the journal before it is made: pure calls need none, and one that is held
    /// gets its own when it may be made.
    pub fn has_intent(&self) -> bool {
        self.effect != Effect::Pure && !self.held
    }
}

/// How many of `calls` are made before the next commit: up to and with the first whose effect
/// matters, or that needs a yes, so that at most one outcome is unknown after a crash.
pub fn batch(calls: &[Call]) -> usize {
    calls.iter().position(|call| call.has_intent() || call.held).map_or(calls.len(), |first| first + 1)
}

/// How a call of a tool ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// Its place in the journal.
    pub n: u32,
    /// What is known of its end.
    pub end: CallEnd,
    /// The beginning of what it came to, for people.
    pub found: String,
    /// Digest of all that it came to (blake3, hex), by which a repetition is told.
    pub output_digest: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it waits for; with [`CallEnd::Asks`] only.
    pub asks: Option<Asks>,
    /// What a review found; with [`CallEnd::Finished`] only.
    pub review: Option<Reviewed>,
    /// What it adds to the goal; with [`CallEnd::Ok`] only.
    pub adds: Vec<Addition>,
}

/// What a review came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Whether every point of the rubric is true.
    pub passed: bool,
    /// What was found, point by point.
    pub found: String,
}

/// What is known of the end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// It did what it was asked to.
    Ok,
    /// It did not, and the model is told.
    Failed,
    /// It was not made: an earlier attempt made the same call, and its effect is unsafe.
    Withheld,
    /// It ended the attempt: the model says that it is done.
    Finished,
    /// It could not be made: the machine failed.
    Host,
    /// Nobody knows.
    Unknown,
    /// It was not made, and waits for a person. Never told: it has not ended.
    Asks,
}

/// What came of calling a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thought {
    /// The model that answered, or was asked last.
    pub model: String,
    /// What it used; `None` when nobody knows.
    pub usage: Option<Used>,
    /// What it said, or why it did not.
    pub outcome: ThoughtOutcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What a call of a model used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// What that costs, in millionths of a US dollar.
    pub micro_usd: u64,
    /// Nobody has said what the model costs.
    #[serde(default)]
    pub unpriced: bool,
}

/// What a model said, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThoughtOutcome {
    /// It answered.
    Answered {
        /// Whether the answer was cut at its length limit.
        cut_short: bool,
        /// The tools that it calls; `n` is filled in by the decision.
        calls: Vec<Call>,
        /// The beginning of its words, for people.
        text: String,
    },
    /// It did not.
    Failed {
        /// Why, in words.
        error: String,
        /// What follows.
        then: AfterFailure,
        /// Whether the provider may have charged for it.
        charged: bool,
    },
    /// A person, a shutdown or the goal's time budget ended it while it answered.
    Stopped,
}

/// What follows a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Another try with a shorter request, once: this one, of so many bytes, does not fit the model.
    Shorter {
        /// Its length.
        bytes: u64,
    },
    /// Another try, after so many milliseconds at least.
    Again {
        /// What the provider asked for, if it did.
        after_ms: Option<u64>,
    },
    /// A human: the key is missing or refused, or there is no money left there.
    Human,
    /// Nothing: the attempt has failed.
    Nothing,
}

/// Why no request could be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hindrance {
    /// No model is there, or none that the goal's caps allow.
    #[error("{why}; {hint}")]
    NoModel {
        /// Why, in words.
        why: String,
        /// What to do.
        hint: String,
    },
    /// What was asked for cannot be: a model of that name, or a price for it.
    #[error("{why}; {hint}")]
    Unusable {
        /// Why, in words.
        why: String,
        /// What to do.
        hint: String,
    },
    /// The kernel cannot confine what the agent would run.
    #[error("the kernel cannot confine what an agent runs; {hint}")]
    Unconfined {
        /// What to do.
        hint: String,
    },
    /// The task does not fit the model, however much is left out.
    #[error("{why}")]
    TooLong {
        /// Why, in words, with what to do.
        why: String,
    },
    /// Something of ours or of the machine failed.
    #[error("{why}")]
    Host {
        /// Why, in words.
        why: String,
    },
}
