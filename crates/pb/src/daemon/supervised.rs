//! Asking the supervisor, where there is one.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pb_runtime::{Home, LockHolder};
use pb_supervisor::child::State;
use pb_supervisor::control::{self, Ask, AskError, ChildReport, Report, Which};

use super::supervise::failure;
use super::{Daemon, background, ensure};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// How long a supervisor that becomes another program may take until both serve again: two stops and two starts at
/// their limits.
const BECOME_MAX: Duration = Duration::from_secs(90);
/// How long one that has just begun may take until it can be asked how everything is.
const LISTENS_WITHIN: Duration = Duration::from_millis(200);
/// Pause between two looks at one that becomes another program.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// A wait that is longer than this is explained.
const SILENT: Duration = Duration::from_secs(1);

/// How everything is; `None` where no supervisor runs.
pub(crate) fn report(home: &Home) -> Option<Result<Report, Failure>> {
    ask(home, &Ask::Report).transpose()
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
    let report = ask(home, &Ask::Start(which)).transpose()?;
    Some(report.and_then(|report| started(&report, daemon)))
}

/// Has the supervisor start one anew, with these arguments or those that it had; `None` where none runs.
pub(crate) fn restart_one(
    home: &Home,
    daemon: Daemon,
    arguments: Option<Vec<OsString>>,
) -> Option<Result<background::Started, Failure>> {
    let which = Which { daemon: Some(daemon), arguments };
    let report = ask(home, &Ask::Restart(which)).transpose()?;
    Some(report.and_then(|report| started(&report, daemon)))
}

/// Has the supervisor stop one, and leave it so; `None` where none runs.
pub(crate) fn stop_one(home: &Home, daemon: Daemon) -> Option<Result<(), Failure>> {
    let which = Which { daemon: Some(daemon), arguments: None };
    Some(ask(home, &Ask::Stop(which)).transpose()?.map(drop))
}

/// Has the supervisor start what does not run; `None` where none runs.
pub(super) fn start_all(home: &Home) -> Option<Result<Report, Failure>> {
    let which = Which { daemon: None, arguments: None };
    ask(home, &Ask::Start(which)).transpose()
}

/// Has the supervisor become this program and start both anew; whether one runs.
pub(crate) fn restart_both(home: &Home, debug: bool) -> Result<bool, Failure> {
    let holder = LockHolder::alive(&home.supervisor_lock());
    let before = ask(home, &Ask::Become { program: this_program()?, debug })?;
    let (Some(holder), Some(before)) = (holder, before) else { return Ok(false) };
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

/// Asks the supervisor; `None` where none runs. One that has just begun, or becomes another program, does not listen
/// yet, and what it was asked while it stops is asked of the next one.
fn ask(home: &Home, what: &Ask) -> Result<Option<Report>, Failure> {
    let began = Instant::now();
    while is_there(home) {
        let error = match control::ask(home, what) {
            Ok(report) => return Ok(Some(report)),
            Err(error) => error,
        };
        let may_repeat = match &error {
            AskError::NotThere(_) => true,
            AskError::NoAnswer(cause) => {
                cause.kind() == ErrorKind::UnexpectedEof && matches!(what, Ask::Start(_) | Ask::Stop(_))
            }
            AskError::NotUnderstood(_) => false,
        };
        let limit = if *what == Ask::Report { LISTENS_WITHIN } else { BECOME_MAX };
        if !may_repeat || began.elapsed() > limit {
            let failure = Failure::new(Exit::Unavailable, &error);
            let failure = match std::error::Error::source(&error) {
                Some(cause) => failure.because(cause),
                None => failure,
            };
            return Err(failure.hint("see what it tells with: pb logs supervisor"));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(None)
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
