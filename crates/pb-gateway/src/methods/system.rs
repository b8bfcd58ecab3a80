//! `system.*`.

use std::collections::BTreeMap;

use pb_model::goal::GoalStatus;
use pb_protocol::RpcError;
use pb_protocol::methods::system::{GatewayStatus, InfoResult, PingResult, SchedulerStatus, StatusResult};
use pb_runtime::LockHolder;

use crate::hub::Hub;
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

pub(super) async fn status(hub: &Hub) -> Result<StatusResult, RpcError> {
    let waiting = pending::rows(hub).await?;
    let (mut goals, mut last_pos, mut read) = (BTreeMap::new(), 0, 0);
    if let Some(log) = hub.feed.reader() {
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
    })
}
