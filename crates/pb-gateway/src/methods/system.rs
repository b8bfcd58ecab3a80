//! `system.*`.

use pb_protocol::RpcError;
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::system::{
    ConnectionStats, Gc, GcParams, GcResult, InfoResult, MethodsResult, PingResult, StatsResult,
};
use pb_protocol::methods::{ALIASES, METHODS, Method, NoParams};
use pb_store::NewCommand;

use super::Caller;
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};

pub(super) fn ping(hub: &Hub) -> PingResult {
    PingResult { pong: true, timestamp: hub.clock.now_ms() }
}

pub(super) fn info(hub: &Hub) -> InfoResult {
    InfoResult {
        name: "PonyBunny Gateway".to_owned(),
        version: pb_runtime::VERSION.to_owned(),
        timestamp: hub.clock.now_ms(),
    }
}

pub(super) fn stats(hub: &Hub) -> StatsResult {
    let (total, pending) = (hub.connections(), hub.access.pending.count() as u64);
    let (authenticated, connections_by_ip) = (total.saturating_sub(pending), hub.places.by_address());
    let connected = hub.link.scheduler().is_some();
    StatsResult {
        connections: ConnectionStats {
            total,
            authenticated,
            pending,
            total_sessions: authenticated,
            pending_connections: pending,
            unique_ips: connections_by_ip.len() as u64,
            connections_by_ip,
        },
        is_running: true,
        address: hub.address.to_string(),
        daemon_connected: connected,
        scheduler_connected: connected,
    }
}

/// Every method that the session may call, and then the other names of those.
pub(super) fn methods(caller: &Caller) -> MethodsResult {
    let may = |name: &str| {
        let found = METHODS.iter().find(|method| method.name == name);
        found.is_some_and(|method| caller.permissions().allow(method.permissions))
    };
    let ours = METHODS.iter().map(|method| method.name).filter(|name| may(name));
    let aliases = ALIASES.iter().filter(|(_, ours)| may(ours)).map(|(alias, _)| *alias);
    MethodsResult { methods: ours.chain(aliases).map(str::to_owned).collect() }
}

pub(super) async fn gc(hub: &Hub, caller: &Caller, params: GcParams) -> Result<GcResult, RpcError> {
    let asked = NoParams {};
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), Gc::NAME, params.idempotency_key.as_deref())?,
        params_digest: commands::digest(&asked)?,
        actor: caller.actor().to_owned(),
        method: Gc::NAME.to_owned(),
        params: "{}".to_owned(),
        goal: String::new(),
        at_ms: hub.clock.now_ms(),
    };
    let bell = SchedulerCommand {
        request_id: command.id.clone(),
        command: "gc".to_owned(),
        goal_id: String::new(),
        reason: None,
    };
    Ok(match commands::hand_over(hub, command, bell).await? {
        Settled::Done(result) => result,
        Settled::Waiting(_) => GcResult { success: true, waiting: true },
    })
}
