//! `pb restart`: both processes anew.

use std::ffi::OsString;

use pb_runtime::Home;

use super::{gateway, scheduler, start};
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::failure::Failure;

/// Stop scheduler and gateway, and start both: after an upgrade, or a change of config.toml or keys
///
/// Steps under way may end first; goals go on where they were. Each starts as it was started before: on the same
/// address, with the same files, as the version of this command. With a config.toml that does not work nothing is
/// stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb restart
  pb scheduler restart         after a change of models or keys, which only the scheduler reads")]
pub(crate) struct Args {
    /// Tell more about what goes on, in the logs
    #[arg(long)]
    debug: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    daemon::check_settings(&home)?;
    if daemon::restart_both(&home, args.debug)? {
        return Ok(Exit::Ok);
    }
    // Before anything ends: afterwards nobody knows how it was started.
    let is_alone = Daemon::ALL.into_iter().any(|daemon| daemon.holder(&home).is_some());
    let (gateway, scheduler) = (anew(&home, Daemon::Gateway, args)?, anew(&home, Daemon::Scheduler, args)?);
    daemon::stop_both(&home)?;
    if !is_alone {
        daemon::start_both(&home, &gateway, &scheduler)?;
        return Ok(Exit::Ok);
    }
    // Whoever starts them one by one has something else that keeps them running.
    start::one(&home, Daemon::Gateway, &gateway)?;
    start::one(&home, Daemon::Scheduler, &scheduler)
}

fn anew(home: &Home, daemon: Daemon, args: &Args) -> Result<Vec<OsString>, Failure> {
    let mut arguments = match (daemon.arguments(home), daemon) {
        (Some(arguments), _) => arguments,
        (None, Daemon::Gateway) => gateway::StartArgs::by_default(false)?.forwarded()?,
        (None, Daemon::Scheduler) => scheduler::StartArgs::by_default(false).forwarded()?,
    };
    if args.debug && !arguments.iter().any(|argument| argument == "--debug") {
        arguments.push("--debug".into());
    }
    Ok(arguments)
}
