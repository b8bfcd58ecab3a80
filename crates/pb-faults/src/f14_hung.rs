//! F14, the other half: a process that hangs. Nothing is heard of it, so the supervisor kills it and starts another.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_supervisor::child::SILENT_MAX;
use rustix::process::{Pid, Signal, kill_process};

use crate::supervised::Supervised;
use crate::{Run, Tally};

/// Three times how long a process may be silent, and what its restart takes.
const BACK_MAX: Duration = SILENT_MAX.saturating_mul(3);
/// How often is looked.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Has each of the two hang, side by side: it takes as long as silence may.
///
/// # Errors
/// The suite cannot go on.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let hung = ["gateway", "scheduler"].map(|name| scope.spawn(move || one(run, name)));
        for hung in hung {
            let took = hung.join().map_err(|_| anyhow::anyhow!("a lane panicked"))??;
            tally.cases += 1;
            tally.count("hung", 1);
            if took < SILENT_MAX / 2 {
                tally.fail(format_args!("one that was silent for {took:?} was taken for hung"));
            }
        }
        anyhow::Ok(())
    })?;
    Ok(tally)
}

/// How long it took until another one was there.
fn one(run: &Run, name: &str) -> anyhow::Result<Duration> {
    let supervised = Supervised::empty(run, &format!("hung-{name}"))?;
    supervised.done(&["start"])?;
    let pid_of = || {
        let all = supervised.all();
        let holder = all.into_iter().find(|(known, _)| *known == name).and_then(|(_, holder)| holder);
        holder.map(|holder| holder.pid)
    };
    let before = pid_of().context("it does not run")?;
    let pid = i32::try_from(before).ok().and_then(Pid::from_raw).context("no process id")?;
    // Until it has said once that it is alive nobody expects it to.
    std::thread::sleep(SILENT_MAX / 3);
    kill_process(pid, Signal::STOP)?;
    let began = Instant::now();
    while pid_of().is_none_or(|now| now == before) {
        if began.elapsed() > BACK_MAX {
            bail!("the {name} hangs for {BACK_MAX:?}, and nobody starts another one");
        }
        std::thread::sleep(LOOK_AGAIN); // wait: other processes ring no bell
    }
    let took = began.elapsed();
    supervised.back()?;
    supervised.done(&["stop"])?;
    Ok(took)
}
