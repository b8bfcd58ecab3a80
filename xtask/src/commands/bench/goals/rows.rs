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
