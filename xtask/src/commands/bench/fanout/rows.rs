//! What is told about fan-out.

use std::time::Duration;

use super::point::{Backlog, Load, Point, ratio};
use crate::commands::bench::figures::{Row, median, ms, number};

/// What the first implementation and this one come to at a point, where it is known: processor time of the
/// gateway for a frame, in microseconds.
fn cpu_aims(load: Load) -> Option<(f64, f64)> {
    match (load.clients, load.rate) {
        (100, 10_000) => Some((0.5, 9.8)),
        (500, 1_500) => Some((1.0, 12.6)),
        _ => None,
    }
}

pub(super) fn of(load: Load, point: &Point) -> Vec<Row> {
    let Load { clients, rate, .. } = load;
    let what = |text: &str| format!("{clients} x {rate}/s: {text}");
    let lost = point.expected - point.frames.min(point.expected);
    let cpu = Row::new(what("CPU a frame"), "us", micros(point.cpu, point.frames));
    let cpu = match cpu_aims(load) {
        Some((target, first)) => cpu.target(target).first(first),
        None => cpu,
    };
    let mut rows = vec![
        cpu,
        Row::new(what("drained after"), "ms", ms(point.drained)).target(250.0),
        Row::new(what("committed a second"), "", point.committed),
        Row::new(what("frames lost"), "", number(lost)),
        Row::new(what("gateway memory"), "KiB", number(point.gateway_kib)),
    ];
    if clients == 1 {
        let (whole, after) = (point.end_to_end, point.after_commit);
        rows.extend([
            Row::new(what("end to end, p50"), "ms", whole.p50_ms).target(0.8).first(0.15),
            Row::new(what("end to end, p99"), "ms", whole.p99_ms).target(3.0).first(1.0),
            Row::new(what("after the commit, p50"), "ms", after.p50_ms).target(0.3),
            Row::new(what("after the commit, p99"), "ms", after.p99_ms),
        ]);
    }
    rows
}

/// What is read does not depend on how it was synced: `synchronous` is the writer's.
pub(super) fn backlog(rounds: &[Backlog]) -> Vec<Row> {
    let rate = median(rounds.iter().map(|round| ratio(round.events, round.took)));
    let cpu = median(rounds.iter().map(|round| micros(round.cpu, round.events)));
    vec![
        Row::new("from the log, to one client: events", "/s", rate).target(500_000.0).first(30_000.0),
        Row::new("  CPU of the gateway an event", "us", cpu).target(1.0),
    ]
}

fn micros(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1_000_000.0 / number(count.max(1))
}
