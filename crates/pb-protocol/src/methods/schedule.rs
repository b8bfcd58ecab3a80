//! `schedule.*`: goals that are run again and again.

use pb_model::schedule::ScheduleSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::goal::Accepted;
use super::{Method, Permission};
use crate::schedule::Schedule;

/// `schedule.add`.
#[derive(Debug)]
pub struct Add;

impl Method for Add {
    const NAME: &'static str = "schedule.add";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Has a goal run again and again, by a cron expression or at intervals";
    type Params = AddParams;
    type Result = Schedule;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What is run, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddParams {
    /// The schedule.
    #[serde(flatten)]
    pub spec: ScheduleSpec,
    /// The same key gives the same schedule, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `schedule.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "schedule.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists schedules, oldest first";
    type Params = ListParams;
    type Result = ListResult;
}

/// Which schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListParams {
    /// Also those that were removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// At most this many; 50 if absent, 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// After this many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The schedules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// This page.
    pub schedules: Vec<Schedule>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "nextCursor", skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `schedule.get`.
#[derive(Debug)]
pub struct Get;

impl Method for Get {
    const NAME: &'static str = "schedule.get";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Shows a schedule with its goal, its last runs and its next slots";
    type Params = GetParams;
    type Result = Schedule;
}

/// Which schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetParams {
    /// The schedule's id, or a part of it that no other schedule has.
    #[serde(rename = "scheduleId")]
    pub schedule_id: String,
}

/// Which schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleParams {
    /// The schedule's id, or a part of it that no other schedule has.
    #[serde(rename = "scheduleId")]
    pub schedule_id: String,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `schedule.run`.
#[derive(Debug)]
pub struct Run;

impl Method for Run {
    const NAME: &'static str = "schedule.run";
    const PERMISSIONS: &[Permission] = &[Permission::Write];
    const DOC: &'static str = "Submits the goal of a schedule now; its slots stay where they are";
    type Params = ScheduleParams;
    type Result = RunResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunResult {
    /// The goal's id.
    #[serde(rename = "goalId")]
    pub goal_id: String,
    /// Whether it waits in the inbox for a scheduler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
}

macro_rules! controls {
    ($($(#[$about:meta])* $method:ident, $name:literal, $doc:literal;)*) => {$(
        $(#[$about])*
        #[derive(Debug)]
        pub struct $method;

        impl Method for $method {
            const NAME: &'static str = $name;
            const PERMISSIONS: &[Permission] = &[Permission::Write];
            const DOC: &'static str = $doc;
            type Params = ScheduleParams;
            type Result = Accepted;

            fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
                params.idempotency_key.get_or_insert_with(fresh_key);
            }
        }
    )*};
}

controls! {
    /// `schedule.pause`.
    Pause, "schedule.pause", "Has a schedule stand still: its slots pass, a goal under way goes on";
    /// `schedule.resume`.
    Resume, "schedule.resume", "Has a schedule go on that was paused, or that broke, with the slots after now";
    /// `schedule.remove`.
    Remove, "schedule.remove", "Ends a schedule; a goal of it that is under way goes on";
}
