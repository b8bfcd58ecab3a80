//! `pb schedule remove`.

use pb_protocol::methods::schedule::Remove;

use super::{ScheduleId, ask};
use crate::exit::Exit;
use crate::failure::Failure;

/// End a schedule; a run that is under way goes on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb schedule remove 3f2a")]
pub(super) struct Args {
    #[command(flatten)]
    schedule: ScheduleId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let told = |id: &str| format!("{id} is removed; what it has run stays: pb goal list");
    ask::control(args.schedule, args.json, told, |client, params| async move {
        client.call::<Remove>(&params).await
    })
}
