//! What a human is asked, and what they may answer.
//!
//! ```text
//!          escalation.respond, goal.resume: the first answer wins
//! open ----------------------------------------------------------> resolved
//! ```
//!
//! What an answer does is decided in `decide/answer.rs`.

use std::collections::BTreeMap;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asking::Clarification;
use super::cap::Cap;
use super::spending::MicroUsd;
use crate::approval::Approval;
use crate::{EscalationId, GoalId, ItemId, Millis, RunId};

/// A question to a human, with everything needed to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Its id.
    pub id: EscalationId,
    /// The goal.
    pub goal_id: GoalId,
    /// The item, if it is about one.
    pub item_id: Option<ItemId>,
    /// The run, if it is about one.
    pub run_id: Option<RunId>,
    /// When it was raised.
    pub created_at_ms: Millis,
    /// What kind of question it is.
    pub escalation_type: EscalationType,
    /// One line.
    pub title: String,
    /// Everything needed to decide.
    pub packet: Packet,
    /// The cap that is reached, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// Digest of the call that may not be repeated without a yes, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The place in the run's journal of the call that waits for the answer, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// What needs a yes, and where that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// When it is answered by itself, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// The answer; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at_ms: Option<Millis>,
}

impl Escalation {
    /// Whether nobody has answered yet.
    pub fn is_open(&self) -> bool {
        self.resolution.is_none()
    }

    /// Whether a client asks for a yes to something that it does itself: no call of the goal waits for it.
    pub fn is_request(&self) -> bool {
        self.approval.is_some() && self.waiting.is_none()
    }

    /// Whether this answer is one of those that were offered.
    pub fn offers(&self, answer: Answer) -> bool {
        self.packet.options.iter().any(|option| option.action == answer.as_str())
    }
}

/// What becomes of a question that nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// When.
    pub at_ms: Millis,
    /// The answer that is taken then.
    pub answer: Answer,
}

/// What a human answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Try it again: what hindered it is mended, or repeating it is safe.
    Retry,
    /// Go on without it: it is done already, or not needed.
    Skip,
    /// Raise the cap, and try it again.
    Raise,
    /// Deliver what is done, and leave the rest.
    Finish,
    /// Cancel the goal.
    Cancel,
    /// Yes to what is shown.
    Approve,
    /// No to what is shown.
    Deny,
    /// The answers to what is asked, or a text.
    UserInput,
    /// Do it another way, which a text describes.
    AlternativeApproach,
}

impl Answer {
    /// Every answer, in the order in which they are listed.
    pub const ALL: [Self; 9] = [
        Self::Retry,
        Self::Skip,
        Self::Raise,
        Self::Finish,
        Self::Cancel,
        Self::Approve,
        Self::Deny,
        Self::UserInput,
        Self::AlternativeApproach,
    ];

    /// The word on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Raise => "raise",
            Self::Finish => "finish",
            Self::Cancel => "cancel",
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::UserInput => "user_input",
            Self::AlternativeApproach => "alternative_approach",
        }
    }
}

/// There is no answer of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no answer `{0}`; there are: {known}", known = Answer::ALL.map(Answer::as_str).join(", "))]
pub struct UnknownAnswer(String);

impl FromStr for Answer {
    type Err = UnknownAnswer;

    fn from_str(word: &str) -> Result<Self, UnknownAnswer> {
        Self::ALL
            .into_iter()
            .find(|answer| answer.as_str() == word)
            .ok_or_else(|| UnknownAnswer(word.to_owned()))
    }
}

/// An answer, with what may come with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// What a cap is raised to, in its own unit: tokens, US dollars, answers of models, minutes; a
    /// deadline by minutes from now.
    pub to: Option<f64>,
    /// Words that come with it: why not, or how else.
    pub text: Option<String>,
    /// Answers to questions, by their ids.
    pub answers: BTreeMap<String, String>,
}

impl Reply {
    /// An answer that says it all.
    pub fn plain(answer: Answer) -> Self {
        Self { answer, to: None, text: None, answers: BTreeMap::new() }
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The answer.
    pub answer: Answer,
    /// Who gave it.
    pub by: String,
    /// What was raised, and to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Raised>,
    /// Words that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Answers to questions, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
    /// Whether nobody answered in time, and what had been said before was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// A cap that was raised, to this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "cap", content = "to", rename_all = "snake_case")]
pub enum Raised {
    /// Tokens.
    Tokens(u64),
    /// Money.
    Cost(MicroUsd),
    /// Answers of models.
    Turns(u32),
    /// Minutes of running time.
    Time(u64),
    /// The item may use all of the goal's budget.
    Share,
    /// Twice as much for one call.
    Call,
    /// Twice as long for the item.
    ItemTime,
    /// The deadline, in milliseconds since 1970.
    Deadline(Millis),
}

/// The kinds of escalation (`architecture.md` §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationType {
    /// The goal can be read in more than one way.
    Clarification,
    /// A risky act waits for a yes.
    Approval,
    /// A budget is used up.
    Budget,
    /// No progress.
    Stuck,
    /// A credential or a model is missing.
    Credential,
    /// Going on might do an outside effect twice.
    Risk,
    /// The same failure, again and again.
    RepeatedFailure,
}

impl EscalationType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clarification => "clarification",
            Self::Approval => "approval",
            Self::Budget => "budget",
            Self::Stuck => "stuck",
            Self::Credential => "credential",
            Self::Risk => "risk",
            Self::RepeatedFailure => "repeated_failure",
        }
    }
}

/// Everything a human needs to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// What was being done.
    pub context: String,
    /// What was tried.
    pub attempts: Vec<AttemptSummary>,
    /// How things stand now.
    pub current_state: String,
    /// Why it stopped.
    pub root_cause: String,
    /// What can be done.
    pub options: Vec<EscalationOption>,
    /// What is asked, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Clarification>,
}

/// One attempt, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptSummary {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When it started.
    pub at_ms: Millis,
    /// How it ended.
    pub outcome: String,
}

/// One way on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationOption {
    /// The action's name.
    pub action: String,
    /// What it means.
    pub label: String,
}
