//! F2: `kill -9` of the scheduler, the gateway or both, while real commands run; and of those and the supervisor
//! that keeps them running.
//!
//! A case is a kill, with the start that follows it: by the suite, or by nobody but what is left. Goals are asked for over the wire with a key, again and
//! again until they are answered; a client follows everything. At the end of a home its log is audited
//! (`history.rs`), and compared with what the client saw and with the witnesses of the commands.

mod goals;
mod home;
mod keeper;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use self::home::Killed;
use crate::{Run, Tally};

/// Homes that are lived in side by side.
const LANES: usize = 2;
/// Kills in a home, after which another one begins.
const KILLS_A_HOME: u64 = 25;
/// The same where a supervisor starts again what was killed: one that fails five times in a minute it leaves alone.
const SUPERVISED_KILLS_A_HOME: u64 = 4;

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    run.pb.as_ref().context("F2 needs the `pb` under test: --pb PATH")?;
    let mut sum = homes(run, run.size.pick(6, 300, 100_000), (0, KILLS_A_HOME, false))?;
    // Numbers of their own, and so seeds.
    let supervised = homes(run, run.size.pick(4, 60, 20_000), (1 << 32, SUPERVISED_KILLS_A_HOME, true))?;
    let slowest = slowest(&sum).max(slowest(&supervised));
    sum.add(supervised);
    set_slowest(&mut sum, slowest);
    Ok(sum)
}

/// So many kills, so many in each home, whose numbers begin at `first`.
fn homes(
    run: &Run,
    kills: u64,
    (first, kills_a_home, is_supervised): (u64, u64, bool),
) -> anyhow::Result<Tally> {
    let next = AtomicU64::new(0);
    let sum: Mutex<Tally> = Mutex::default();
    std::thread::scope(|scope| {
        let lane = || -> anyhow::Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let begun = number * kills_a_home;
                if begun >= kills {
                    return Ok(());
                }
                let kills_here = kills_a_home.min(kills - begun);
                let killed = Killed::begin(run, first + number, (kills_here, is_supervised))?;
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
