//! Both daemons are there, whoever started them.

use std::ffi::OsString;

use pb_runtime::{Home, environment};

use super::background::{self, Started};
use super::{Daemon, supervise, supervised};
use crate::commands::{gateway, scheduler};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// The variable that says whether what is started is kept running: `0` where something else does that.
const SUPERVISE: &str = "PB_SUPERVISE";

/// Starts what is not running and says so; returns whether something was started.
pub(crate) fn ensure_both(home: &Home, debug: bool) -> Result<bool, Failure> {
    if Daemon::ALL.into_iter().all(|daemon| daemon.holder(home).is_some()) {
        return Ok(false);
    }
    let gateway = gateway::StartArgs::by_default(debug)?.forwarded()?;
    start_both(home, &gateway, &scheduler::StartArgs::by_default(debug).forwarded()?)
}

/// Starts what is not running, with these arguments after `pb NAME start`, and says so; returns whether something
/// was started. From then on a supervisor keeps both running.
pub(crate) fn start_both(home: &Home, gateway: &[OsString], scheduler: &[OsString]) -> Result<bool, Failure> {
    if environment::text(SUPERVISE).is_some_and(|said| said == "0") {
        let gateway = start_alone(home, Daemon::Gateway, gateway)?;
        return Ok(start_alone(home, Daemon::Scheduler, scheduler)? || gateway);
    }
    let before = Daemon::ALL.map(|daemon| daemon.holder(home).map(|holder| holder.pid));
    let report = match supervised::start_all(home) {
        Some(report) => report?,
        None => launch(home, gateway, scheduler)?,
    };
    let mut any = false;
    for (daemon, before) in Daemon::ALL.into_iter().zip(before) {
        let started = supervised::started(&report, daemon)?;
        if before != Some(started.pid) {
            output::note(started_line(daemon, &started));
            any = true;
        }
    }
    Ok(any)
}

/// Starts a supervisor; how both are.
fn launch(
    home: &Home,
    gateway: &[OsString],
    scheduler: &[OsString],
) -> Result<pb_supervisor::control::Report, Failure> {
    let given = |name: &str, argument: &OsString| {
        let mut given = OsString::from(name);
        given.push(argument);
        given
    };
    let gateway = gateway.iter().map(|argument| given("--gateway-argument=", argument));
    let scheduler = scheduler.iter().map(|argument| given("--scheduler-argument=", argument));
    let arguments = gateway.chain(scheduler).collect();
    match supervise::launch(home, arguments) {
        Ok(_) => {}
        // Somebody else was faster, which is just as well.
        Err(failure) if failure.exit == Exit::Busy && supervised::is_there(home) => {}
        Err(failure) => return Err(failure),
    }
    let gone = || {
        Failure::new(Exit::Unavailable, "the supervisor has ended").hint("see why with: pb logs supervisor")
    };
    supervised::start_all(home).ok_or_else(gone)?
}

/// Starts a daemon that nobody keeps running; whether it did not run.
fn start_alone(home: &Home, daemon: Daemon, arguments: &[OsString]) -> Result<bool, Failure> {
    if daemon.holder(home).is_some() {
        return Ok(false);
    }
    match background::start(home, daemon, arguments) {
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
        Daemon::Gateway if started.about.is_empty() => format!("started {name} (pid {pid})"),
        Daemon::Gateway => format!("started {name} (pid {pid}) on {}", started.about),
        Daemon::Scheduler => format!("started {name} (pid {pid})"),
    }
}
