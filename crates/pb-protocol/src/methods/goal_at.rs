//! `goal.at`: a goal as it stood at a moment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::debug_queries::ItemWithRuns;
use super::goal::GoalDetail;
use super::{Method, Permission};

/// `goal.at`.
#[derive(Debug)]
pub struct At;

impl Method for At {
    const NAME: &'static str = "goal.at";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Shows a goal as it stood at a moment, by folding its history up to there";
    type Params = AtParams;
    type Result = AtResult;
}

/// Which goal, and when: either `cursor` or `time`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtParams {
    /// The goal's id, or a part of it that no other has.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// A cursor of the log: with all events up to there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A moment, in milliseconds since 1970: with all events before the first one that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

/// The goal as it stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtResult {
    /// The goal, its artifacts and escalations.
    #[serde(flatten)]
    pub detail: GoalDetail,
    /// Its items with their runs.
    pub work_items: Vec<ItemWithRuns>,
    /// The number of the last event before that moment.
    pub seq: u64,
    /// When that happened.
    pub at: u64,
    /// Its cursor.
    pub cursor: String,
}
