//! `pb debug`: look into what the scheduler does.

mod events;
mod lines;
mod words;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// Look into what the scheduler does, call by call
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug events --follow               watch everything that happens
  pb debug events --goal 3f2a            what was done for a goal, with ids and times")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Events(events::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::Events(args) => events::run(args),
    }
}
