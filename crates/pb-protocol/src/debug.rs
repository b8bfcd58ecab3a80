//! Debug events (`wire.md` §3.3): what the parts of the system tell about their work, for people who
//! look into it. Nothing is decided by them. Those of the scheduler stand in its trace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The name of the frames that carry debug events, and of their channel.
pub const CHANNEL: &str = "debug";

/// A debug event. Its id, its time and its context are those that it got where it happened.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DebugEvent {
    /// Its own id.
    pub id: String,
    /// When it happened, in milliseconds since 1970.
    pub timestamp: u64,
    /// Its name, `domain.action`.
    pub r#type: String,
    /// The part of the system that tells it.
    pub source: String,
    /// What is told; docs/TRACE.md has the keys of each name.
    #[schemars(with = "serde_json::Value")]
    pub data: Box<RawValue>,
    /// The goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// The work item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The step: run, place in its journal, incarnation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// The span that it belongs to, in 16 hex digits; docs/TRACE.md has the tree of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The span that this one is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// Its position in the trace; on the link only, clients get a cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos: Option<u64>,
}

/// What a frame named [`CHANNEL`] carries.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DebugData {
    /// [`CHANNEL`].
    pub channel: String,
    /// The event.
    pub event: DebugEvent,
    /// When it happened, as the event says.
    pub timestamp: u64,
}

impl DebugData {
    /// What tells clients of this event.
    pub fn new(event: DebugEvent) -> Self {
        Self { channel: CHANNEL.to_owned(), timestamp: event.timestamp, event }
    }
}
