//! Measures the log against SQLite without us, and prints one document of JSON.
//! `cargo xtask bench store` builds it, runs it and tells what it came to.

mod commits;
mod plain;
mod processor;
mod reading;
mod work;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::work::Synchronous;

/// How many callers commit at once.
const CALLERS: [usize; 4] = [1, 8, 64, 256];
/// Threads of the runtime, as many as the scheduler has.
const THREADS: usize = 2;

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Measured {
    commits: Vec<Commits>,
    reading: reading::Reading,
}

/// Commits of one number of callers, in one mode.
#[derive(Debug, Serialize)]
struct Commits {
    synchronous: Synchronous,
    callers: usize,
    ours: Rate,
    /// As many to a transaction as there are callers, written by a loop that does nothing else.
    plain: Rate,
}

/// How fast, and for how much.
#[derive(Debug, Clone, Copy, Serialize)]
struct Rate {
    per_second: f64,
    /// Time of a processor for each commit, in microseconds.
    cpu_us: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rounds, milliseconds] = arguments.as_slice() else {
        anyhow::bail!("usage: store-bench FOLDER ROUNDS MILLISECONDS");
    };
    let folder = PathBuf::from(folder);
    let (rounds, time) = (rounds.parse()?, Duration::from_millis(milliseconds.parse()?));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    let mut measured =
        Measured { commits: Vec::new(), reading: runtime.block_on(reading::measure(&folder))? };
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        for callers in CALLERS {
            let ours = |place: &Path| runtime.block_on(commits::measure(place, synchronous, callers, time));
            let plain = |place: &Path| plain::measure(place, synchronous, callers, time);
            let mut rates = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                // In turns, so that a disk that changes its mood changes it for both.
                rates.0.push(fresh(&folder, ours)?);
                rates.1.push(fresh(&folder, plain)?);
            }
            let (ours, plain) = (median(rates.0)?, median(rates.1)?);
            measured.commits.push(Commits { synchronous, callers, ours, plain });
        }
    }
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&measured)?)?;
    Ok(())
}

/// Measures in a folder of its own, which is gone afterwards.
fn fresh(folder: &Path, measure: impl FnOnce(&Path) -> anyhow::Result<Rate>) -> anyhow::Result<Rate> {
    let place = folder.join("round");
    std::fs::create_dir(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let rate = measure(&place);
    std::fs::remove_dir_all(&place)?;
    rate
}

fn median(mut rates: Vec<Rate>) -> anyhow::Result<Rate> {
    rates.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rates.get(rates.len() / 2).copied().context("at least one round is needed")
}
