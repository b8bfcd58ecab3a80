//! F2: `kill -9` of the scheduler, the gateway or both, while real commands run.
//!
//! A case is a kill, with the start that follows it. Goals are asked for over the wire with a key, again and
//! again until they are answered; a client follows everything. At the end of a home its log is audited
//! (`history.rs`), and compared with what the client saw and with the witnesses of the commands.

mod goals;
mod home;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use self::home::Killed;
use crate::{Run, Tally};

/// Homes that are lived in side by side.
const LANES: usize = 2;
/// Kills in a home, after which another one begins.
const KILLS_A_HOME: u64 = 25;

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    run.pb.as_ref().context("F2 needs the `pb` under test: --pb PATH")?;
    let kills = run.size.pick(6, 300, 100_000);
    let next = AtomicU64::new(0);
    let sum: Mutex<Tally> = Mutex::default();
    std::thread::scope(|scope| {
        let lane = || -> anyhow::Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let begun = number * KILLS_A_HOME;
                if begun >= kills {
                    return Ok(());
                }
                let killed = Killed::begin(run, number, KILLS_A_HOME.min(kills - begun))?;
                let tally = killed.live()?;
                let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                let slowest = slowest(&sum).max(slowest(&tally));
                sum.add(tally);
                set_slowest(&mut sum, slowest);
                crate::progress::tell(format_args!("F2: {} of {kills} kills", sum.cases));
            }
        };
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            lane.join().map_err(|_| anyhow::anyhow!("a lane panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(sum.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The name of the longest time until a process served again.
const READY: &str = "ready_ms_max";

fn slowest(tally: &Tally) -> u64 {
    tally.counts.iter().find(|(name, _)| name == READY).map_or(0, |(_, ms)| *ms)
}

/// The longest of times is no sum.
fn set_slowest(tally: &mut Tally, ms: u64) {
    tally.counts.retain(|(name, _)| name != READY);
    tally.count(READY, ms);
}
