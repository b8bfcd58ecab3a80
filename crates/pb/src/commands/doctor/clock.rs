//! The clock: is its year plausible, did it jump since our processes started, and are there time zones.

use pb_runtime::{Clock, Home, LockHolder, clock, process, zones};
use pb_store::Mark;

use super::check::Check;
use crate::daemon::Daemon;
use crate::format;

/// Before this version was written no clock was right: 2025-01-01, in milliseconds since 1970.
const EARLIEST_MS: u64 = 1_735_689_600_000;
/// The year 2100, in milliseconds since 1970.
const LATEST_MS: u64 = 4_102_444_800_000;
/// A clock that was set by less is one that is kept right, in milliseconds.
const JUMP_MS: u64 = 60_000;

pub(super) fn look(home: &Home) -> Vec<Check> {
    let now = Clock::System.now_ms();
    vec![plausible(home, now), jumps(home, now), time_zones()]
}

fn plausible(home: &Home, now: u64) -> Check {
    const ADVICE: &str = "set it: timedatectl set-ntp true";
    let shown = format::moment(now);
    if !(EARLIEST_MS..LATEST_MS).contains(&now) {
        return Check::problem("clock", format_args!("says {shown}, which cannot be"), ADVICE);
    }
    // The scheduler was alive then, and time does not go back.
    match Mark::read(&home.state_mark()) {
        Some(mark) if mark.at_ms > now.saturating_add(JUMP_MS) => {
            let found =
                format!("says {shown}, and the scheduler was at work at {}", format::moment(mark.at_ms));
            Check::problem("clock", found, ADVICE)
        }
        _ => Check::ok("clock", format_args!("says {shown}")),
    }
}

/// When the machine started, by the clock of now and by that of when each process took its lock: a difference is a jump.
fn jumps(home: &Home, now: u64) -> Check {
    const NAME: &str = "clock jumps";
    let booted_ms = now.saturating_sub(clock::since_boot_ms());
    let holders = [Daemon::Gateway, Daemon::Scheduler].map(|daemon| (daemon.name(), daemon.holder(home)));
    let jumped = holders.into_iter().filter_map(|(name, holder)| Some((name, then(&holder?)?)));
    let mut looked = false;
    for (name, booted_then_ms) in jumped {
        looked = true;
        let by = booted_ms.abs_diff(booted_then_ms);
        if by > JUMP_MS {
            let way = if booted_ms > booted_then_ms { "forward" } else { "back" };
            let found = format!("the clock went {way} by {} since the {name} started", format::duration(by));
            let advice = "running times leave it out; deadlines and schedules go by the new time";
            return Check::warning(NAME, found, advice);
        }
    }
    Check::ok(
        NAME,
        if looked { "none since gateway and scheduler started" } else { "nothing runs to compare with" },
    )
}

/// When the machine started, by the clock that a process saw when it started.
fn then(holder: &LockHolder) -> Option<u64> {
    holder.started_at_ms.checked_sub(process::started_ms(holder.pid)?)
}

fn time_zones() -> Check {
    let count = zones::names().len();
    if count == 0 {
        let advice = "install it (tzdata); schedules and the day of the budget need it";
        return Check::problem("time zones", "there is no database of time zones", advice);
    }
    Check::ok("time zones", format_args!("{count} known; the machine's own is {}", zones::own()))
}
