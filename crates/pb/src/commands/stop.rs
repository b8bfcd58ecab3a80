//! `pb stop`: both processes.

use pb_runtime::Home;

use super::service::StopArgs;
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Stop scheduler and gateway, with everything that they run
///
/// Goals that are not done go on at the next `pb start`. A process that does not end within 25 s is killed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb stop                      steps under way may end
  pb stop --all                the kill switch: everything ends within two seconds")]
pub(crate) struct Args {
    /// End everything at once, tools included, and let nothing start until `pb start`
    #[arg(long, conflicts_with = "force")]
    all: bool,
    #[command(flatten)]
    how: StopArgs,
}

/// Runs the command. The scheduler stops first, so that clients see its last events.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.check_owner()?;
    if args.all {
        return daemon::stop_all(&home);
    }
    args.how.hurry(&home, &Daemon::ALL);
    if !daemon::stop_both(&home)? {
        output::note("nothing is running");
    }
    Ok(Exit::Ok)
}

/// Stops one of them.
pub(super) fn one(home: &Home, daemon: Daemon) -> Result<Exit, Failure> {
    let holder = daemon.holder(home);
    // Asked also where it does not run: it may be about to be started again.
    let stopped = match daemon::stop_one(home, daemon) {
        Some(asked) => {
            asked?;
            holder.inspect(|holder| {
                output::note(format_args!("stopped {} (pid {})", daemon.name(), holder.pid));
            })
        }
        None => daemon::stop(home, daemon)?,
    };
    if stopped.is_none() {
        output::note(format_args!("the {} is not running", daemon.name()));
    }
    Ok(Exit::Ok)
}
