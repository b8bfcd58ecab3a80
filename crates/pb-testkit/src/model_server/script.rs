//! What a server is told to say, and when.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::reply::Reply;

/// Everything that a server says. In JSON, the form of a script file:
///
/// ```json
/// { "model": "scripted",
///   "conversations": [
///     { "when": { "tool": "submit_plan" },
///       "turns": [ [ { "fault": { "status": 429 } }, { "calls": [ { "name": "submit_plan" } ] } ] ] } ] }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The model that `/v1/models` names. A request may ask for any.
    #[serde(default = "model")]
    pub model: String,
    /// The first whose `when` fits is used.
    pub conversations: Vec<Conversation>,
}

/// The replies to one kind of request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Which requests belong to it.
    #[serde(default)]
    pub when: When,
    /// Turn n answers a request with n assistant messages. Within a turn the k-th request with the very
    /// same messages gets the k-th reply, and later ones the last: so faults come first.
    pub turns: Vec<Vec<Reply>>,
    /// Whether the last turn is repeated for ever. Otherwise what comes after it is HTTP 500.
    #[serde(default)]
    pub repeat_last: bool,
}

/// Which requests belong to a conversation: those for which everything holds that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A tool of this name is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// A message, or the system prompt, contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

fn model() -> String {
    "scripted".to_owned()
}

impl Script {
    /// One conversation for all requests, with one reply a turn.
    pub fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::conversations([Conversation::new(When::default(), replies)])
    }

    /// Several conversations.
    pub fn conversations(conversations: impl IntoIterator<Item = Conversation>) -> Self {
        Self { model: model(), conversations: conversations.into_iter().collect() }
    }

    /// Reads a script file.
    ///
    /// # Errors
    /// It cannot be read, or it is no script; the message says where.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut json = serde_json::Deserializer::from_str(&text);
        let script = serde_path_to_error::deserialize(&mut json)
            .with_context(|| format!("{} is no script", path.display()))?;
        json.end().with_context(|| format!("{} goes on after its script", path.display()))?;
        Ok(script)
    }
}

impl Conversation {
    /// A conversation with one reply a turn.
    pub fn new(when: When, replies: impl IntoIterator<Item = Reply>) -> Self {
        let turns = replies.into_iter().map(|reply| vec![reply]).collect();
        Self { when, turns, repeat_last: false }
    }

    /// Adds a turn of several replies, for repeated requests.
    pub fn turn(mut self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.turns.push(replies.into_iter().collect());
        self
    }

    /// Repeats the last turn for ever.
    pub fn repeat_last(mut self) -> Self {
        self.repeat_last = true;
        self
    }
}

impl When {
    /// Requests that offer this tool.
    pub fn tool(name: impl Into<String>) -> Self {
        Self { tool: Some(name.into()), ..Self::default() }
    }

    /// Requests in which a message contains this.
    pub fn contains(text: impl Into<String>) -> Self {
        Self { contains: Some(text.into()), ..Self::default() }
    }
}
