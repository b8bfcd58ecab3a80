//! `workitem.*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::GoalIdParams;
use super::{Method, Permission};
use crate::domain::{Run, WorkItem};

/// `workitem.get`.
#[derive(Debug)]
pub struct Get;

impl Method for Get {
    const NAME: &'static str = "workitem.get";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Gives a work item";
    type Params = ItemParams;
    type Result = WorkItem;
}

/// `workitem.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "workitem.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists work items of one goal or of all, those of the latest goals first";
    type Params = ListParams;
    type Result = ListResult;
}

/// Which items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "WorkItemListParams")]
pub struct ListParams {
    /// Only those of this goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// Only those in this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// At most so many; 50 if absent, 500 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// After so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of items.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WorkItemListResult")]
pub struct ListResult {
    /// The page.
    pub work_items: Vec<WorkItem>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "nextCursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

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
    type Params = ItemParams;
    type Result = RunsResult;
}

/// Which item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemParams {
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
