//! `goal.pause|resume|retry|prioritize`: what a person may have a goal do. `goal.cancel` is in `goal.rs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, Permission};

/// `goal.pause`.
#[derive(Debug)]
pub struct Pause;

impl Method for Pause {
    const NAME: &'static str = "goal.pause";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Has a goal stand still: steps under way end, nothing new starts";
    type Params = GoalParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// `goal.retry`.
#[derive(Debug)]
pub struct Retry;

impl Method for Retry {
    const NAME: &'static str = "goal.retry";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Tries a goal that failed again: the items that failed, from their start";
    type Params = GoalParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GoalParams {
    /// The goal's id.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `goal.resume`.
#[derive(Debug)]
pub struct Resume;

impl Method for Resume {
    const NAME: &'static str = "goal.resume";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Has a goal go on that was paused, or that is blocked and asks for an answer";
    type Params = ResumeParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which goal, and what is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResumeParams {
    /// The goal's id.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// One of the options of its open escalations, given to each that offers it: `retry`, `skip`, `raise`,
    /// `finish`, `cancel`, and where only one is open `approve` or `deny`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What `raise` raises the cap to: tokens, US dollars, turns or minutes; twice what it is if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `goal.prioritize`.
#[derive(Debug)]
pub struct Prioritize;

impl Method for Prioritize {
    const NAME: &'static str = "goal.prioritize";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Changes which goals come first where there is not room for all";
    type Params = PrioritizeParams;
    type Result = Accepted;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// Which goal, and how important it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrioritizeParams {
    /// The goal's id.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// 0 to 100, higher first.
    pub priority: u8,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}
