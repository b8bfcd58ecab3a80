//! `pb goal retry`.

use pb_protocol::methods::goal_control::{GoalParams, Retry};

use super::{GoalId, control};
use crate::exit::Exit;
use crate::failure::Failure;

/// Try a goal that failed again: the items that failed, from their start; what is done stays
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal retry 3f2a")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let told = |id: &str| format!("{id} is tried again; follow it with: pb goal watch {id}");
    control::ask(args.goal, args.json, told, |client, goal_id| async move {
        client.call::<Retry>(&GoalParams { goal_id, idempotency_key: Some(control::key()) }).await
    })
}
