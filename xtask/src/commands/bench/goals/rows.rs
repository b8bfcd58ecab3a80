//! What is told about goals.

use std::time::Duration;

use super::load::Latency;
use crate::commands::bench::daemons::{Memory, Starts};
use crate::commands::bench::figures::{Percentiles, Row, ms};

pub(super) fn latencies(latencies: &[Latency], count: usize) -> [Row; 4] {
    let started = Percentiles::of(latencies.iter().map(|latency| latency.started).collect());
    let completed = Percentiles::of(latencies.iter().map(|latency| latency.completed).collect());
    [
        Row::new(format!("answer to item started, p50 of {count}"), "ms", started.p50_ms).target(5.0),
        Row::new("answer to item started, p99", "ms", started.p99_ms).target(25.0),
        Row::new(format!("answer to goal completed, p50 of {count}"), "ms", completed.p50_ms).first(2000.0),
        Row::new("answer to goal completed, p99", "ms", completed.p99_ms),
    ]
}

pub(super) fn burst(took: Duration, count: usize) -> Row {
    let row = Row::new(format!("{count} goals at once"), "ms", ms(took));
    if count == 100 { row.target(1500.0).first(26_000.0) } else { row }
}

/// Many goals at once, as a rate, beside what the same disk commits without us.
pub(super) fn many(took: Duration, count: usize, plain: f64) -> [Row; 3] {
    #[expect(clippy::cast_precision_loss, reason = "a number of goals")]
    let per_second = count as f64 / took.as_secs_f64();
    [
        Row::new(format!("{count} one-command goals at once"), "/s", per_second),
        Row::new("  plain SQLite, FULL, 64 callers, commits", "/s", plain),
        Row::new("  commits of plain SQLite in the time of a goal", "", plain / per_second),
    ]
}

/// From a kill to the next step of the same goal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recovery {
    pub(super) from_start: Duration,
    pub(super) from_ready: Duration,
}

pub(super) fn recoveries(recoveries: &[Recovery]) -> [Row; 3] {
    let of = |one: fn(&Recovery) -> Duration| Percentiles::of(recoveries.iter().map(one).collect());
    let (start, ready) = (of(|one| one.from_start), of(|one| one.from_ready));
    let count = recoveries.len();
    [
        Row::new(format!("kill -9, back, to the next step, p50 of {count}"), "ms", ready.p50_ms).target(50.0),
        Row::new("kill -9, from `pb scheduler start` to the next step, p50", "ms", start.p50_ms),
        Row::new("kill -9, from `pb scheduler start` to the next step, p99", "ms", start.p99_ms),
    ]
}

pub(super) fn starts(starts: &[Starts]) -> [Row; 3] {
    let median = |of: fn(&Starts) -> Duration| Percentiles::of(starts.iter().map(of).collect()).p50_ms;
    [
        Row::new("`pb start` to both ready, median", "ms", median(|starts| starts.both)).target(150.0),
        Row::new("`pb gateway start` to ready, median", "ms", median(|starts| starts.gateway))
            .target(150.0)
            .first(988.0),
        Row::new("`pb scheduler start` to ready, median", "ms", median(|starts| starts.scheduler))
            .target(150.0)
            .first(1095.0),
    ]
}

pub(super) fn memory(memory: Memory, when: &str) -> [Row; 3] {
    #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 KiB")]
    let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
    [
        Row::new(format!("idle memory of the gateway, {when}"), "MB", mb(memory.gateway)),
        Row::new(format!("idle memory of the scheduler, {when}"), "MB", mb(memory.scheduler)),
        Row::new(format!("idle memory of both, {when}"), "MB", mb(memory.gateway + memory.scheduler))
            .target(25.0)
            .first(275.0),
    ]
}
