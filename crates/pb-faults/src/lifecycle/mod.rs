//! The kill matrix: fourteen goals that differ, each with the scheduler killed at every commit, before it and
//! after it, and compared with the same goal undisturbed.
//!
//! How many commits there are is found by killing at the first, the second and so on, until the goal ends
//! before that many. Each kill is a case with a home, a gateway and a model server of its own.

mod added;
mod case;
mod ended;
mod goals;
mod planned;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use pb_runtime::faultpoints::{COMMIT_AFTER, COMMIT_BEFORE};

use self::case::{Case, Kill};
use self::ended::Ended;
use self::goals::{GOALS, Scenario};
use crate::{Run, Size, Tally};

/// More commits than any of these goals makes: something is wrong.
const COMMITS_MAX: u64 = 400;
/// Cases side by side: they wait for commands and disks most of the time.
const LANES: usize = 4;
/// Commits between two kills of the smoke size.
const SMOKE_STEP: u64 = 9;

/// Runs the matrix.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    if !cfg!(feature = "faultpoints") {
        bail!("the kill matrix needs a `pb` and a suite with faultpoints: cargo xtask faults lifecycle");
    }
    run.pb.as_ref().context("the kill matrix needs the `pb` under test: --pb PATH")?;
    let mut sum = Tally::default();
    for scenario in GOALS {
        sum.add(row(run, scenario)?);
        if run.bug.is_some() && !sum.clean() {
            break; // One sight of it is enough.
        }
    }
    Ok(sum)
}

/// One goal, killed at each of its commits.
fn row(run: &Run, scenario: &'static Scenario) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let case = Case { run, scenario, kill: None };
    let undisturbed = case.live(&mut tally)?.context("nobody kills the goal that is not to be killed")?;
    for side in [COMMIT_BEFORE, COMMIT_AFTER] {
        let killed = side_of(run, scenario, side, &undisturbed, &mut tally)?;
        let (word, count) = (side.trim_start_matches("commit-"), killed.len());
        let last = killed.last().copied().unwrap_or_default();
        let which = match run.size {
            Size::Smoke => format!("{count} of the commits 1 to {last}"),
            Size::Ci | Size::Soak => format!("each of the commits 1 to {last}"),
        };
        crate::progress::tell(format_args!("{:<14} killed {word} {which}", scenario.name));
        tally.count("kills", count as u64);
    }
    tally.count("goals", 1);
    Ok(tally)
}

/// Kills at commit 1, 2, 3 and so on, until the goal ends before. Gives the commits at which it was killed.
fn side_of(
    run: &Run,
    scenario: &'static Scenario,
    side: &'static str,
    undisturbed: &Ended,
    sum: &mut Tally,
) -> anyhow::Result<Vec<u64>> {
    let step = if run.bug.is_some() { 1 } else { run.size.pick(SMOKE_STEP, 1, 1) };
    let (next, beyond) = (AtomicU64::new(0), AtomicU64::new(COMMITS_MAX));
    let done: Mutex<(Tally, BTreeSet<u64>)> = Mutex::default();
    std::thread::scope(|scope| {
        let lane = || -> anyhow::Result<()> {
            loop {
                let commit = next.fetch_add(1, Ordering::Relaxed) * step + 1;
                if commit >= beyond.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let mut tally = Tally::default();
                let case = Case { run, scenario, kill: Some(Kill { place: side, nth: commit }) };
                let ended = case.live(&mut tally)?;
                let Some(ended) = ended else {
                    // It ended before there were so many commits.
                    beyond.fetch_min(commit, Ordering::Relaxed);
                    continue;
                };
                ended.compare(undisturbed, &case.name(), &mut tally);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.0.add(tally);
                done.1.insert(commit);
            }
        };
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            lane.join().map_err(|_| anyhow::anyhow!("a lane panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let (tally, killed) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.add(tally);
    if killed.is_empty() || beyond.load(Ordering::Relaxed) == COMMITS_MAX {
        bail!("{}: {} commits were killed at, and no end was seen", scenario.name, killed.len());
    }
    Ok(killed.into_iter().collect())
}
