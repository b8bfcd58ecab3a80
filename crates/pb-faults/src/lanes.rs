//! Many cases of one fault, side by side, each from a seed of its own.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::{Run, Tally};

/// How often a fault says how far it is.
const PROGRESS: Duration = Duration::from_secs(3);

/// One case: its number, and chance that follows from the run's seed and this number alone.
#[derive(Debug)]
pub struct Case {
    /// From 0.
    pub number: u64,
    /// The same for the same seed and number, in whatever lane it runs.
    pub chance: StdRng,
}

/// Does `count` cases in as many lanes as there are processors, and adds up what they came to. With a
/// planted bug, the first case that sees it is enough.
///
/// # Errors
/// The first case that could not be done.
pub fn run(
    run: &Run,
    fault: &str,
    count: u64,
    case: impl Fn(Case, &mut Tally) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<Tally> {
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    run_side_by_side(run, (fault, lanes), count, case)
}

/// The same in so many lanes, for cases that mostly wait.
///
/// # Errors
/// The first case that could not be done.
pub fn run_side_by_side(
    run: &Run,
    (fault, lanes): (&str, usize),
    count: u64,
    case: impl Fn(Case, &mut Tally) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<Tally> {
    let next = AtomicU64::new(0);
    let sum = Mutex::new((Tally::default(), Progress::new(fault, count)));
    let lane = || -> anyhow::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            let mut tally = Tally::default();
            let done = case(Case { number, chance: chance(run.seed, number) }, &mut tally);
            let stop = done.is_err() || (run.bug.is_some() && !tally.clean());
            if stop {
                next.store(count, Ordering::Relaxed);
            }
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.0.add(tally);
            sum.1.done();
            done?;
        }
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().try_for_each(|lane| match lane.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(sum.into_inner().unwrap_or_else(PoisonError::into_inner).0)
}

/// Chance for one case. The number is spread, since neighbouring seeds must not give similar cases.
fn chance(seed: u64, number: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Says on standard error how far a fault is, every few seconds.
#[derive(Debug)]
struct Progress {
    fault: String,
    count: u64,
    done: u64,
    began: Instant,
    said: Instant,
}

impl Progress {
    fn new(fault: &str, count: u64) -> Self {
        let now = Instant::now();
        Self { fault: fault.to_owned(), count, done: 0, began: now, said: now }
    }

    fn done(&mut self) {
        self.done += 1;
        if self.said.elapsed() >= PROGRESS {
            self.said = Instant::now();
            let (fault, done, count) = (&self.fault, self.done, self.count);
            let seconds = self.began.elapsed().as_secs();
            // Nobody may be looking any more; the work goes on.
            let _ = writeln!(std::io::stderr(), "{fault}: {done} of {count} after {seconds} s");
        }
    }
}
