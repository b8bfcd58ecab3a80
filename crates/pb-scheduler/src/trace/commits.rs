//! What commits cost: never one event each, but one a second for all of them.

use std::time::{Duration, Instant};

use super::{About, Tracer, What};

/// How often it is told, while there is something to tell.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Commits of which both figures are kept until they are told.
const KEPT_MAX: usize = 4096;

/// The commits that were not told yet.
#[derive(Debug)]
pub(crate) struct Commits {
    since: Instant,
    count: u32,
    writes: u64,
    /// Writes of each.
    batches: Vec<u32>,
    /// How long each took, in microseconds.
    times_us: Vec<u32>,
}

impl Default for Commits {
    fn default() -> Self {
        let since = Instant::now();
        Self { since, count: 0, writes: 0, batches: Vec::new(), times_us: Vec::new() }
    }
}

impl Commits {
    /// Notes a commit of so many writes.
    pub(crate) fn note(&mut self, writes: usize, took: Duration) {
        if self.count == 0 {
            self.since = Instant::now();
        }
        self.count += 1;
        self.writes += writes as u64;
        if self.batches.len() < KEPT_MAX {
            self.batches.push(u32::try_from(writes).unwrap_or(u32::MAX));
            self.times_us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// Tells about them, if that is due.
    pub(crate) fn tell(&mut self, tracer: &Tracer) {
        if self.count == 0 || self.since.elapsed() < TELL_EVERY {
            return;
        }
        tracer.tell(About::default(), || {
            let (batch_p50, batch_max) = middle_and_most(&mut self.batches);
            let (duration_p50_us, duration_max_us) = middle_and_most(&mut self.times_us);
            let (count, writes) = (self.count, self.writes);
            What::StoreCommits { count, writes, batch_p50, batch_max, duration_p50_us, duration_max_us }
        });
        (self.count, self.writes) = (0, 0);
        self.batches.clear();
        self.times_us.clear();
    }
}

fn middle_and_most(figures: &mut [u32]) -> (u32, u32) {
    figures.sort_unstable();
    let middle = figures.len().saturating_sub(1) / 2;
    (figures.get(middle).copied().unwrap_or_default(), figures.last().copied().unwrap_or_default())
}
