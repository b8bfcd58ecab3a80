//! `debug.*` that looks at everything at once, in the shapes of the first implementation (`wire.md` §2.6).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::debug_queries::LaneStatus;
use super::{Method, NoParams, Permission};
use crate::debug::DebugEvent;

/// Most goals of which `debug.scheduler` and `debug.snapshot` tell how they are.
pub const GOAL_STATES_MAX: usize = 500;
/// Debug events in a snapshot.
pub const SNAPSHOT_EVENTS: usize = 20;
/// Most connections that `debug.gateway` lists.
pub const SESSIONS_MAX: usize = 1_000;

/// `debug.snapshot`.
#[derive(Debug)]
pub struct Snapshot;

impl Method for Snapshot {
    const NAME: &'static str = "debug.snapshot";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str =
        "Shows scheduler, connections, goals, items and the latest debug events at once";
    type Params = NoParams;
    type Result = SnapshotResult;
}

/// Everything at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotResult {
    /// The gateway's clock, in milliseconds since 1970.
    pub timestamp: u64,
    /// The scheduler; null while none is connected.
    pub scheduler: Option<SnapshotScheduler>,
    /// The gateway.
    pub gateway: SnapshotGateway,
    /// Goals of the log.
    pub goals: Counted,
    /// Their items.
    pub work_items: Counted,
    /// The latest debug events, the latest first.
    pub recent_events: Vec<DebugEvent>,
}

/// The scheduler in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotScheduler {
    /// How it is.
    pub state: SchedulerState,
    /// What it has done.
    pub metrics: SchedulerMetrics,
    /// How the goals are that have not ended; 500 at most.
    pub goal_states: Vec<GoalExecutionState>,
}

/// The gateway in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotGateway {
    /// Its connections.
    pub connections: ConnectionCounts,
}

/// How many connections there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionCounts {
    /// `WebSocket` and event stream.
    pub total: u64,
    /// Those that said who they are.
    pub authenticated: u64,
    /// Those that did not yet.
    pub pending: u64,
}

/// Rows by their status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// All of them.
    pub total: u64,
    /// By status; one without rows may be absent.
    pub by_status: BTreeMap<String, u64>,
}

impl FromIterator<(String, u64)> for Counted {
    fn from_iter<T: IntoIterator<Item = (String, u64)>>(rows: T) -> Self {
        let by_status: BTreeMap<_, _> = rows.into_iter().collect();
        Self { total: by_status.values().sum(), by_status }
    }
}

/// How a scheduler is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerState {
    /// `running` while it has goals that are active, else `idle`.
    pub status: String,
    /// The goals that are active; 500 at most.
    pub active_goals: Vec<String>,
    /// The lanes by name.
    pub lanes: BTreeMap<String, LaneStatus>,
    /// When it wrote to the log last, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tick_at: Option<u64>,
    /// How many items have failed.
    pub error_count: u64,
}

/// What a scheduler has done. Of runs, the latest 1,000 are looked at for averages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerMetrics {
    /// Goals that have ended.
    pub total_goals_processed: u64,
    /// Items that are done.
    pub total_work_items_completed: u64,
    /// Runs that have begun.
    pub total_runs_executed: u64,
    /// How long a run took on average, in milliseconds; 0 before the first has ended.
    pub average_work_item_duration_ms: f64,
    /// How many of the runs that ended did so with success, from 0 to 1; 0 before the first.
    pub success_rate: f64,
    /// Goals that are active.
    pub current_active_goals: u64,
    /// Items that run.
    pub current_active_work_items: u64,
}

/// How a goal goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GoalExecutionState {
    /// The goal.
    pub goal_id: String,
    /// `pending`, `running`, `paused`, `completed`, `failed` or `cancelled`; one that waits for a person is `paused`.
    pub status: String,
    /// The item that runs; the first of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_work_item_id: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_run_id: Option<String>,
    /// Since when something of it runs, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<u64>,
}

/// `debug.scheduler`.
#[derive(Debug)]
pub struct Scheduler;

impl Method for Scheduler {
    const NAME: &'static str = "debug.scheduler";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Shows how the scheduler is and what it has done; null while none is connected";
    type Params = NoParams;
    type Result = Option<SchedulerResult>;
}

/// How a scheduler is, and what it has done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerResult {
    /// How it is.
    #[serde(flatten)]
    pub state: SchedulerState,
    /// What it has done.
    pub metrics: SchedulerMetrics,
    /// How the goals are that have not ended; 500 at most.
    pub goal_states: Vec<GoalExecutionState>,
}

/// `debug.gateway`.
#[derive(Debug)]
pub struct Gateway;

impl Method for Gateway {
    const NAME: &'static str = "debug.gateway";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Lists who is connected";
    type Params = NoParams;
    type Result = GatewayResult;
}

/// Who is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatewayResult {
    /// How many there are.
    pub connections: ConnectionCounts,
    /// WebSocket connections, the oldest first; 1,000 at most.
    pub sessions: Vec<SessionView>,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its session's id, as it was told itself.
    pub id: String,
    /// Who it is: `local:` and a user id, `token`, or `token:` and an access token's id.
    pub public_key: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// The goals that it named with `goal.subscribe`; empty where it is told about all.
    pub subscribed_goals: Vec<String>,
    /// Since when, in milliseconds since 1970.
    pub connected_at: u64,
}
