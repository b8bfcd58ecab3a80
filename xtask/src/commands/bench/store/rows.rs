//! What is told about the store.

use serde::Deserialize;

use crate::commands::bench::figures::Row;

/// Durable commits a second that prototypes reached, by the number of callers.
const COMMITS_TARGETS: [(u32, f64); 4] = [(1, 4_700.0), (8, 17_600.0), (64, 56_000.0), (256, 76_000.0)];
/// What catching up may cost, in microseconds an event.
const READING_TARGET_US: f64 = 1.0;
/// The mode that users have.
const DURABLE: &str = "FULL";

/// Callers that share a commit, in the comparison of other benchmarks.
const GROUP_CALLERS: u32 = 64;

/// What the benchmark prints.
#[derive(Debug, Deserialize)]
pub(super) struct Measured {
    commits: Vec<Commits>,
    reading: Reading,
}

#[derive(Debug, Deserialize)]
struct Commits {
    synchronous: String,
    callers: u32,
    ours: Rate,
    plain: Rate,
}

#[derive(Debug, Deserialize)]
struct Rate {
    per_second: f64,
    cpu_us: f64,
}

#[derive(Debug, Deserialize)]
struct Reading {
    events: u32,
    ours_us: f64,
    plain_us: f64,
}

pub(super) fn of(measured: &Measured) -> Vec<Row> {
    let mut rows: Vec<Row> = measured.commits.iter().flat_map(commits).collect();
    let reading = &measured.reading;
    rows.push(
        Row::new(format!("catching up, {} events", reading.events), "us", reading.ours_us)
            .target(READING_TARGET_US),
    );
    rows.push(Row::new("  plain SQLite, position and data", "us", reading.plain_us));
    rows
}

/// The rate of plain SQLite in the mode that users have, with the callers of [`GROUP_CALLERS`].
pub(super) fn plain_durable(measured: &Measured) -> Option<f64> {
    let one =
        measured.commits.iter().find(|one| one.synchronous == DURABLE && one.callers == GROUP_CALLERS)?;
    Some(one.plain.per_second)
}

fn commits(one: &Commits) -> [Row; 5] {
    let (mode, callers) = (&one.synchronous, one.callers);
    let rate = Row::new(format!("{mode}, {callers} caller(s), commits"), "/s", one.ours.per_second);
    let target = COMMITS_TARGETS.iter().find(|(of, _)| *of == callers && mode == DURABLE);
    [
        match target {
            Some((_, target)) => rate.target(*target),
            None => rate,
        },
        Row::new(format!("  plain SQLite, {callers} a transaction"), "/s", one.plain.per_second),
        Row::new("  of plain", "%", one.ours.per_second / one.plain.per_second * 100.0),
        Row::new("  processor time a commit", "us", one.ours.cpu_us),
        Row::new("  processor time, plain SQLite", "us", one.plain.cpu_us),
    ]
}
