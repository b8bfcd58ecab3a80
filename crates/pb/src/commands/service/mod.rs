//! `pb service`: PonyBunny as a service of the person's own systemd, and the words that the first version had for
//! what `pb start`, `pb stop` and the like do.

mod install;
mod old_flags;
mod settings;
mod systemd;
mod uninstall;
mod unit;
mod unit_file;
mod words;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
pub(super) use old_flags::{OrAgain, StopArgs};
pub(super) use words::Words;

/// The name under which systemd knows it.
const UNIT: &str = "ponybunny.service";

/// Run PonyBunny as a service: started when you log in, started again when it breaks
///
/// The service is one of your own (`systemctl --user`), not of the machine. Without it `pb start` starts the same
/// processes. The words below `install` and `uninstall` are other names for commands of `pb`; PROCESS is gateway,
/// scheduler or all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb service install --now
  pb service install --dry-run > ponybunny.service
  pb service uninstall
  pb service start all         the same as: pb start
  pb service logs scheduler -f")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Install(install::Args),
    Uninstall(uninstall::Args),
    /// The same as `pb status`, or `pb PROCESS status`
    #[command(visible_alias = "ps")]
    Status(Words),
    /// The same as `pb start`, or `pb PROCESS start`
    Start(Words),
    /// The same as `pb stop`, or `pb PROCESS stop`
    Stop(Words),
    /// The same as `pb restart`, or `pb PROCESS restart`
    Restart(Words),
    /// The same as `pb logs`, or `pb logs PROCESS`
    Logs(Words),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::Install(args) => install::run(&args),
        Action::Uninstall(args) => uninstall::run(&args),
        Action::Status(words) => words.run("status"),
        Action::Start(words) => words.run("start"),
        Action::Stop(words) => words.run("stop"),
        Action::Restart(words) => words.run("restart"),
        Action::Logs(words) => words.run("logs"),
    }
}
