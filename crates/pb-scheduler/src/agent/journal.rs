//! What the journal keeps of a conversation: the results of its steps, as JSON. Additive: a later
//! version may add fields with defaults.

use pb_llm::{Finish, Message, Said, Usage};
use pb_model::goal::CallEnd;
use serde::{Deserialize, Serialize};

/// The result of a step that called a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ModelStep {
    /// How it ended, in words.
    pub(super) found: String,
    /// What it said, for people.
    #[serde(default)]
    pub(super) output: String,
    /// The messages that this step added to the conversation before it was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) request: Vec<Message>,
    /// What it said; absent when it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) said: Option<Said>,
    /// Why it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) finish: Option<Finish>,
    /// What it used, as the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
    /// The request's length in bytes, as what fits is estimated by it; 0 when nobody noted it.
    #[serde(default)]
    pub(super) request_bytes: u64,
    /// Which prompts it was asked with.
    #[serde(default)]
    pub(super) prompts: String,
}

/// The result of a step that called a tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ToolStep {
    /// How it ended, in words.
    pub(super) found: String,
    /// What it came to, as the model is told.
    pub(super) output: String,
    /// What is known of its end.
    pub(super) end: CallEnd,
    /// How long it took, in milliseconds.
    pub(super) duration_ms: u64,
}

/// The result of a call that was not made because of what a person said, or did not say in time.
pub(crate) fn told_by_a_person(end: CallEnd, told: &str) -> String {
    let step = ToolStep {
        found: "not made: a person decided".to_owned(),
        output: told.to_owned(),
        end,
        duration_ms: 0,
    };
    serde_json::to_string(&step).unwrap_or_default()
}
