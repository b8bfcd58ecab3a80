//! Figures, beside what is aimed at and what the first implementation needed.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::Context;
use serde::Serialize;

use crate::output;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    home: PathBuf,
    synchronous: &'static str,
    fsync_p50_ms: f64,
    fsync_p99_ms: f64,
    rows: Vec<Row>,
}

impl Figures {
    pub(super) fn new(home: &Path, fsync: Percentiles, rows: Vec<Row>) -> Self {
        Self {
            home: home.to_owned(),
            synchronous: "FULL",
            fsync_p50_ms: fsync.p50_ms,
            fsync_p99_ms: fsync.p99_ms,
            rows,
        }
    }

    /// Prints them, and writes them to a file of JSON if there is to be one.
    pub(super) fn tell(&self, json: Option<&Path>) -> anyhow::Result<()> {
        output::line(self);
        if let Some(path) = json {
            let text = serde_json::to_string_pretty(self)?;
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// One figure; less is better, unless its unit is a rate.
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

/// A count as a figure; none here is above 2^32.
pub(super) fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The middle one, 0 of none.
pub(super) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Row {
    pub(super) fn new(what: impl Into<String>, unit: &'static str, measured: f64) -> Self {
        Self { what: what.into(), unit, measured, target: None, first: None }
    }

    pub(super) fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    pub(super) fn first(mut self, first: f64) -> Self {
        self.first = Some(first);
        self
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
            let decimals = if row.measured < 10.0 { 2 } else { 1 };
            let measured = format!("{:.decimals$} {}", row.measured, row.unit);
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
        Some(other) => (short(other), format!("{:.0} %", measured / other * 100.0)),
        None => (String::new(), String::new()),
    }
}

/// With decimals where the whole number says too little.
fn short(figure: f64) -> String {
    if figure.fract() == 0.0 || figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure}") }
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
