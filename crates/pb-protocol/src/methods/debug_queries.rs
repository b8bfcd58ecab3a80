//! `debug.*` that looks once: what the first implementation's debug pages ask for (`wire.md` §2.6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::{ListParams as GoalListParams, ListResult as GoalListResult};
use super::workitem::{ListParams as ItemListParams, ListResult as ItemListResult};
use super::{Method, NoParams, Permission};
use crate::debug::DebugEvent;
use crate::domain::{Escalation, Goal, Run, WorkItem};

/// Most rows of one answer.
pub const DEBUG_LIMIT_MAX: usize = 500;
/// Rows of an answer if nobody says how many.
pub const DEBUG_LIMIT_DEFAULT: usize = 100;

/// `debug.lanes`.
#[derive(Debug)]
pub struct Lanes;

impl Method for Lanes {
    const NAME: &'static str = "debug.lanes";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Shows what runs and what waits in each lane";
    type Params = NoParams;
    type Result = LanesResult;
}

/// Every lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanesResult {
    /// `main`, `subagent`, `cron`, `session`.
    pub lanes: Vec<Lane>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DebugLane")]
pub struct Lane {
    /// Its name.
    pub lane_id: String,
    /// How many items there are in it.
    pub status: LaneStatus,
    /// Those that run; 500 of all lanes together at most.
    pub active_items: Vec<LaneItem>,
    /// Those that are ready and wait for a place; as many at most.
    pub queued_items: Vec<LaneItem>,
}

/// How many items there are in a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DebugLaneStatus")]
pub struct LaneStatus {
    /// The lane's name.
    pub lane_id: String,
    /// Items that run.
    pub active_count: u64,
    /// Items that are ready.
    pub queued_count: u64,
    /// Whether one more could run, by the limits in config.toml.
    pub is_available: bool,
}

/// An item in a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneItem {
    /// Its id.
    pub work_item_id: String,
    /// Its goal.
    pub goal_id: String,
    /// Its title.
    pub title: String,
}

/// `debug.goal`.
#[derive(Debug)]
pub struct OneGoal;

impl Method for OneGoal {
    const NAME: &'static str = "debug.goal";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str =
        "Shows a goal with its items, their runs, and what was asked; null if there is none";
    type Params = OneGoalParams;
    type Result = Option<OneGoalResult>;
}

/// Which goal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OneGoalParams {
    /// Its id, or a part of that which no other has.
    pub goal_id: String,
}

/// All that is known of a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneGoalResult {
    /// The goal.
    pub goal: Goal,
    /// Its items.
    pub work_items: Vec<ItemWithRuns>,
    /// What was asked about it.
    pub escalations: Vec<Escalation>,
}

/// An item and its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemWithRuns {
    /// The item.
    pub work_item: WorkItem,
    /// Its runs, the first one first.
    pub runs: Vec<Run>,
}

/// `debug.goals`.
#[derive(Debug)]
pub struct Goals;

impl Method for Goals {
    const NAME: &'static str = "debug.goals";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Lists goals, as goal.list does";
    type Params = GoalListParams;
    type Result = GoalListResult;
}

/// `debug.workitems`.
#[derive(Debug)]
pub struct WorkItems;

impl Method for WorkItems {
    const NAME: &'static str = "debug.workitems";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Lists work items, as workitem.list does";
    type Params = ItemListParams;
    type Result = ItemListResult;
}

/// `debug.runs`.
#[derive(Debug)]
pub struct Runs;

impl Method for Runs {
    const NAME: &'static str = "debug.runs";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Lists runs of all goals, the latest first";
    type Params = RunsParams;
    type Result = RunsResult;
}

/// Which runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RunsParams {
    /// Only those of this item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// Only those in this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// At most so many; 100 if absent, 500 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunsResult {
    /// The latest first.
    pub runs: Vec<Run>,
    /// How many those are.
    pub total: u64,
}

/// `debug.events`.
#[derive(Debug)]
pub struct Events;

impl Method for Events {
    const NAME: &'static str = "debug.events";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Lists debug events, the latest first";
    type Params = EventsParams;
    type Result = EventsResult;
}

/// Which debug events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EventsParams {
    /// At most so many; 100 if absent, 500 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Without the latest so many; ignored with `type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// Only those of this name, or that begin with it and a dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// Debug events.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EventsResult {
    /// The latest first.
    pub events: Vec<DebugEvent>,
    /// How many those are.
    pub total: u64,
}
