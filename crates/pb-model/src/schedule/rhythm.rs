//! When slots are. Pure: the time zone is a value, and now is an argument.
//!
//! A cron expression speaks of the clock on a wall. Where that clock leaps forward, what it would have shown is at the
//! first moment after the leap; where it goes back, what it shows twice is at the first time. So each time on the
//! wall is one moment, and slots that fall on the same moment are one.

use cronexpr::{Crontab, MakeTimestamp};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp};

use crate::Millis;

/// Most slots that are run after one another when they were missed.
pub const CATCH_UP_MAX: usize = 24;
/// Slots that were missed are counted up to so many.
pub const SLOTS_COUNTED_MAX: u64 = 1000;
/// Most times on the wall that are looked at for the next moment: minutes of a day, which is longer than any clock was
/// set back.
const LOOKED_AT_MAX: usize = 24 * 60;
/// The window in which the latest slots are looked for first, in milliseconds; then twice that, and so on.
const WINDOW_MS: u64 = 60 * 60 * 1000;

/// When slots are.
#[derive(Debug, Clone)]
pub struct Rhythm(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Cron { crontab: Box<Crontab>, zone: TimeZone },
    Every { interval_ms: u64, anchor_ms: Millis },
    Never,
}

/// Slots of a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// The latest, rising; at most [`CATCH_UP_MAX`].
    pub latest: Vec<Millis>,
    /// The first of all.
    pub first: Option<Millis>,
    /// The last one before `latest`.
    pub last_older: Option<Millis>,
    /// How many there are before `latest`, counted up to about [`SLOTS_COUNTED_MAX`].
    pub older: u64,
}

impl Rhythm {
    /// No slots at all: of a timing that cannot be understood.
    pub fn never() -> Self {
        Self(Kind::Never)
    }

    pub(super) fn cron(crontab: Crontab, zone: TimeZone) -> Self {
        Self(Kind::Cron { crontab: Box::new(crontab), zone })
    }

    pub(super) fn every(interval_ms: u64, anchor_ms: Millis) -> Self {
        Self(Kind::Every { interval_ms: interval_ms.max(1), anchor_ms })
    }

    /// The name of its time zone, if it has one.
    pub fn zone_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Cron { zone, .. } => zone.iana_name(),
            Kind::Every { .. } | Kind::Never => None,
        }
    }

    /// The first slot after a moment; none if none ever comes.
    pub fn next_after(&self, after: Millis) -> Option<Millis> {
        match &self.0 {
            Kind::Cron { crontab, zone } => next_on_the_wall(crontab, zone, after),
            Kind::Every { interval_ms, anchor_ms } => match after.checked_sub(*anchor_ms) {
                None => anchor_ms.checked_add(*interval_ms),
                Some(since) => (since / interval_ms + 1).checked_mul(*interval_ms)?.checked_add(*anchor_ms),
            },
            Kind::Never => None,
        }
    }

    /// The first slots after a moment.
    pub fn upcoming(&self, after: Millis, count: usize) -> Vec<Millis> {
        std::iter::successors(self.next_after(after), |slot| self.next_after(*slot)).take(count).collect()
    }

    /// The slots after `after`, up to `until` and with it. However long that is, the work is bounded.
    pub fn slots(&self, after: Millis, until: Millis) -> Slots {
        let counted_max = usize::try_from(SLOTS_COUNTED_MAX).unwrap_or(usize::MAX);
        let first: Vec<Millis> = self.within(after, until).take(counted_max + 1).collect();
        let earliest = first.first().copied();
        if first.len() <= counted_max {
            let older = first.len().saturating_sub(CATCH_UP_MAX);
            let (older, latest) = first.split_at_checked(older).unwrap_or((&[], &first));
            let last_older = older.last().copied();
            return Slots { latest: latest.to_vec(), first: earliest, last_older, older: older.len() as u64 };
        }
        // There are many: the latest are looked for from the end.
        let mut window = WINDOW_MS;
        loop {
            let from = until.saturating_sub(window).max(after);
            let found: Vec<Millis> = self.within(from, until).collect();
            if found.len() > CATCH_UP_MAX || from == after {
                let latest = found.len().saturating_sub(CATCH_UP_MAX);
                let (older, latest) = found.split_at_checked(latest).unwrap_or((&[], &found));
                return Slots {
                    latest: latest.to_vec(),
                    first: earliest,
                    last_older: older.last().copied(),
                    older: SLOTS_COUNTED_MAX,
                };
            }
            window = window.saturating_mul(2);
        }
    }

    fn within(&self, after: Millis, until: Millis) -> impl Iterator<Item = Millis> {
        std::iter::successors(self.next_after(after), |slot| self.next_after(*slot))
            .take_while(move |slot| *slot <= until)
    }
}

fn next_on_the_wall(crontab: &Crontab, zone: &TimeZone, after: Millis) -> Option<Millis> {
    let after = Timestamp::from_millisecond(i64::try_from(after).ok()?).ok()?;
    let mut wall = zone.to_datetime(after);
    for _ in 0..LOOKED_AT_MAX {
        wall = next_time(crontab, wall)?;
        let slot = moment(zone, wall)?;
        // Where the clock was set back, what it shows the second time is over.
        if slot > after {
            return u64::try_from(slot.as_millisecond()).ok();
        }
    }
    None
}

/// The next time on the wall that the expression means. It is asked as if the wall were in Greenwich, where the clock
/// never leaps.
fn next_time(crontab: &Crontab, wall: DateTime) -> Option<DateTime> {
    let ask = |wall: DateTime| {
        let asked = Offset::UTC.to_timestamp(wall).ok()?;
        let found = crontab.find_next(MakeTimestamp(asked)).ok()?;
        Some(found.datetime())
    };
    // It looks four years ahead; around 2100 the 29th of February is eight years away.
    ask(wall).or_else(|| ask(wall.checked_add(Span::new().years(4)).ok()?))
}

/// The one moment of a time on the wall.
fn moment(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { before, after } => {
            let (earliest, latest) = (after.to_timestamp(wall).ok()?, before.to_timestamp(wall).ok()?);
            zone.following(earliest)
                .take_while(|leap| leap.timestamp() <= latest)
                .find(|leap| leap.offset() == after)
                .map(|leap| leap.timestamp())
        }
    }
}
