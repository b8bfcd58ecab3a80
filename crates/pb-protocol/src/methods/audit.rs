//! `audit.*`: who did what, read from what is recorded anyway (`wire.md` §2.6). Nothing is written for it, so it cannot
//! say anything else than the log does; what was compacted is gone from it too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Method, NoParams, Permission};
use crate::audit::AuditEntry;

/// Entries on a page if nobody says how many.
pub const AUDIT_LIMIT_DEFAULT: usize = 100;
/// Most entries on a page.
pub const AUDIT_LIMIT_MAX: usize = 1_000;

macro_rules! list_of {
    ($method:ident, $name:literal, $doc:literal, $params:ident) => {
        #[doc = concat!("`", $name, "`.")]
        #[derive(Debug)]
        pub struct $method;

        impl Method for $method {
            const NAME: &'static str = $name;
            const PERMISSIONS: &[Permission] = &[Permission::Read];
            const DOC: &'static str = $doc;
            type Params = $params;
            type Result = AuditResult;
        }
    };
}

list_of!(List, "audit.list", "Lists who did what, the latest first", PageParams);
list_of!(ByGoal, "audit.byGoal", "Lists who did what about a goal, the latest first", ByGoalParams);
list_of!(ByEntity, "audit.byEntity", "Lists who did what to one thing, the latest first", ByEntityParams);
list_of!(
    ByAction,
    "audit.byAction",
    "Lists who did one thing, or one kind of it, the latest first",
    ByActionParams
);
list_of!(
    ByTimeRange,
    "audit.byTimeRange",
    "Lists who did what between two moments, the latest first",
    ByTimeRangeParams
);
list_of!(ByActor, "audit.byActor", "Lists what somebody did, the latest first", ByActorParams);

/// Which page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PageParams {
    /// At most so many entries; 100 if absent, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Without the first so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What comes after the page that told this as `nextCursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Of which goal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ByGoalParams {
    /// Its id, or a part of that which no other has.
    pub goal_id: String,
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// Of which thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ByEntityParams {
    /// `goal`, `work_item`, `run`, `artifact`, `escalation`, `permission` or `tool`.
    pub entity_type: String,
    /// Its id.
    pub entity_id: String,
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// Of which action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ByActionParams {
    /// Exactly this one, such as `goal.created`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// All that begin so, such as `run.`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_prefix: Option<String>,
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// Of when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ByTimeRangeParams {
    /// From this moment on, in milliseconds since 1970.
    pub from: u64,
    /// Up to this one, which is in it.
    pub to: u64,
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// By whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ByActorParams {
    /// Who, as `actor` of an entry says it.
    pub actor: String,
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditResult {
    /// The latest first.
    pub logs: Vec<AuditEntry>,
    /// How many are on this page: to count all of them, the whole log would have to be read.
    pub total: u64,
    /// Where the next page begins; absent on the last one. A page may be short, even empty, and not the last:
    /// where little fits, a call looks at so much of the log and no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `audit.prune`.
#[derive(Debug)]
pub struct Prune;

impl Method for Prune {
    const NAME: &'static str = "audit.prune";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Compacts goals that ended so long ago: their results stay, who did what goes";
    type Params = PruneParams;
    type Result = PruneResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// How long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PruneParams {
    /// Goals that ended before so many days; 1 at least.
    pub older_than_days: u64,
    /// The same key gives the same answer, for 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// What is compacted, beginning now. A scheduler that ends meanwhile leaves the rest: ask again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PruneResult {
    /// How many events go.
    pub deleted: u64,
    /// Of how many goals; 1,000 at most, the rest at the next call.
    pub goals: u64,
    /// Whether it waits for a scheduler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
}

/// `audit.stats`.
#[derive(Debug)]
pub struct Stats;

impl Method for Stats {
    const NAME: &'static str = "audit.stats";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Counts the latest entries by action, thing and actor";
    type Params = NoParams;
    type Result = StatsResult;
}

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatsResult {
    /// How many entries were counted.
    pub total: u64,
    /// By action.
    pub by_action: BTreeMap<String, u64>,
    /// By what they are about.
    pub by_entity_type: BTreeMap<String, u64>,
    /// By whether a person or a process did it.
    pub by_actor_type: BTreeMap<String, u64>,
    /// When the first of them was, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_timestamp: Option<u64>,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_timestamp: Option<u64>,
    /// Whether everything in the log was counted; else only the latest.
    pub complete: bool,
}
