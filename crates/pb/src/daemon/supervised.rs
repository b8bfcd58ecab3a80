//! Asking the supervisor, where there is one.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pb_runtime::{Home, LockHolder};
use pb_supervisor::child::State;
use pb_supervisor::control::{self, Ask, ChildReport, Report, Which};

use super::supervise::failure;
use super::{Daemon, background, ensure};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// How long a supervisor that becomes another program may take until both serve again: two stops and two starts at
/// their limits.
const BECOME_MAX: Duration = Duration::from_secs(90);
/// Pause between two looks at one that becomes another program.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// A wait that is longer than this is explained.
const SILENT: Duration = Duration::from_secs(1);

/// How everything is; `None` where no supervisor runs.
pub(crate) fn report(home: &Home) -> Option<Result<Report, Failure>> {
    is_there(home).then(|| ask(home, &Ask::Report))
}

/// Whether a supervisor runs.
pub(super) fn is_there(home: &Home) -> bool {
    LockHolder::alive(&home.supervisor_lock()).is_some()
}

/// Has the supervisor start one; `None` where none runs.
pub(crate) fn start_one(
    home: &Home,
    daemon: Daemon,
    arguments: &[OsString],
) -> Option<Result<background::Started, Failure>> {
    let which = Which { daemon: Some(daemon), arguments: Some(arguments.to_vec()) };
    is_there(home).then(|| started(&ask(home, &Ask::Start(which))?, daemon))
}

/// Has the supervisor start one anew, with these arguments or those that it had; `None` where none runs.
pub(crate) fn restart_one(
    home: &Home,
    daemon: Daemon,
    arguments: Option<Vec<OsString>>,
) -> Option<Result<background::Started, Failure>> {
    let which = Which { daemon: Some(daemon), arguments };
    is_there(home).then(|| started(&ask(home, &Ask::Restart(which))?, daemon))
}

/// Has the supervisor stop one, and leave it so; `None` where none runs.
pub(crate) fn stop_one(home: &Home, daemon: Daemon) -> Option<Result<(), Failure>> {
    let which = Which { daemon: Some(daemon), arguments: None };
    is_there(home).then(|| ask(home, &Ask::Stop(which)).map(|_| ()))
}

/// Has the supervisor start what does not run; `None` where none runs.
pub(super) fn start_all(home: &Home) -> Option<Result<Report, Failure>> {
    let which = Which { daemon: None, arguments: None };
    is_there(home).then(|| ask(home, &Ask::Start(which)))
}

/// Has the supervisor become this program and start both anew; whether one runs.
pub(crate) fn restart_both(home: &Home, debug: bool) -> Result<bool, Failure> {
    let Some(holder) = LockHolder::alive(&home.supervisor_lock()) else { return Ok(false) };
    let before = ask(home, &Ask::Become { program: this_program()?, debug })?;
    let began = Instant::now();
    let mut is_explained = false;
    loop {
        if !is_explained && began.elapsed() > SILENT {
            output::note("waiting for steps under way to end, and for both to start");
            is_explained = true;
        }
        if !holder.is_alive() {
            return Err(Failure::new(Exit::Unavailable, "the supervisor has ended")
                .hint("see why with: pb logs supervisor"));
        }
        // It does not listen while it becomes the other program.
        if let Ok(now) = control::ask(home, &Ask::Report)
            && is_anew(&before, &now)
        {
            for daemon in Daemon::ALL {
                output::note(ensure::started_line(daemon, &started(&now, daemon)?));
            }
            return Ok(true);
        }
        if began.elapsed() > BECOME_MAX {
            return Err(Failure::new(Exit::Unavailable, "gateway and scheduler are not ready")
                .hint("see how they are with: pb status"));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Whether both have come to an end and to something new.
fn is_anew(before: &Report, now: &Report) -> bool {
    now.children.iter().all(|child| {
        let was = before.of(child.daemon).and_then(|one| one.pid);
        let is_other = child.pid.is_none() || child.pid != was;
        let is_settled = matches!(child.state, State::Running | State::Exited | State::Fatal);
        is_other && is_settled
    })
}

/// The file of the program that runs this command.
fn this_program() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe().map_err(anyhow::Error::from)?;
    Ok(path)
}

fn ask(home: &Home, what: &Ask) -> Result<Report, Failure> {
    control::ask(home, what).map_err(|error| {
        let failure = Failure::new(Exit::Unavailable, &error);
        let failure = std::error::Error::source(&error)
            .map_or(failure, |source| Failure::new(Exit::Unavailable, &error).because(source));
        failure.hint("see what it tells with: pb logs supervisor")
    })
}

/// One of them, which should run now.
pub(super) fn started(report: &Report, daemon: Daemon) -> Result<background::Started, Failure> {
    match report.of(daemon) {
        Some(ChildReport { state: State::Running, pid: Some(pid), about, .. }) => {
            Ok(background::Started { pid: *pid, about: about.clone().unwrap_or_default() })
        }
        Some(_) | None => Err(failure(report)),
    }
}
