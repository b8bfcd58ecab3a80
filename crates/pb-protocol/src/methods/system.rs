//! `system.*`: is anybody there, and how is it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::machine::{Machine, Processes};
use super::{Method, NoParams, Permission};

/// `system.ping`.
#[derive(Debug)]
pub struct Ping;

impl Method for Ping {
    const NAME: &'static str = "system.ping";
    const PERMISSIONS: &[Permission] = &[];
    const DOC: &'static str = "Tells that the gateway answers";
    type Params = NoParams;
    type Result = PingResult;
}

/// The answer to a ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PingResult {
    /// Always true.
    pub pong: bool,
    /// The gateway's clock, in milliseconds since 1970.
    pub timestamp: u64,
}

/// `system.info`.
#[derive(Debug)]
pub struct Info;

impl Method for Info {
    const NAME: &'static str = "system.info";
    const PERMISSIONS: &[Permission] = &[];
    const DOC: &'static str = "Names the gateway and its version";
    type Params = NoParams;
    type Result = InfoResult;
}

/// The gateway's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InfoResult {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its clock.
    pub timestamp: u64,
}

/// `system.methods`.
#[derive(Debug)]
pub struct Methods;

impl Method for Methods {
    const NAME: &'static str = "system.methods";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Names the methods that this session may call";
    type Params = NoParams;
    type Result = MethodsResult;
}

/// The methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodsResult {
    /// Their names, and then the other names of some.
    pub methods: Vec<String>,
}

/// `system.gc`.
#[derive(Debug)]
pub struct Gc;

impl Method for Gc {
    const NAME: &'static str = "system.gc";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Compacts goals that ended long ago now, and not within the hour";
    type Params = GcParams;
    type Result = GcResult;

    fn make_repeatable(params: &mut Self::Params, fresh_key: impl FnOnce() -> String) {
        params.idempotency_key.get_or_insert_with(fresh_key);
    }
}

/// A request to compact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GcParams {
    /// The same key is done once, for 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The scheduler was asked to compact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GcResult {
    /// Always true.
    pub success: bool,
    /// Whether it waits for a scheduler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
}

/// `system.status`.
#[derive(Debug)]
pub struct Status;

impl Method for Status {
    const NAME: &'static str = "system.status";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str =
        "Tells how gateway, link and goals are; to who is admin also of machine and processes";
    type Params = StatusParams;
    type Result = StatusResult;
}

/// How much is to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StatusParams {
    /// Leaves out the machine, the processes, and what the scheduler has done: they take some milliseconds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
}

/// `system.stats`.
#[derive(Debug)]
pub struct Stats;

impl Method for Stats {
    const NAME: &'static str = "system.stats";
    const PERMISSIONS: &[Permission] = &[Permission::Admin];
    const DOC: &'static str = "Counts the connections of the gateway, in all and by address";
    type Params = NoParams;
    type Result = StatsResult;
}

/// Connections. Clients of the first implementation read this in two shapes; it has the keys of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatsResult {
    /// How many there are.
    pub connections: ConnectionStats,
    /// Always true: it answers.
    pub is_running: bool,
    /// Where programs of this machine connect to.
    pub address: String,
    /// Whether a scheduler is connected.
    pub daemon_connected: bool,
    /// The same, by its other name.
    pub scheduler_connected: bool,
}

/// How many connections there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStats {
    /// Both kinds: `WebSocket` and event stream.
    pub total: u64,
    /// Those that said who they are.
    pub authenticated: u64,
    /// Those that did not yet.
    pub pending: u64,
    /// As `authenticated`.
    pub total_sessions: u64,
    /// As `pending`.
    pub pending_connections: u64,
    /// From how many addresses they come.
    pub unique_ips: u64,
    /// How many from each; those of this machine are one.
    pub connections_by_ip: BTreeMap<String, u64>,
}

/// How gateway, link and goals are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusResult {
    /// The gateway's clock.
    pub timestamp: u64,
    /// The gateway itself.
    pub gateway: GatewayStatus,
    /// The scheduler, as the gateway sees it.
    pub scheduler: SchedulerStatus,
    /// How many goals there are in each status. `queued` includes those in the inbox.
    pub goals: BTreeMap<String, u64>,
    /// The disk of the home; absent when the system does not tell, or the gateway is of an older version.
    #[serde(default)]
    pub disk: Option<DiskStatus>,
    /// What runs in each lane, by its name; empty when the gateway is of an older version.
    #[serde(default)]
    pub lanes: BTreeMap<String, LaneStatus>,
    /// The machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Machine>,
    /// The processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<Processes>,
}

/// What runs in a lane. How much may is up to the scheduler's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneStatus {
    /// How many items of all goals run in it.
    pub running: u64,
    /// How many are ready, and wait for room in it or for another item of their goal.
    pub ready: u64,
}

/// The disk of the home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskStatus {
    /// What is left, in bytes.
    pub free_bytes: u64,
    /// What has to be left for new goals, in bytes.
    pub needed_bytes: u64,
}

/// The gateway itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Since when, in milliseconds since 1970.
    pub started_at: u64,
    /// Its connections.
    #[serde(deserialize_with = "counted")]
    pub connections: Connections,
    /// Always true: it answers.
    #[serde(default)]
    pub is_running: bool,
    /// Whether a scheduler is connected.
    #[serde(default)]
    pub daemon_connected: bool,
    /// The same, by its other name.
    #[serde(default)]
    pub scheduler_connected: bool,
}

/// How many WebSocket and event-stream connections there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// All of them.
    pub total: u64,
    /// Those that said who they are.
    pub authenticated: u64,
    /// Those that did not yet.
    pub pending: u64,
    /// How many from each address; those of this machine are one. Told to who is admin.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_ip: BTreeMap<String, u64>,
}

/// A gateway of an earlier version tells one number.
fn counted<'de, D: Deserializer<'de>>(reader: D) -> Result<Connections, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        Total(u64),
        Whole(Connections),
    }
    Ok(match Told::deserialize(reader)? {
        Told::Total(total) => Connections { total, authenticated: total, ..Connections::default() },
        Told::Whole(connections) => connections,
    })
}

/// The scheduler, as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerStatus {
    /// Whether it is connected.
    pub is_connected: bool,
    /// Its process id.
    pub pid: Option<u32>,
    /// Its version.
    pub version: Option<String>,
    /// How many events the log has that the gateway has not seen yet.
    pub lag_events: u64,
    /// How many commands wait in the inbox.
    pub waiting_commands: u64,
    /// How many schedulers without a log are connected: what they say is shown live, and is nowhere else.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub legacy_peers: u64,
    /// How it is; absent while none is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SchedulerSummary>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<WorkSummary>,
    /// What it works with; absent until it has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
}

/// How a scheduler is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerSummary {
    /// `running` while it has goals that are active, else `idle`.
    pub status: String,
    /// How many goals are active.
    pub active_goals: u64,
    /// When it wrote to the log last, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tick_at: Option<u64>,
    /// How many items have failed.
    pub error_count: u64,
}

/// What was done, of all goals that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkSummary {
    /// Goals that have ended.
    pub goals_processed: u64,
    /// Items that are done.
    pub work_items_completed: u64,
    /// Tokens that were paid for.
    pub total_tokens_used: u64,
    /// How long a run took on average, of the latest 1,000, in milliseconds.
    pub average_completion_time: f64,
}

/// What a scheduler works with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// The models that it found.
    pub models: Vec<CapableModel>,
    /// Whom they are of.
    pub providers: Vec<CapableProvider>,
    /// How many there are.
    pub summary: CapabilitySummary,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapableModel {
    /// Its whole name: provider, slash, model.
    pub name: String,
    /// Its name without the provider.
    pub display_name: String,
    /// The providers that serve it.
    pub endpoints: Vec<String>,
}

/// A provider of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapableProvider {
    /// Its name.
    pub name: String,
    /// Always true: others are not told.
    pub enabled: bool,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitySummary {
    /// Models.
    pub total_models: u64,
    /// Providers.
    pub total_providers: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
