//! The kill switch: `pb stop --all` (`durability.md` §5). It asks nobody: no socket, no database.

use std::time::{Duration, Instant};

use pb_exec::leftovers::{self, Leftover};
use pb_runtime::process::Process;
use pb_runtime::{Clock, Home, LockHolder, halt};

use super::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// How long a process may take to end by itself.
const TERM_LIMIT: Duration = Duration::from_millis(500);
/// How long the kernel may take to end one that is killed.
const KILL_LIMIT: Duration = Duration::from_millis(500);
/// How long keepers have to end what they watch, once the scheduler is gone.
const KEEPERS_LIMIT: Duration = Duration::from_millis(800);
/// How long what is left has to end.
const LEFTOVERS_LIMIT: Duration = Duration::from_millis(500);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Has nothing start any more, and ends all that runs.
pub(crate) fn all(home: &Home) -> Result<Exit, Failure> {
    let _ = home.prepare(); // What is wrong with it shows in the next line.
    // First of all, so that nothing new begins; but a disk that is full stops nobody from stopping.
    let kept = halt::set(home, Clock::System.now_ms());
    // It starts nothing from now on, whether the stop is kept or not.
    let supervisor = LockHolder::alive(&home.supervisor_lock()).and_then(|holder| holder.process());
    supervisor.iter().for_each(Process::terminate);
    let scheduler = Daemon::Scheduler.holder(home);
    let below = scheduler.as_ref().map_or_else(Vec::new, |one| leftovers::below(one.pid, one.start_time));
    let mut all_ended = true;
    for (daemon, holder) in [(Daemon::Scheduler, scheduler), (Daemon::Gateway, Daemon::Gateway.holder(home))]
    {
        all_ended &= holder.is_none_or(|holder| end(daemon, &holder));
    }
    if let Some(supervisor) = supervisor
        && !supervisor.wait(TERM_LIMIT)
    {
        supervisor.kill();
        all_ended &= supervisor.wait(KILL_LIMIT);
    }
    let left = end_steps(home, below);
    match &kept {
        Ok(()) => output::note("nothing starts any more, until: pb start"),
        Err(error) => output::note(format_args!(
            "the stop is not kept ({}: {error}): whoever starts something has it run",
            home.halt().display()
        )),
    }
    if left > 0 || !all_ended || kept.is_err() {
        let message = if left > 0 {
            format!("{} cannot be ended", processes(left))
        } else if all_ended {
            "what runs has ended, but the stop is not kept".to_owned()
        } else {
            "not everything has ended".to_owned()
        };
        return Err(Failure::new(Exit::Failed, message).hint("look for them with: ps -eo pid,user,stat,cmd"));
    }
    Ok(Exit::Ok)
}

/// Ends a daemon and says so; whether it ended.
fn end(daemon: Daemon, holder: &LockHolder) -> bool {
    let (name, pid) = (daemon.name(), holder.pid);
    let Some(process) = holder.process() else {
        return true; // It ended in this moment.
    };
    process.terminate();
    if process.wait(TERM_LIMIT) {
        output::note(format_args!("stopped {name} (pid {pid})"));
        return true;
    }
    process.kill();
    let ended = process.wait(KILL_LIMIT);
    let how = if ended { "killed" } else { "cannot end" };
    output::note(format_args!("{how} {name} (pid {pid})"));
    ended
}

/// Waits for the keepers, and ends what they do not; how many processes are left.
fn end_steps(home: &Home, below: Vec<Leftover>) -> usize {
    let began = Instant::now();
    let count = below.len();
    let mut found = with_marked(home, below);
    while !found.is_empty() && began.elapsed() < KEEPERS_LIMIT {
        std::thread::sleep(LOOK_AGAIN);
        found = with_marked(home, leftovers::still_there(found));
    }
    let left = leftovers::end(&found, LEFTOVERS_LIMIT);
    match (count, found.len()) {
        (0, 0) => output::note("no tool was running"),
        (ran, 0) => output::note(format_args!("{} of tools ended", processes(ran))),
        (_, found) => output::note(format_args!("ended {} that were left", processes(found))),
    }
    left
}

/// Adds those that carry the name of a step of this home: the step's folder is there while it runs.
fn with_marked(home: &Home, mut found: Vec<Leftover>) -> Vec<Leftover> {
    let temporary = home.temporary();
    for marked in leftovers::find(|step| temporary.join(step).is_dir()) {
        if !found.contains(&marked) {
            found.push(marked);
        }
    }
    found
}

fn processes(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}
