//! `pb goal cancel`.

use pb_protocol::methods::goal::{Cancel, CancelParams};

use super::{GoalId, control};
use crate::exit::Exit;
use crate::failure::Failure;

/// Cancel a goal: everything that it started ends within two seconds
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal cancel 3f2a --reason \"wrong folder\"")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Why; kept with the goal
    #[arg(long)]
    reason: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let told = |id: &str| format!("{id} is being cancelled; see its end with: pb goal watch {id}");
    control::ask(args.goal, args.json, told, |client, goal_id| async move {
        let params = CancelParams { goal_id, reason: args.reason, idempotency_key: Some(control::key()) };
        client.call::<Cancel>(&params).await
    })
}
