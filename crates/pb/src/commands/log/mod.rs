//! `pb log`: what the running processes write into their logs; to read them is `pb logs`.

mod level;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// Change what the running processes write into their logs; pb logs shows them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb log level                           what they write now
  pb log level scheduler=debug           more of one part
  pb log level --reset                   as usual again")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Level(level::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::Level(args) => level::run(&args),
    }
}
