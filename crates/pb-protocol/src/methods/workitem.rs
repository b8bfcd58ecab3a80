//! `workitem.*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::GoalIdParams;
use super::{Method, Permission};
use crate::domain::{Run, WorkItem};

/// `workitem.byGoal`.
#[derive(Debug)]
pub struct ByGoal;

impl Method for ByGoal {
    const NAME: &'static str = "workitem.byGoal";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists the work items of a goal, in plan order";
    type Params = GoalIdParams;
    type Result = ByGoalResult;
}

/// The items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ByGoalResult {
    /// In plan order.
    #[serde(rename = "workItems")]
    pub work_items: Vec<WorkItem>,
}

/// `workitem.runs`.
#[derive(Debug)]
pub struct Runs;

impl Method for Runs {
    const NAME: &'static str = "workitem.runs";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists the attempts at a work item, with what their gates found";
    type Params = RunsParams;
    type Result = RunsResult;
}

/// Which item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunsParams {
    /// The item's id.
    #[serde(rename = "workItemId")]
    pub work_item_id: String,
}

/// The attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunsResult {
    /// First attempt first.
    pub runs: Vec<Run>,
}
