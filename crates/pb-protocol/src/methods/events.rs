//! `events.*`: the one history, from any point.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Permission};
use crate::domain::Goal;

/// `events.subscribe`.
#[derive(Debug)]
pub struct Subscribe;

impl Method for Subscribe {
    const NAME: &'static str = "events.subscribe";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Sends events from a cursor on, then live, without a seam";
    type Params = SubscribeParams;
    type Result = SubscribeResult;
}

/// Which events, from where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribeParams {
    /// Only events of this goal.
    #[serde(default, rename = "goalId", skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// Only events of this conversation.
    #[serde(default, rename = "sessionId", skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// A cursor, `"start"`, or absent for a snapshot and what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only events of these names; a trailing `*` matches any rest, as in `goal.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Whether to send, beside the events, what models say and tools print while they do:
    /// `llm.stream.*` and `tool.output`. These are in no log, and are dropped for a client that reads
    /// too slowly; it is told how many. Each is sent once a connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deltas: bool,
}

/// The subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribeResult {
    /// Its id, on this connection.
    #[serde(rename = "subscriptionId")]
    pub subscription_id: String,
    /// Where it starts: the events after this cursor follow.
    pub cursor: String,
    /// The cursor of the last event that there was by then, where that is another: who has that event has caught up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// The goals as they stand at the cursor, when no `after` was given or it could not be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// Whether `after` could not be served, so that what the client has must be replaced by the snapshot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebase_required: bool,
}

/// The goals as they stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// Highest priority first, then oldest first; at most 1000.
    pub goals: Vec<Goal>,
}

/// `events.unsubscribe`.
#[derive(Debug)]
pub struct Unsubscribe;

impl Method for Unsubscribe {
    const NAME: &'static str = "events.unsubscribe";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Ends a subscription of this connection";
    type Params = UnsubscribeParams;
    type Result = UnsubscribeResult;
}

/// Which subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnsubscribeParams {
    /// Its id.
    #[serde(rename = "subscriptionId")]
    pub subscription_id: String,
}

/// It is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnsubscribeResult {
    /// Whether there was one.
    pub success: bool,
}
