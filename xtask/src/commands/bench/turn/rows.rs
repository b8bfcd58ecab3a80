//! What is told about turns.

use std::time::Duration;

use super::load::Told;
use super::model::Heard;
use super::reference::Plain;
use crate::commands::bench::figures::{Percentiles, Row, ms};

/// What is aimed at, from one answer to the next, in milliseconds.
const TURN_P50_MS: f64 = 6.0;

pub(super) fn of(heard: &Heard, told: &Told, plain: &Plain) -> Vec<Row> {
    let turns = heard.turns();
    let mean = turns.iter().sum::<Duration>() / u32::try_from(turns.len()).unwrap_or(u32::MAX).max(1);
    let all = Percentiles::of(turns.clone());
    let quarter = (turns.len() / 4).max(1);
    // What a turn costs grows with the conversation, if anything is done over for all of it.
    let first = Percentiles::of(turns.iter().take(quarter).copied().collect());
    let last = Percentiles::of(turns.iter().rev().take(quarter).copied().collect());
    let reference = Percentiles::of(plain.times.clone());
    let size = plain.body_bytes / 1024;
    vec![
        Row::new(format!("a turn, p50 of {}", turns.len()), "ms", all.p50_ms).target(TURN_P50_MS),
        Row::new("a turn, p99", "ms", all.p99_ms),
        Row::new("a turn, mean", "ms", ms(mean)),
        Row::new(format!("the first {quarter} turns, p50"), "ms", first.p50_ms),
        Row::new(format!("the last {quarter} turns, p50"), "ms", last.p50_ms),
        Row::new("a turn by the times of the log, mean", "ms", ms(told.mean)),
        Row::new(format!("reference: plain HTTP with {size} KiB, p50"), "ms", reference.p50_ms),
        Row::new("reference: plain HTTP, p99", "ms", reference.p99_ms),
        Row::new("events in the log, a turn", "", told.events_per_turn),
    ]
}
