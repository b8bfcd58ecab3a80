//! Both daemons are there, whoever started them.

use std::ffi::OsString;

use pb_runtime::Home;

use super::Daemon;
use super::background::{self, Started};
use crate::commands::{gateway, scheduler};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Starts what is not running and says so; returns whether something was started.
///
/// The gateway comes first, so that the scheduler finds its socket at once.
pub(crate) fn ensure_both(home: &Home, debug: bool) -> Result<bool, Failure> {
    let gateway = ensure(home, Daemon::Gateway, || gateway::StartArgs::by_default(debug)?.forwarded())?;
    let scheduler = ensure(home, Daemon::Scheduler, || scheduler::StartArgs::by_default(debug).forwarded())?;
    Ok(gateway || scheduler)
}

fn ensure(
    home: &Home,
    daemon: Daemon,
    arguments: impl FnOnce() -> Result<Vec<OsString>, Failure>,
) -> Result<bool, Failure> {
    if daemon.holder(home).is_some() {
        return Ok(false);
    }
    match background::start(home, daemon, &arguments()?) {
        Ok(started) => {
            output::note(started_line(daemon, &started));
            Ok(true)
        }
        // Somebody else was faster, which is just as well.
        Err(failure) if failure.exit == Exit::Busy && daemon.holder(home).is_some() => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// `started gateway (pid 123) on ws://127.0.0.1:18789`.
pub(crate) fn started_line(daemon: Daemon, started: &Started) -> String {
    let (name, pid) = (daemon.name(), started.pid);
    match daemon {
        Daemon::Gateway => format!("started {name} (pid {pid}) on {}", started.about),
        Daemon::Scheduler => format!("started {name} (pid {pid})"),
    }
}
