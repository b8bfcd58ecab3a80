//! F5: simulated schedules. The scheduler that is shipped, with its loop, lifecycle, inbox and store, runs
//! on a machine that is simulated, under a clock that is: it is killed between every two effects, results of
//! earlier incarnations come late, the clock jumps, people cancel.
//!
//! A case is a seed. What is drawn for it decides the goals, every outcome, every delay and every kill;
//! `--seed N` begins at the same first seed again. Which of two tasks that are ready goes first is the
//! runtime's choice and not drawn, so the log of a seed that failed is kept.

mod again;
pub(crate) mod life;
mod plan;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::life::Clocks;
use crate::{Run, Tally};

/// Seeds that are lived side by side.
const THREADS: usize = 2;
/// How often a person who waits is told.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Memory that is a file system: the simulated power never fails, so nothing has to be synced.
const MEMORY: &str = "/dev/shm";

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    seeds(run, ("F5", Clocks::Steady), run.size.pick(40, 5_000, 500_000))
}

/// Lives so many seeds under such a clock.
pub(crate) fn seeds(run: &Run, (fault, clocks): (&str, Clocks), seeds: u64) -> anyhow::Result<Tally> {
    let in_memory = tempfile::Builder::new().prefix("pb-faults-f5-").tempdir_in(MEMORY);
    let folder = in_memory.as_ref().map_or(run.folder.as_path(), tempfile::TempDir::path);
    let next = AtomicU64::new(0);
    let sum: Mutex<Tally> = Mutex::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (next, sum) = (&next, &sum);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut told = Instant::now();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= seeds {
                            return Ok(());
                        }
                        let tally = one(run, (fault, clocks), run.seed.wrapping_add(number), folder)?;
                        sum.lock().unwrap_or_else(PoisonError::into_inner).add(tally);
                        if thread == 0 && told.elapsed() > TELL_EVERY {
                            told = Instant::now();
                            crate::progress::tell(format_args!("{fault}: {number} of {seeds} seeds"));
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a simulation panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(sum.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Lives one seed in a folder of its own, and says how to do it again if something is wrong.
fn one(run: &Run, (fault, clocks): (&str, Clocks), seed: u64, folder: &Path) -> anyhow::Result<Tally> {
    let own: PathBuf = folder.join(seed.to_string());
    std::fs::create_dir(&own)?;
    let mut tally = life::live(seed, &own, clocks)?;
    if !tally.passed() {
        let kept = run.exe.with_file_name(format!("pb-faults-{fault}-seed-{seed}.db"));
        std::fs::copy(own.join("home/state.db"), &kept)?;
        let kept = kept.display();
        tally.fail(format_args!(
            "again: cargo xtask faults smoke --only {fault} --seed {seed}; its log: {kept}"
        ));
    }
    std::fs::remove_dir_all(&own)?;
    Ok(tally)
}
