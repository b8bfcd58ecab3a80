//! When slots are: by hand around leaps of the clock, and against an oracle that looks at every minute.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use proptest::prelude::*;

use super::tests::{ZONES, at};
use super::{CATCH_UP_MAX, Rhythm, SLOTS_COUNTED_MAX, Timing};
use crate::Millis;

const MINUTE: Millis = 60_000;
const PLACES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"];

fn rhythm(expression: &str, zone: &str) -> Rhythm {
    let timing = Timing::Cron { expression: expression.to_owned(), zone: zone.to_owned() };
    timing.rhythm(ZONES).unwrap()
}

fn zoned(ms: Millis, zone: &str) -> Zoned {
    Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap().to_zoned(TimeZone::get(zone).unwrap())
}

/// The next slots, on the wall and as distances.
fn shown(expression: &str, zone: &str, after: &str, count: usize) -> String {
    let slots = rhythm(expression, zone).upcoming(at(after), count);
    let lines: Vec<String> =
        slots.iter().map(|slot| zoned(*slot, zone).strftime("%a %F %H:%M %:z").to_string()).collect();
    format!("{expression} in {zone}\n  {}\n", lines.join("\n  "))
}

#[test]
fn a_slot_in_the_gap_is_at_its_end_and_one_in_the_fold_is_the_first() {
    let told = [
        // Forward: 02:00 is 03:00.
        shown("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
        shown("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 4),
        // Back: 03:00 is 02:00.
        shown("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        shown("0 * * * *", "Europe/Berlin", "2026-10-24T22:30:00Z", 5),
        shown("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 3),
        shown("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
        // Half an hour, and on the other half of the earth.
        shown("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
        shown("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
        shown("0 9 * * 1-5", "Asia/Shanghai", "2026-11-27T00:00:00Z", 3),
        // A day that never was.
        shown("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3),
        shown("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 2),
        shown("0 0 1,15 * 5", "UTC", "2026-11-27T12:00:00Z", 3),
    ]
    .concat();
    assert_snapshot!(told, @"
    30 2 * * * in Europe/Berlin
      Sat 2026-03-28 02:30 +01:00
      Sun 2026-03-29 03:00 +02:00
      Mon 2026-03-30 02:30 +02:00
    */30 * * * * in Europe/Berlin
      Sun 2026-03-29 01:30 +01:00
      Sun 2026-03-29 03:00 +02:00
      Sun 2026-03-29 03:30 +02:00
      Sun 2026-03-29 04:00 +02:00
    30 2 * * * in Europe/Berlin
      Sun 2026-10-25 02:30 +02:00
      Mon 2026-10-26 02:30 +01:00
    0 * * * * in Europe/Berlin
      Sun 2026-10-25 01:00 +02:00
      Sun 2026-10-25 02:00 +02:00
      Sun 2026-10-25 03:00 +01:00
      Sun 2026-10-25 04:00 +01:00
      Sun 2026-10-25 05:00 +01:00
    30 2 * * * in America/New_York
      Sun 2026-03-08 03:00 -04:00
      Mon 2026-03-09 02:30 -04:00
      Tue 2026-03-10 02:30 -04:00
    30 1 * * * in America/New_York
      Sun 2026-11-01 01:30 -04:00
      Mon 2026-11-02 01:30 -05:00
    15 2 * * * in Australia/Lord_Howe
      Sun 2026-10-04 02:30 +11:00
      Mon 2026-10-05 02:15 +11:00
    45 1 * * * in Australia/Lord_Howe
      Sun 2026-04-05 01:45 +11:00
      Mon 2026-04-06 01:45 +10:30
    0 9 * * 1-5 in Asia/Shanghai
      Fri 2026-11-27 09:00 +08:00
      Mon 2026-11-30 09:00 +08:00
      Tue 2026-12-01 09:00 +08:00
    0 9 * * * in Pacific/Apia
      Thu 2011-12-29 09:00 -10:00
      Sat 2011-12-31 00:00 +14:00
      Sat 2011-12-31 09:00 +14:00
    0 0 29 2 * in UTC
      Fri 2104-02-29 00:00 +00:00
      Wed 2108-02-29 00:00 +00:00
    0 0 1,15 * 5 in UTC
      Tue 2026-12-01 00:00 +00:00
      Fri 2026-12-04 00:00 +00:00
      Fri 2026-12-11 00:00 +00:00
    ");
}

#[test]
fn an_interval_is_as_long_whatever_the_clock_on_the_wall_does() {
    let every = Timing::Every { interval_ms: 90 * MINUTE, anchor_ms: Some(1_000) }.rhythm(ZONES).unwrap();
    assert_eq!(every.next_after(0), Some(1_000 + 90 * MINUTE), "the anchor itself is no slot");
    assert_eq!(every.next_after(1_000), Some(1_000 + 90 * MINUTE));
    assert_eq!(every.next_after(1_000 + 90 * MINUTE), Some(1_000 + 180 * MINUTE));
    assert_eq!(every.next_after(1_000 + 90 * MINUTE - 1), Some(1_000 + 90 * MINUTE));
    assert_eq!(every.next_after(u64::MAX), None);
}

#[test]
fn slots_of_a_stretch_are_the_latest_and_how_many_were_before() {
    let each = rhythm("* * * * *", "UTC");
    let (begin, minutes) = (at("2026-01-01T00:00:00Z"), |n: u64| n * MINUTE);
    for n in [0, 1, 24, 25, 999, 1000, 1001, 5000] {
        let slots = each.slots(begin, begin + minutes(n));
        let latest = n.min(CATCH_UP_MAX as u64);
        let expect: Vec<Millis> = (n - latest + 1..=n).map(|n| begin + minutes(n)).collect();
        assert_eq!(slots.latest, expect, "{n}");
        let older = if n > SLOTS_COUNTED_MAX { SLOTS_COUNTED_MAX } else { n - latest };
        assert_eq!(slots.older, older, "{n}");
        assert_eq!(slots.first, (n > 0).then_some(begin + minutes(1)), "{n}");
        assert_eq!(slots.last_older, (n > latest).then(|| begin + minutes(n - latest)), "{n}");
    }
    assert_eq!(each.slots(begin, begin - minutes(5)), super::Slots::default(), "a clock that was set back");
}

/// Looks at every minute of a stretch: a time on the wall counts at its first moment, and those that the wall never
/// shows count at the first moment after them.
fn oracle(expression: &str, zone: &str, (from, until): (Millis, Millis)) -> Vec<Millis> {
    let wall = |ms: Millis| zoned(ms, zone).datetime();
    let matches = |time: jiff::civil::DateTime| {
        let crontab = cronexpr::parse_crontab(&format!("{expression} UTC")).unwrap();
        crontab.matches(cronexpr::MakeTimestamp(jiff::tz::Offset::UTC.to_timestamp(time).unwrap())).unwrap()
    };
    // What the wall showed in the hours before is seen already.
    let mut shown = BTreeSet::new();
    let mut slots = Vec::new();
    let mut ms = from - 180 * MINUTE;
    let mut last = wall(ms - MINUTE);
    while ms <= until {
        let now = wall(ms);
        let mut new = Vec::new();
        let mut time = last.checked_add(SignedDuration::from_mins(1)).unwrap();
        while time <= now {
            new.extend(shown.insert(time).then_some(time));
            time = time.checked_add(SignedDuration::from_mins(1)).unwrap();
        }
        if ms > from && new.into_iter().any(matches) {
            slots.push(ms);
        }
        last = now;
        ms += MINUTE;
    }
    slots
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Around the leaps of a year in four places, and at any other time.
    #[test]
    fn slots_are_where_an_oracle_sees_them_that_looks_at_every_minute(
        place in 0..PLACES.len(),
        leap in 0..6_usize,
        before in 0..600_u64,
        minutes in prop::sample::select(vec!["*/15", "0", "30", "5,50", "*/7"]),
        hours in prop::sample::select(vec!["*", "1-3", "2", "*/2", "0"]),
        days in prop::sample::select(vec!["* * *", "* * 0", "* 3,10,11 *"]),
    ) {
        let zone = PLACES[place];
        let known = TimeZone::get(zone).unwrap();
        let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        let around = known.following(start).nth(leap).map_or(start, |leap| leap.timestamp());
        let around: Millis = around.as_millisecond().try_into().unwrap();
        let stretch = (around - before * MINUTE, around + 1_000 * MINUTE);
        let expression = format!("{minutes} {hours} {days}");
        let rhythm = rhythm(&expression, zone);
        let found: Vec<Millis> = std::iter::successors(rhythm.next_after(stretch.0), |slot| rhythm.next_after(*slot))
            .take_while(|slot| *slot <= stretch.1)
            .collect();
        prop_assert_eq!(found, oracle(&expression, zone, stretch), "{} {} {:?}", expression, zone, stretch);
    }
}
