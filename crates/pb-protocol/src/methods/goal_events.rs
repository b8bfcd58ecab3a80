//! `goal.subscribe` and `goal.unsubscribe`: which goals an old client is told about (`wire.md` §2.6, §2.8).
//! Clients with a cursor use `events.subscribe`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::GoalIdParams;
use super::{Method, Permission};

/// `goal.subscribe`.
#[derive(Debug)]
pub struct Subscribe;

impl Method for Subscribe {
    const NAME: &'static str = "goal.subscribe";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str =
        "Sends this connection, from now on, the events of this goal and not of every goal; for old clients";
    type Params = GoalIdParams;
    type Result = Success;
}

/// `goal.unsubscribe`.
#[derive(Debug)]
pub struct Unsubscribe;

impl Method for Unsubscribe {
    const NAME: &'static str = "goal.unsubscribe";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Sends no more events of a goal that goal.subscribe named; for old clients";
    type Params = GoalIdParams;
    type Result = Success;
}

/// It is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Success {
    /// Always true.
    pub success: bool,
}
