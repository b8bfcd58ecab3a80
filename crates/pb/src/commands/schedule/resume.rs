//! `pb schedule resume`.

use pb_protocol::methods::schedule::Resume;

use super::{ScheduleId, ask};
use crate::exit::Exit;
use crate::failure::Failure;

/// Have a schedule go on that was paused, or that failed too often
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb schedule resume 3f2a")]
pub(super) struct Args {
    #[command(flatten)]
    schedule: ScheduleId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let told = |id: &str| format!("{id} goes on; see its next runs with: pb schedule show {id}");
    ask::control(args.schedule, args.json, told, |client, params| async move {
        client.call::<Resume>(&params).await
    })
}
