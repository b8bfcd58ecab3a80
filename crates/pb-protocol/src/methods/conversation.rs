//! `conversation.*`: talking with the worker (`wire.md` §2.6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, Permission};
use crate::conversation::{Conversation, TaskInfo, Turn};

/// `conversation.message`.
#[derive(Debug)]
pub struct Message;

impl Method for Message {
    const NAME: &'static str = "conversation.message";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Says something to the worker; gives the answer, once there is one";
    type Params = MessageParams;
    type Result = MessageResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageParams {
    /// In words; at most 32 KiB.
    pub message: String,
    /// In which conversation. Absent, or one that is not there any more: a new one begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// In whose voice a new one is held; the default persona's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona_id: Option<String>,
    /// The folder, an absolute path, in which goals of a new one work; each has its own if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Files; none are taken yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<serde_json::Value>,
    /// Whether the caller hears the answer as it comes (`conversation.stream.*`); who subscribes with `deltas` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Whether to wait for the answer; if absent, for at most two minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
    /// The same key says the same thing once, for 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageResult {
    /// The conversation.
    pub session_id: String,
    /// What the worker says; empty while it has not.
    pub response: String,
    /// Where the conversation stands: `idle`, `chatting`, `clarifying`, `executing`, `monitoring` or `reporting`.
    pub state: String,
    /// The goal that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_info: Option<TaskInfo>,
    /// The number of the message among the conversation's turns; 0 while it waits for a scheduler.
    #[serde(default)]
    pub turn: u64,
    /// Whether the answer is still to come; it is told by the event `conversation.response`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
}

/// `conversation.history`.
#[derive(Debug)]
pub struct History;

impl Method for History {
    const NAME: &'static str = "conversation.history";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str =
        "Gives the last turns of a conversation, oldest first; none of one that is not there";
    type Params = HistoryParams;
    type Result = HistoryResult;
}

/// Of which conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryParams {
    /// The conversation.
    pub session_id: String,
    /// At most so many turns; all that are kept if absent, which is at most 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What was said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryResult {
    /// The turns.
    pub turns: Vec<Turn>,
}

/// `conversation.end`.
#[derive(Debug)]
pub struct End;

impl Method for End {
    const NAME: &'static str = "conversation.end";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Ends a conversation; its goals go on";
    type Params = EndParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndParams {
    /// The conversation.
    pub session_id: String,
    /// The same key ends it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `conversation.status`.
#[derive(Debug)]
pub struct Status;

impl Method for Status {
    const NAME: &'static str = "conversation.status";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Says where a conversation stands";
    type Params = StatusParams;
    type Result = StatusResult;
}

/// Which conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusParams {
    /// The conversation.
    pub session_id: String,
}

/// Where it stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusResult {
    /// Whether it is there, and has not ended.
    pub exists: bool,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How many turns it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_count: Option<u64>,
    /// The goal that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_info: Option<TaskInfo>,
}

/// `conversation.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "conversation.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists conversations, the one in which something was said last first";
    type Params = ListParams;
    type Result = ListResult;
}

/// Which conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListParams {
    /// Also those that have ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// At most this many; 50 if absent, 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// After this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The conversations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// A page of them.
    pub conversations: Vec<Conversation>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "nextCursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
