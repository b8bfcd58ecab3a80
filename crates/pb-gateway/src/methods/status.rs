//! `system.status`.

use std::collections::{BTreeMap, BTreeSet};

use pb_model::Lane;
use pb_model::goal::{GoalStatus, ItemStatus};
use pb_protocol::methods::machine::{DaemonProcess, Machine, ProcessFigures, Processes};
use pb_protocol::methods::system::{
    Capabilities, CapabilitySummary, CapableModel, CapableProvider, Connections, DiskStatus, GatewayStatus,
    LaneStatus, SchedulerStatus, SchedulerSummary, StatusParams, StatusResult, WorkSummary,
};
use pb_protocol::{Permission, RpcError};
use pb_runtime::{LockHolder, SchedulerInfo, disk};
use pb_store::{LaneCount, LogReader};

use super::Caller;
use super::debug_overview::{LATEST_RUNS, average, ended, last_event_at};
use crate::hub::Hub;
use crate::inbox::pending;
use crate::machine;

pub(super) async fn status(
    hub: &Hub,
    caller: &Caller,
    params: StatusParams,
) -> Result<StatusResult, RpcError> {
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
    let pid = connected.as_ref().map(|scheduler| scheduler.pid).or(holder.as_ref().map(|holder| holder.pid));
    let is_admin = caller.permissions().allow(&[Permission::Admin]);
    let mut result = StatusResult {
        timestamp: hub.clock.now_ms(),
        gateway: gateway(hub, is_admin, connected.is_some()),
        scheduler: SchedulerStatus {
            is_connected: connected.is_some(),
            pid,
            version: connected
                .map(|scheduler| scheduler.version)
                .or(holder.as_ref().map(|holder| holder.version.clone())),
            lag_events: last_pos.saturating_sub(hub.feed.last_pos()),
            waiting_commands: waiting.len() as u64,
            legacy_peers: hub.link.legacy_peers(),
            state: None,
            metrics: None,
            capabilities: pid.and_then(|pid| capabilities(hub, pid)),
        },
        goals,
        disk: disk::free_bytes(hub.home.root())
            .ok()
            .map(|free_bytes| DiskStatus { free_bytes, needed_bytes: hub.free_bytes_min }),
        lanes,
        system: None,
        processes: None,
    };
    if is_admin && !params.brief {
        add_work(hub, &mut result).await?;
        result.processes = processes(hub, holder.as_ref());
        if let Some(processes) = &result.processes {
            result.system = machine(processes.current.clone()).await;
        }
    }
    Ok(result)
}

fn gateway(hub: &Hub, is_admin: bool, is_connected: bool) -> GatewayStatus {
    let (total, pending) = (hub.connections(), hub.access.pending.count() as u64);
    GatewayStatus {
        pid: std::process::id(),
        version: pb_runtime::VERSION.to_owned(),
        started_at: hub.started_at_ms,
        connections: Connections {
            total,
            authenticated: total.saturating_sub(pending),
            pending,
            by_ip: if is_admin { hub.places.by_address() } else { BTreeMap::new() },
        },
        is_running: true,
        daemon_connected: is_connected,
        scheduler_connected: is_connected,
    }
}

/// What was done, and whether something is.
async fn add_work(hub: &Hub, result: &mut StatusResult) -> Result<(), RpcError> {
    let Some(log) = hub.feed.reader() else { return Ok(()) };
    let counts = log.work_counts(LATEST_RUNS).await.map_err(RpcError::internal)?;
    let active = result.goals.get(GoalStatus::Active.as_str()).copied().unwrap_or_default();
    if result.scheduler.is_connected {
        result.scheduler.state = Some(SchedulerSummary {
            status: if active > 0 { "running" } else { "idle" }.to_owned(),
            active_goals: active,
            last_tick_at: last_event_at(&log).await?,
            error_count: counts.items_in(ItemStatus::Failed),
        });
    }
    result.scheduler.metrics = Some(WorkSummary {
        goals_processed: ended(&result.goals),
        work_items_completed: counts.items_in(ItemStatus::Done),
        total_tokens_used: tokens(&log).await?,
        average_completion_time: average(counts.took_ms, counts.ended),
    });
    Ok(())
}

async fn tokens(log: &LogReader) -> Result<u64, RpcError> {
    let goals = log.costs().await.map_err(RpcError::internal)?;
    let sessions = log.session_costs().await.map_err(RpcError::internal)?;
    let lines = goals.iter().flat_map(|goal| &goal.lines);
    let lines = lines.chain(sessions.iter().flat_map(|session| &session.lines));
    Ok(lines.map(|line| line.amount.tokens).sum())
}

/// What the scheduler found when it started, in its own file.
fn capabilities(hub: &Hub, pid: u32) -> Option<Capabilities> {
    let info = SchedulerInfo::read(&hub.home.scheduler_json(), pid)?;
    let named: Vec<_> = info.models.iter().filter_map(|name| name.split_once('/')).collect();
    let providers: BTreeSet<_> = named.iter().map(|(provider, _)| *provider).collect();
    Some(Capabilities {
        summary: CapabilitySummary {
            total_models: named.len() as u64,
            total_providers: providers.len() as u64,
        },
        models: named
            .iter()
            .map(|(provider, model)| CapableModel {
                name: format!("{provider}/{model}"),
                display_name: (*model).to_owned(),
                endpoints: vec![(*provider).to_owned()],
            })
            .collect(),
        providers: providers
            .into_iter()
            .map(|name| CapableProvider { name: name.to_owned(), enabled: true })
            .collect(),
    })
}

/// The processes, as `/proc` tells of them; `None` where it does not.
fn processes(hub: &Hub, scheduler: Option<&LockHolder>) -> Option<Processes> {
    let now = hub.clock.now_ms();
    let ours = machine::figures(std::process::id(), now.saturating_sub(hub.started_at_ms))?;
    let theirs =
        scheduler.and_then(|holder| machine::figures(holder.pid, now.saturating_sub(holder.started_at_ms)));
    let socket_path = Some(hub.home.gateway_socket().display().to_string());
    let word = |is_running| if is_running { "running" } else { "stopped" }.to_owned();
    Some(Processes {
        current: ours.clone(),
        gateway: DaemonProcess {
            r#type: "gateway".to_owned(),
            status: word(true),
            started_at: Some(hub.started_at_ms),
            socket_path: socket_path.clone(),
            db_path: None,
            figures: Some(ours),
        },
        scheduler: DaemonProcess {
            r#type: "scheduler".to_owned(),
            status: word(theirs.is_some()),
            started_at: scheduler.map(|holder| holder.started_at_ms),
            socket_path,
            db_path: Some(hub.state_db.display().to_string()),
            figures: theirs,
        },
    })
}

/// The machine that `process` runs on. What the system does not tell is left out, and the rest is told all the same.
async fn machine(process: ProcessFigures) -> Option<Machine> {
    let looked = tokio::task::spawn_blocking(move || machine::look(process)).await.ok()?;
    looked.inspect_err(|error| tracing::warn!(%error, "the system tells nothing of this machine")).ok()
}
