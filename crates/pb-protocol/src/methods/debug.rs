//! `debug.*`: what the system tells about its work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, NoParams, Permission};

/// `debug.events.subscribe`.
#[derive(Debug)]
pub struct EventsSubscribe;

impl Method for EventsSubscribe {
    const NAME: &'static str = "debug.events.subscribe";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Sends debug events from a cursor on, then live; one subscription a connection";
    type Params = EventsSubscribeParams;
    type Result = EventsSubscribeResult;
}

/// Which debug events, from where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsSubscribeParams {
    /// A cursor of a debug event, `"start"` for the oldest one that is kept, or absent for what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only events of this goal.
    #[serde(default, rename = "goalId", skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// Only events of these names, if any is given: `llm` is also every name that begins with `llm.`, and a trailing `*`
    /// matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
}

/// It takes the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsSubscribeResult {
    /// Always.
    pub success: bool,
    /// Where it starts: the debug events after this cursor follow.
    pub cursor: String,
    /// Whether `after` could not be served: the trace is another one, or what followed may have been
    /// removed. It starts with the oldest event that is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebase_required: bool,
}

/// `debug.events.unsubscribe`.
#[derive(Debug)]
pub struct EventsUnsubscribe;

impl Method for EventsUnsubscribe {
    const NAME: &'static str = "debug.events.unsubscribe";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Ends the debug events of this connection";
    type Params = NoParams;
    type Result = EventsUnsubscribeResult;
}

/// It is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsUnsubscribeResult {
    /// Always.
    pub success: bool,
}
