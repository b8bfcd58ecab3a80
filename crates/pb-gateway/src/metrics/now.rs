//! The page: what was counted, and how things stand at this moment.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Labels, PREFIX};
use crate::health::PROTOCOL;
use crate::hub::{CONNECTIONS_MAX, Hub};

/// Writes everything. What cannot be found out is left out.
///
/// # Errors
/// Never in practice: text is written to memory.
pub(crate) async fn page(hub: &Hub) -> Result<String, fmt::Error> {
    let mut now = Registry::with_prefix(PREFIX);
    connections(hub, &mut now);
    work(hub, &mut now).await;
    process(hub, &mut now).await;
    let mut text = String::new();
    encode(&mut text, &hub.metrics.registry)?;
    encode(&mut text, &now)?;
    Ok(text)
}

fn gauge(to: &mut Registry, name: &str, what: &str, value: u64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    to.register(name, what, gauge);
}

fn connections(hub: &Hub, to: &mut Registry) {
    let states = Family::<Labels<1>, Gauge>::default();
    let seated = hub.connections();
    let held = |counted: &Arc<()>| Arc::strong_count(counted) as u64 - 1;
    let (streams, http) = (held(&hub.event_streams), held(&hub.http_connections));
    for (state, count) in [
        ("http", http.saturating_sub(streams)),
        ("event_stream", streams),
        ("websocket", seated.saturating_sub(streams)),
    ] {
        states.get_or_create(&[("state", state)]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    to.register("connections", "Connections by what they are used for", states);
    gauge(to, "sessions", "WebSockets and event streams that are served", hub.sessions.len() as u64);
    gauge(to, "connections_max", "Most WebSockets and event streams at once", CONNECTIONS_MAX as u64);
}

async fn work(hub: &Hub, to: &mut Registry) {
    let schedulers = u64::from(hub.link.scheduler().is_some());
    gauge(to, "link_connected", "Whether a scheduler is connected", schedulers);
    gauge(to, "link_legacy_peers", "Connected schedulers that keep no log", hub.link.legacy_peers());
    let waiting = hub.waiting_commands.load(Ordering::Relaxed);
    gauge(to, "inbox_waiting_commands", "Commands that wait for the scheduler", waiting);
    let seen = hub.feed.last_pos();
    gauge(to, "log_position", "The last event that the gateway has read", seen);
    let Some(log) = hub.feed.reader() else { return };
    if let Ok(last) = log.last_pos().await {
        let what = "Events in the log that the gateway has not read yet";
        gauge(to, "log_lag_events", what, last.saturating_sub(seen));
    }
    if let Ok(counts) = log.goal_counts().await {
        let goals = Family::<Vec<(&'static str, String)>, Gauge>::default();
        for (status, count) in counts {
            let value = i64::try_from(count).unwrap_or(i64::MAX);
            goals.get_or_create(&vec![("status", status)]).set(value);
        }
        to.register("goals", "Goals by status", goals);
    }
}

async fn process(hub: &Hub, to: &mut Registry) {
    let uptime_s = hub.clock.now_ms().saturating_sub(hub.started_at_ms) / 1000;
    gauge(to, "uptime_seconds", "Since the gateway was started", uptime_s);
    // Counting many descriptors takes a while.
    let looked = tokio::task::spawn_blocking(|| {
        let pid = std::process::id();
        (pb_runtime::process::resident_memory_kib(pid), pb_runtime::process::open_descriptors(pid))
    });
    let (resident_kib, descriptors) = looked.await.unwrap_or_default();
    if let Some(kib) = resident_kib {
        gauge(to, "resident_memory_bytes", "Memory of the gateway that is resident", kib * 1024);
    }
    if let Some(count) = descriptors {
        gauge(to, "open_fds", "Descriptors that the gateway has open", count);
    }
    let build = Family::<Labels<2>, Gauge>::default();
    build.get_or_create(&[("version", pb_runtime::VERSION), ("protocol", PROTOCOL)]).set(1);
    to.register("build_info", "Which build this is; the value says nothing", build);
}
