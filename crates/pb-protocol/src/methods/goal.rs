//! `goal.*`.

use pb_model::GoalSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Permission};
use crate::domain::{Artifact, Escalation, Goal};

/// `goal.submit`.
#[derive(Debug)]
pub struct Submit;

impl Method for Submit {
    const NAME: &'static str = "goal.submit";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str =
        "Asks for a goal; it is on the disk before the answer, also while no scheduler runs";
    type Params = SubmitParams;
    type Result = Goal;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubmitParams {
    /// The goal.
    #[serde(flatten)]
    pub spec: GoalSpec,
    /// The same key gives the same goal, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `goal.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "goal.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists goals, highest priority first, then oldest first";
    type Params = ListParams;
    type Result = ListResult;
}

/// Which goals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListParams {
    /// Only goals in this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// At most this many; 50 if absent, 1000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// After this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Whether the page is counted from the goals that were asked for last, whatever their priority. The order is
    /// the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub latest: bool,
}

/// The goals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// This page.
    pub goals: Vec<Goal>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "nextCursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A goal, by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GoalIdParams {
    /// The goal's id.
    #[serde(rename = "goalId")]
    pub goal_id: String,
}

/// `goal.status`.
#[derive(Debug)]
pub struct Status;

impl Method for Status {
    const NAME: &'static str = "goal.status";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Shows a goal with its artifacts and escalations";
    type Params = GoalIdParams;
    type Result = GoalDetail;
}

/// A goal with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalDetail {
    /// The goal.
    #[serde(flatten)]
    pub goal: Goal,
    /// What it delivered.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// What a human was asked.
    #[serde(default)]
    pub escalations: Vec<Escalation>,
}

/// `goal.cancel`.
#[derive(Debug)]
pub struct Cancel;

impl Method for Cancel {
    const NAME: &'static str = "goal.cancel";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Stops a goal and everything that it started";
    type Params = CancelParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which goal, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelParams {
    /// The goal's id.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The goal does what was asked; a cancellation is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// Always true.
    pub success: bool,
    /// Whether it waits in the inbox for a scheduler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
}

/// `goal.plan`.
#[derive(Debug)]
pub struct Plan;

impl Method for Plan {
    const NAME: &'static str = "goal.plan";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Writes the plan of a goal as a goal file, which can be edited and run again";
    type Params = GoalIdParams;
    type Result = PlanResult;
}

/// The plan of a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanResult {
    /// A goal file, as TOML.
    #[serde(rename = "goalFile")]
    pub goal_file: String,
    /// What was asked, with the items of the plan: the goal of `goalFile`, as `goal.submit` takes it.
    pub spec: GoalSpec,
}

/// `goal.steps`.
#[derive(Debug)]
pub struct Steps;

impl Method for Steps {
    const NAME: &'static str = "goal.steps";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Shows the journal of a goal: every step with its output";
    type Params = GoalIdParams;
    type Result = StepsResult;
}

/// The journal of a goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepsResult {
    /// The steps, in the order in which they began.
    pub steps: Vec<StepView>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    /// Its number in this list, from 1.
    pub step: u32,
    /// The item's key.
    pub item: String,
    /// The run.
    pub run_id: String,
    /// Which attempt the run is.
    pub attempt: u32,
    /// Place in the run's journal.
    pub n: u32,
    /// The incarnation that ran it.
    pub epoch: u64,
    /// `tool` or `gate`.
    pub kind: String,
    /// What was done.
    pub label: String,
    /// When it began.
    pub started_at: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
    /// `ok`, `error` or `unknown`; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How it ended, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What it printed; the middle is left out when it was long.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}
