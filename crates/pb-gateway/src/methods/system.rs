//! `system.*`.

use std::collections::BTreeMap;

use pb_model::Lane;
use pb_model::goal::GoalStatus;
use pb_protocol::RpcError;
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::system::{
    ConnectionStats, DiskStatus, GatewayStatus, Gc, GcResult, InfoResult, LaneStatus, MethodsResult,
    PingResult, SchedulerStatus, StatsResult, StatusResult,
};
use pb_protocol::methods::{ALIASES, METHODS, Method, NoParams};
use pb_runtime::{LockHolder, disk};
use pb_store::{LaneCount, NewCommand};

use super::Caller;
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};
use crate::inbox::pending;

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
        },
        connections_by_ip,
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

pub(super) async fn gc(hub: &Hub, caller: &Caller) -> Result<GcResult, RpcError> {
    let asked = NoParams {};
    let command = NewCommand {
        id: commands::id(hub, caller.actor(), Gc::NAME, None)?,
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

pub(super) async fn status(hub: &Hub) -> Result<StatusResult, RpcError> {
    let waiting = pending::rows(hub).await?;
    let (mut goals, mut last_pos, mut read) = (BTreeMap::new(), 0, 0);
    let mut lanes: BTreeMap<String, LaneStatus> =
        Lane::ALL.into_iter().map(|lane| (lane.as_str().to_owned(), LaneStatus::default())).collect();
    if let Some(log) = hub.feed.reader() {
        for (lane, LaneCount { running, ready }) in log.lane_counts().await.map_err(RpcError::internal)? {
            lanes.insert(lane, LaneStatus { running, ready });
        }
        goals.extend(log.goal_counts().await.map_err(RpcError::internal)?);
        last_pos = log.last_pos().await.map_err(RpcError::internal)?;
        read = log.inbox_read(hub.inbox.id()).await.map_err(RpcError::internal)?;
    }
    let waiting: Vec<_> = waiting.into_iter().filter(|row| row.pos > read).collect();
    let submitted = waiting.iter().filter(|row| row.command.method == pending::SUBMIT).count() as u64;
    if submitted > 0 {
        *goals.entry(GoalStatus::Queued.as_str().to_owned()).or_default() += submitted;
    }
    let connected = hub.link.scheduler();
    let holder = LockHolder::alive(&hub.home.scheduler_lock());
    Ok(StatusResult {
        timestamp: hub.clock.now_ms(),
        gateway: GatewayStatus {
            pid: std::process::id(),
            version: pb_runtime::VERSION.to_owned(),
            started_at: hub.started_at_ms,
            connections: hub.connections(),
        },
        scheduler: SchedulerStatus {
            is_connected: connected.is_some(),
            pid: connected
                .as_ref()
                .map(|scheduler| scheduler.pid)
                .or(holder.as_ref().map(|holder| holder.pid)),
            version: connected.map(|scheduler| scheduler.version).or(holder.map(|holder| holder.version)),
            lag_events: last_pos.saturating_sub(hub.feed.last_pos()),
            waiting_commands: waiting.len() as u64,
            legacy_peers: hub.link.legacy_peers(),
        },
        goals,
        disk: disk::free_bytes(hub.home.root())
            .ok()
            .map(|free_bytes| DiskStatus { free_bytes, needed_bytes: hub.free_bytes_min }),
        lanes,
    })
}
