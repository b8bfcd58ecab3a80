//! `pb inbox`: what waits for a person, of all goals in one place.

mod answer;
mod list;

use clap::Subcommand;
use pb_protocol::client::{Client, Error};
use pb_protocol::domain::Escalation;
use pb_protocol::methods::escalation::{List, ListParams};

use crate::exit::Exit;
use crate::failure::Failure;

/// Most questions that one answer is looked for among.
const LOOKED_AT_MAX: usize = 500;

/// See what waits for you, and answer it
///
/// Without a subcommand: every open question, with what was tried and what may be answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb inbox
  pb inbox answer 3f2a retry
  pb inbox answer 3f2a raise --to 2.50
  pb inbox answer 3f2a approve
  pb inbox answer 3f2a --set format=pdf")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    Answer(answer::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Some(Action::Answer(args)) => answer::run(&args),
        None => list::run(&args.list),
    }
}

/// The open questions, the latest first.
async fn open(client: &Client, limit: usize) -> Result<(Vec<Escalation>, u64), Error> {
    let params = ListParams { status: Some("open".to_owned()), limit: Some(limit), ..ListParams::default() };
    let list = client.call::<List>(&params).await?;
    Ok((list.escalations, list.total))
}
