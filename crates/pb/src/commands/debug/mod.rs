//! `pb debug`: look into what the scheduler does.

mod events;
mod export;
mod exported;
mod lines;
mod open;
mod search;
mod words;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// Look into what the scheduler does, call by call
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug events --follow               watch everything that happens
  pb debug events --goal 3f2a            what was done for a goal, with ids and times
  pb debug search 报告                   the events that have a word
  pb debug export 3f2a                   a goal in one file, for another person: pb debug open FILE")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Events(events::Args),
    Search(search::Args),
    Export(export::Args),
    Open(open::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::Events(args) => events::run(args),
        Action::Search(args) => search::run(args),
        Action::Export(args) => export::run(&args),
        Action::Open(args) => open::run(&args),
    }
}
