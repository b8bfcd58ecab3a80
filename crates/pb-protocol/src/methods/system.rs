//! `system.*`: is anybody there, and how is it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    type Params = NoParams;
    type Result = GcResult;
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
    const DOC: &'static str = "Tells how gateway, link and goals are";
    type Params = NoParams;
    type Result = StatusResult;
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
    /// How many from each address; those of this machine are one.
    pub connections_by_ip: BTreeMap<String, u64>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
}

/// How gateway, link and goals are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// How many WebSocket and event-stream connections are open.
    pub connections: u64,
}

/// The scheduler, as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
