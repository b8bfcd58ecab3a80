//! `pb goal pause`.

use pb_protocol::methods::goal_control::{GoalParams, Pause};

use super::{GoalId, control};
use crate::exit::Exit;
use crate::failure::Failure;

/// Have a goal stand still: what it is doing now ends, nothing new of it starts
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal pause 3f2a\n  pb goal resume 3f2a")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let told = |id: &str| {
        format!("{id} is paused: steps under way end, nothing new starts; go on with: pb goal resume {id}")
    };
    control::ask(args.goal, args.json, told, |client, goal_id| async move {
        client.call::<Pause>(&GoalParams { goal_id, idempotency_key: Some(control::key()) }).await
    })
}
