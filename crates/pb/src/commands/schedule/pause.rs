//! `pb schedule pause`.

use pb_protocol::methods::schedule::Pause;

use super::{ScheduleId, ask};
use crate::exit::Exit;
use crate::failure::Failure;

/// Have a schedule stand still: its runs are left out, one that is under way goes on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb schedule pause 3f2a\n  pb schedule resume 3f2a")]
pub(super) struct Args {
    #[command(flatten)]
    schedule: ScheduleId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let told = |id: &str| format!("{id} stands still; go on with: pb schedule resume {id}");
    ask::control(args.schedule, args.json, told, |client, params| async move {
        client.call::<Pause>(&params).await
    })
}
