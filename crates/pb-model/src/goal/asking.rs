//! Calls that wait for a person: for a yes, or for answers.
//!
//! ```text
//!           asks                 a person answers, or the time for it passes
//! Acting --------> waiting ------------------------------------------------> Acting
//! ```
//!
//! The run stays as it is, so it goes on where it stopped. Nothing of it is under way meanwhile: its time does
//! not count, it takes no place in its lane, and its goal is blocked once nothing else of it can go on.

use serde::{Deserialize, Serialize};

use crate::approval::BoundCall;

/// The tool by which a model asks a person.
pub const ASK_PERSON: &str = "ask_person";
/// Most questions that a goal may allow in one packet.
pub const QUESTIONS_MAX: u32 = 10;
/// Questions in one packet, if the goal does not say how many.
pub const QUESTIONS_DEFAULT: u32 = 5;
/// Most answers that a question offers.
pub const CHOICES_MAX: usize = 8;
/// Longest question, reason or offered answer, in bytes.
pub const QUESTION_BYTES_MAX: usize = 1024;
/// Longest answer of a person, in bytes.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// How long a person has to answer, if the goal does not say, in seconds (a day).
pub const ANSWER_WITHIN_S_DEFAULT: u64 = 24 * 3600;
/// The longest time that a goal may give a person, in seconds (30 days).
pub const ANSWER_WITHIN_S_MAX: u64 = 30 * 24 * 3600;
/// Most requests of clients for a yes that a goal has open.
pub const REQUESTS_MAX: usize = 32;
/// Longest name of what kind of thing a client asks a yes for, in bytes.
pub const REQUEST_TYPE_BYTES_MAX: usize = 64;
/// Most bytes of what else a person should see of it.
pub const REQUEST_DETAILS_BYTES_MAX: usize = 16 * 1024;
/// Most assumptions of a goal.
pub const ASSUMPTIONS_MAX: usize = 32;

/// One question about a goal that can be read in more than one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clarification {
    /// Its name in the packet, by which it is answered.
    pub id: String,
    /// The question.
    pub question: String,
    /// Why the answer changes the plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Answers that are offered; others may be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What is assumed when nobody answers.
    pub default: String,
}

/// What a call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// A yes to this very call.
    Approval(BoundCall),
    /// Answers.
    Answers(Vec<Clarification>),
}
