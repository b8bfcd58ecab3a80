//! `pb start`: both processes, in the background.

use std::ffi::OsString;

use anyhow::Context;
use pb_runtime::{Home, halt};

use super::gateway::BothArgs;
use super::supervise;
use crate::daemon::{self, Daemon, Ground, Supervising};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Start gateway and scheduler in the background, as far as they do not run already, and keep them running
///
/// What ends by itself, or hangs, is started again; goals go on where they were.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb start
  pb start --port 0            on any free port
  pb start --force             anew, if they run already, with these arguments
  pb start --foreground        as pb supervise does: until Ctrl-C

PB_HOST and PB_PORT say where the gateway listens; 127.0.0.1 and 18789 if they are not set.
With PB_SUPERVISE=0 nothing is started again: for who keeps them running otherwise.")]
pub(crate) struct Args {
    #[command(flatten)]
    both: BothArgs,
    /// Stay in the foreground, until Ctrl-C stops both
    #[arg(long)]
    foreground: bool,
    /// Stop first what runs already
    #[arg(short, long)]
    force: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.check()?;
    if halt::clear(&home).with_context(|| format!("cannot remove {}", home.halt().display()))? {
        output::note("everything had been stopped with pb stop --all; from now on it goes on");
    }
    if args.force {
        daemon::check_settings(&home)?;
        daemon::stop_both(&home)?;
    }
    let gateway = args.both.gateway().forwarded()?;
    let scheduler = supervise::scheduler_arguments(&args.both)?;
    if args.foreground {
        let ground = Ground { debug: args.both.debug, report_ready: false };
        return daemon::supervise(&home, ground, Supervising { gateway, scheduler, goes_on: false });
    }
    if !daemon::start_both(&home, &gateway, &scheduler)? {
        output::note("gateway and scheduler are running already");
    }
    Ok(Exit::Ok)
}

/// Starts one of them in the background: by the supervisor, if there is one. That it runs already is an error here: it
/// may run with other arguments than the person asks for.
pub(super) fn one(home: &Home, daemon: Daemon, arguments: &[OsString]) -> Result<Exit, Failure> {
    if let Some(holder) = daemon.holder(home) {
        return Err(daemon::already_running(daemon, Some(&holder)));
    }
    let started = match daemon::start_one(home, daemon, arguments) {
        Some(started) => started?,
        None => daemon::start(home, daemon, arguments)?,
    };
    output::note(daemon::started_line(daemon, &started));
    Ok(Exit::Ok)
}

/// Starts one of them anew, as it was started before where nothing else is asked for.
pub(super) fn one_anew(
    home: &Home,
    daemon: Daemon,
    (arguments, by_default): (Vec<OsString>, &[OsString]),
) -> Result<Exit, Failure> {
    daemon::check_settings(home)?;
    let given = (arguments != by_default).then(|| arguments.clone());
    let before = daemon.holder(home);
    if let Some(started) = daemon::restart_one(home, daemon, given.clone()) {
        let started = started?;
        if let Some(before) = before {
            output::note(format_args!("stopped {} (pid {})", daemon.name(), before.pid));
        }
        output::note(daemon::started_line(daemon, &started));
        return Ok(Exit::Ok);
    }
    let arguments = given.or_else(|| daemon.arguments(home)).unwrap_or(arguments);
    daemon::stop(home, daemon)?;
    one(home, daemon, &arguments)
}
