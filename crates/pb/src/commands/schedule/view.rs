//! A schedule in words.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pb_model::schedule::Timing;
use pb_protocol::schedule::{Schedule, SlotRun};

use crate::format;

/// When: `0 9 * * 1-5 in Europe/Berlin`, `every 2 h 0 min`.
pub(super) fn when(timing: &Timing) -> String {
    match timing {
        Timing::Cron { expression, zone } => {
            format!("{} in {}", format::line(expression), format::line(zone))
        }
        Timing::Every { interval_ms, .. } => format!("every {}", interval(*interval_ms)),
    }
}

/// An interval, in units that it is made of: `1 d`, `2 h`, `1 h 30 min`.
fn interval(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    let mut left = ms;
    let parts = UNITS.map(|(unit, word)| {
        let count = left / unit;
        left %= unit;
        (count > 0).then(|| format!("{count} {word}"))
    });
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// One line that says what was added.
pub(super) fn about(schedule: &Schedule) -> String {
    format!(
        "{}: {}; missed runs: {}; stands still after {} in a row",
        format::line(&schedule.title),
        when(&schedule.timing),
        missed(schedule),
        format::count(schedule.failures_max, "failure"),
    )
}

/// What becomes of runs that were missed.
pub(super) fn missed(schedule: &Schedule) -> &'static str {
    match schedule.missed.as_str() {
        "once" => "the latest is made up for",
        "all" => "each is made up for",
        _ => "left out",
    }
}

/// A moment in the person's time zone, and on the wall that the schedule goes by if that is another.
pub(super) fn at(ms: u64, timing: &Timing) -> String {
    let here = format::moment(ms);
    let there = match timing {
        Timing::Cron { zone, .. } => i64::try_from(ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .zip(TimeZone::get(zone).ok())
            .map(|(at, known)| (at.to_zoned(known).strftime("%Y-%m-%d %H:%M:%S").to_string(), zone)),
        Timing::Every { .. } => None,
    };
    match there {
        Some((there, zone)) if there != here => format!("{here} ({there} in {})", format::line(zone)),
        _ => here,
    }
}

/// How a run of it ended, or that it has not.
pub(super) fn result(run: &SlotRun) -> String {
    run.result.clone().unwrap_or_else(|| "running".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_told_in_the_units_that_they_are_made_of() {
        let told = [60_000, 5_400_000, 7_200_000, 86_400_000, 694_861_000].map(interval);
        assert_eq!(told, ["1 min", "1 h 30 min", "2 h", "1 d", "8 d 1 h 1 min 1 s"]);
    }
}
