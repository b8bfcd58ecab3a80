//! `pb supervise`: keeps gateway and scheduler running.

use std::ffi::OsString;

use pb_runtime::Home;

use super::{gateway, scheduler};
use crate::daemon::{self, Ground, Supervising};
use crate::exit::Exit;
use crate::failure::Failure;

/// Keep gateway and scheduler running, in the foreground: for systemd, a container, or a look at it
///
/// It starts both, starts again what ends or hangs, and stops both in order when it is asked to stop. One that fails
/// five times in 60 s, or whose settings do not work, is left alone. `pb start` runs it in the background. It tells a
/// service manager that it is ready and alive (`sd_notify`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb supervise
  pb supervise --port 0        on any free port, which it keeps from then on")]
pub(crate) struct Args {
    #[command(flatten)]
    both: gateway::BothArgs,
    /// Tell the process that holds the other end of standard input when both serve
    #[arg(long, hide = true)]
    report_ready: bool,
    /// Go on with what a supervisor kept running that was killed
    #[arg(long, hide = true)]
    goes_on: bool,
    /// An argument for `pb gateway start`; may be given many times, and then stands for all
    #[arg(long, hide = true, value_name = "ARGUMENT", allow_hyphen_values = true)]
    gateway_argument: Vec<OsString>,
    /// An argument for `pb scheduler start`, as above
    #[arg(long, hide = true, value_name = "ARGUMENT", allow_hyphen_values = true)]
    scheduler_argument: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let Args { both, report_ready, goes_on, gateway_argument, scheduler_argument } = args;
    let ground = Ground { debug: both.debug, report_ready };
    let gateway = if gateway_argument.is_empty() { both.gateway().forwarded()? } else { gateway_argument };
    let scheduler =
        if scheduler_argument.is_empty() { scheduler_arguments(&both)? } else { scheduler_argument };
    daemon::supervise(&home, ground, Supervising { gateway, scheduler, goes_on })
}

/// What a scheduler is started with beside a gateway with these.
pub(super) fn scheduler_arguments(both: &gateway::BothArgs) -> Result<Vec<OsString>, Failure> {
    scheduler::StartArgs::beside(both).forwarded()
}
