//! Starting a process in the background, and what became of it.

use std::ffi::OsString;
use std::process::Child;
use std::time::Duration;

use anyhow::Context;
use pb_runtime::Home;
use pb_runtime::readiness::Readiness;
use pb_supervisor::launch::{Launch, Launched, Word};

use super::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long a daemon may take until it serves.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// A process that serves.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its process id.
    pub(crate) pid: u32,
    /// What it says about itself, for people.
    pub(crate) about: String,
}

/// Starts a daemon with these arguments after `pb NAME start`, and waits until it serves.
pub(crate) fn start(home: &Home, daemon: Daemon, arguments: &[OsString]) -> Result<Started, Failure> {
    let start = [daemon.name(), "start", "--foreground", "--report-ready"].map(OsString::from);
    let arguments = start.into_iter().chain(arguments.iter().cloned()).collect();
    let name = daemon.name();
    let launch = Launch { name, arguments, variables: Vec::new(), without: Vec::new() };
    Ok(self::launch(home, &launch, READY_LIMIT)?.0)
}

/// Starts a process, and waits until it serves. Whoever goes on for longer than it has to wait for the child.
pub(super) fn launch(home: &Home, launch: &Launch, at_most: Duration) -> Result<(Started, Child), Failure> {
    home.prepare()?;
    let name = launch.name;
    let Launched { mut child, word } =
        launch.start(home).with_context(|| format!("cannot start the {name}"))?;
    let see_log = format!("see what it tells with: pb logs {name}");
    match word.read(at_most) {
        Word::Said(Readiness::Ready(about)) => Ok((Started { pid: child.id(), about }, child)),
        Word::Said(Readiness::Failed { error, exit_code }) => {
            let _ = child.wait(); // It has said everything.
            Err(Failure::relayed(exit_of(exit_code.into()), &error))
        }
        Word::Late => {
            let seconds = at_most.as_secs();
            let message = format!("the {name} (pid {}) is not ready after {seconds} s", child.id());
            Err(Failure::new(Exit::Unavailable, message).hint(format!("it goes on starting; {see_log}")))
        }
        Word::Gone(printed) => {
            let how = child.wait().map(|status| status.to_string()).unwrap_or_default();
            let message = format!("the {name} ended before it was ready ({how})");
            let message = match printed {
                Some(words) => format!("{message}; it printed:\n{words}"),
                None => message,
            };
            Err(Failure::new(Exit::Unavailable, message).hint(see_log))
        }
    }
}

/// The exit code that a process ended with, as far as we know it.
pub(super) fn exit_of(code: i32) -> Exit {
    const ALL: [Exit; 6] =
        [Exit::Usage, Exit::Missing, Exit::Unavailable, Exit::Busy, Exit::Refused, Exit::Config];
    ALL.into_iter().find(|exit| i32::from(exit.code()) == code).unwrap_or(Exit::Failed)
}
