//! `pb start`: both processes, in the background.

use std::ffi::OsString;

use anyhow::Context;
use pb_runtime::{Home, halt};

use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Start gateway and scheduler in the background, as far as they do not run already
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb start
  PB_PORT=0 pb start           on any free port

PB_HOST and PB_PORT say where the gateway listens; 127.0.0.1 and 18789 if they are not set.")]
pub(crate) struct Args {
    /// Tell more about what goes on, in the logs
    #[arg(long)]
    debug: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.check()?;
    if halt::clear(&home).with_context(|| format!("cannot remove {}", home.halt().display()))? {
        output::note("everything had been stopped with pb stop --all; from now on it goes on");
    }
    if !daemon::ensure_both(&home, args.debug)? {
        output::note("gateway and scheduler are running already");
    }
    Ok(Exit::Ok)
}

/// Starts one of them in the background. That it runs already is an error here: it may run with
/// other arguments than the person asks for.
pub(super) fn one(home: &Home, daemon: Daemon, arguments: &[OsString]) -> Result<Exit, Failure> {
    if let Some(holder) = daemon.holder(home) {
        return Err(daemon.already_running(Some(&holder)));
    }
    let started = daemon::start(home, daemon, arguments)?;
    output::note(daemon::started_line(daemon, &started));
    Ok(Exit::Ok)
}
