//! Stopping a daemon: the very process that holds the lock, by its descriptor.

use std::time::Duration;

use pb_runtime::lock::LockError;
use pb_runtime::{Clock, Home, LockHolder, ProcessLock};

use super::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// A wait that is longer than this is explained.
const SILENT: Duration = Duration::from_secs(1);
/// How long a daemon may drain; it gives its steps 20 s.
const DRAIN_LIMIT: Duration = Duration::from_secs(25);
/// How long the kernel may take to end it.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How long a supervisor may take: two drains, one after the other.
const BOTH_LIMIT: Duration = Duration::from_secs(55);

/// How many supervisors are ended at most: what one ran starts another when it is killed.
const SUPERVISORS_MAX: usize = 3;

/// Stops both, and whatever keeps them running, and says so; whether something ran.
pub(crate) fn stop_both(home: &Home) -> Result<bool, Failure> {
    let ran = Daemon::ALL.map(|daemon| daemon.holder(home));
    if ran.iter().all(Option::is_none) && LockHolder::alive(&home.supervisor_lock()).is_none() {
        return Ok(false);
    }
    // Until both have ended nobody else can be a supervisor.
    let _lock = end_supervisor(home);
    for (daemon, holder) in Daemon::ALL.into_iter().zip(&ran).rev() {
        if let Some(holder) = holder.as_ref().filter(|holder| !holder.is_alive()) {
            output::note(format_args!("stopped {} (pid {})", daemon.name(), holder.pid));
        }
    }
    // The scheduler stops first, so that clients see its last events.
    for daemon in [Daemon::Scheduler, Daemon::Gateway] {
        stop(home, daemon)?;
    }
    Ok(ran.iter().any(Option::is_some))
}

/// Ends the supervisor with all that it runs, if it does, and takes its place.
fn end_supervisor(home: &Home) -> Option<ProcessLock> {
    for _ in 0..SUPERVISORS_MAX {
        let supervisor = LockHolder::alive(&home.supervisor_lock()).and_then(|holder| holder.process());
        if let Some(supervisor) = supervisor {
            supervisor.terminate();
            if !supervisor.wait(SILENT) {
                let seconds = BOTH_LIMIT.as_secs();
                output::note(format_args!("waiting for steps under way to finish, at most {seconds} s"));
                if !supervisor.wait(BOTH_LIMIT) {
                    supervisor.kill();
                    supervisor.wait(KILL_LIMIT);
                }
            }
        }
        match ProcessLock::acquire(&home.supervisor_lock(), Clock::System.now_ms()) {
            Ok(lock) => return Some(lock),
            Err(LockError::Held { .. }) => {} // Another one was faster: it ends too.
            Err(LockError::Io { .. }) => return None, // A full disk stops nobody from stopping.
        }
    }
    None
}

/// Stops a daemon and says so; `None` when none runs.
pub(crate) fn stop(home: &Home, daemon: Daemon) -> Result<Option<LockHolder>, Failure> {
    let Some(holder) = daemon.holder(home) else {
        return Ok(None);
    };
    let (name, pid) = (daemon.name(), holder.pid);
    let Some(process) = holder.process() else {
        return Ok(None); // It ended in this moment.
    };
    process.terminate();
    if process.wait(SILENT) {
        output::note(format_args!("stopped {name} (pid {pid})"));
        return Ok(Some(holder));
    }
    let seconds = DRAIN_LIMIT.as_secs();
    output::note(format_args!("waiting for the {name} (pid {pid}) to finish its steps, at most {seconds} s"));
    if process.wait(DRAIN_LIMIT.saturating_sub(SILENT)) {
        output::note(format_args!("stopped {name} (pid {pid})"));
        return Ok(Some(holder));
    }
    process.kill();
    if process.wait(KILL_LIMIT) {
        output::note(format_args!("killed {name} (pid {pid}): it did not stop by itself"));
        return Ok(Some(holder));
    }
    // A process of another user, or one that hangs in the kernel.
    let message = format!("the {name} (pid {pid}) cannot be stopped");
    Err(Failure::new(Exit::Failed, message).hint(format!("look at it with: ps -o pid,user,stat,cmd {pid}")))
}
