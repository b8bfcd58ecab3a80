//! `pb work`: handing work over.

use clap::Subcommand;

use super::run::{self, HandOver};
use crate::asked::Asked;
use crate::exit::Exit;
use crate::failure::Failure;

/// Hand work over without watching it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb work create \"Tidy the notes in this folder\" --workspace .")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Hand a goal over and print its id; the same as `pb run --detach`
    Create(CreateArgs),
}

/// What to hand over.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb work create \"Create a file hello.txt containing Hello\"\n  pb work create nightly.toml --json"
)]
struct CreateArgs {
    #[command(flatten)]
    asked: Asked,
    /// Print the goal as one JSON document
    #[arg(long)]
    json: bool,
    /// The same key gives the same goal, for 30 days, instead of a second one
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::Create(args) => run::start(
            args.asked.spec()?,
            HandOver { detach: true, json: args.json, key: args.key.as_deref() },
        ),
    }
}
