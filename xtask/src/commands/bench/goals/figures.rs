//! The figures, beside what is aimed at and what the first implementation needed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::daemons::{Memory, Starts};
use super::load::Latency;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) home: PathBuf,
    pub(super) synchronous: &'static str,
    pub(super) fsync_p50_ms: f64,
    pub(super) fsync_p99_ms: f64,
    pub(super) rows: Vec<Row>,
}

/// One figure; less is better.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    what: String,
    unit: &'static str,
    measured: f64,
    /// What is aimed at, on two quiet cores with an fsync p50 of 0.2 ms.
    target: Option<f64>,
    /// What the first implementation needed.
    first: Option<f64>,
}

/// The middle and the slow end of many times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percentiles {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Percentiles {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            // The smallest time that this many percent do not exceed.
            let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(rank).copied().map(ms).unwrap_or_default()
        };
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Row {
    fn new(what: impl Into<String>, unit: &'static str, measured: f64) -> Self {
        Self { what: what.into(), unit, measured, target: None, first: None }
    }

    fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    fn first(mut self, first: f64) -> Self {
        self.first = Some(first);
        self
    }

    pub(super) fn latencies(latencies: &[Latency], count: usize) -> [Self; 4] {
        let started = Percentiles::of(latencies.iter().map(|latency| latency.started).collect());
        let completed = Percentiles::of(latencies.iter().map(|latency| latency.completed).collect());
        [
            Self::new(format!("answer to item started, p50 of {count}"), "ms", started.p50_ms).target(5.0),
            Self::new("answer to item started, p99", "ms", started.p99_ms).target(25.0),
            Self::new(format!("answer to goal completed, p50 of {count}"), "ms", completed.p50_ms)
                .first(2000.0),
            Self::new("answer to goal completed, p99", "ms", completed.p99_ms),
        ]
    }

    pub(super) fn burst(took: Duration, count: usize) -> Self {
        let row = Self::new(format!("{count} goals at once"), "ms", ms(took));
        if count == 100 { row.target(1500.0).first(26_000.0) } else { row }
    }

    pub(super) fn starts(starts: &[Starts]) -> [Self; 3] {
        let median = |of: fn(&Starts) -> Duration| Percentiles::of(starts.iter().map(of).collect()).p50_ms;
        [
            Self::new("`pb start` to both ready, median", "ms", median(|starts| starts.both)).target(150.0),
            Self::new("`pb gateway start` to ready, median", "ms", median(|starts| starts.gateway))
                .target(150.0)
                .first(988.0),
            Self::new("`pb scheduler start` to ready, median", "ms", median(|starts| starts.scheduler))
                .target(150.0)
                .first(1095.0),
        ]
    }

    pub(super) fn memory(memory: Memory, when: &str) -> [Self; 3] {
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 KiB")]
        let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
        [
            Self::new(format!("idle memory of the gateway, {when}"), "MB", mb(memory.gateway)),
            Self::new(format!("idle memory of the scheduler, {when}"), "MB", mb(memory.scheduler)),
            Self::new(format!("idle memory of both, {when}"), "MB", mb(memory.gateway + memory.scheduler))
                .target(25.0)
                .first(275.0),
        ]
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "release build, synchronous={}, fsync of 4 KiB p50 {:.2} ms, p99 {:.2} ms in {}",
            self.synchronous,
            self.fsync_p50_ms,
            self.fsync_p99_ms,
            self.home.display()
        )?;
        writeln!(f, "target: on two quiet cores with fsync p50 0.2 ms; first: the first implementation\n")?;
        writeln!(
            f,
            "{:<44} {:>13} {:>10} {:>8} {:>10} {:>8}",
            "", "measured", "target", "of it", "first", "of it"
        )?;
        for row in &self.rows {
            let measured = format!("{:.1} {}", row.measured, row.unit);
            let (target, of_target) = compared(row.measured, row.target);
            let (first, of_first) = compared(row.measured, row.first);
            let line = format!(
                "{:<44} {measured:>13} {target:>10} {of_target:>8} {first:>10} {of_first:>8}",
                row.what
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Another figure, and how many percent of it were measured.
fn compared(measured: f64, other: Option<f64>) -> (String, String) {
    match other {
        Some(other) => (format!("{other:.0}"), format!("{:.0} %", measured / other * 100.0)),
        None => (String::new(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = |count: u64| (1..=count).rev().map(Duration::from_millis).collect();
        let of = |count| {
            let percentiles = Percentiles::of(times(count));
            (percentiles.p50_ms.round(), percentiles.p99_ms.round())
        };
        assert_eq!(of(200), (100.0, 198.0));
        assert_eq!(of(10), (5.0, 10.0));
        assert_eq!(of(1), (1.0, 1.0));
        assert_eq!(of(0), (0.0, 0.0));
    }
}
