//! `pb goal prioritize`.

use pb_protocol::methods::goal_control::{Prioritize, PrioritizeParams};

use super::{GoalId, control};
use crate::exit::Exit;
use crate::failure::Failure;

/// Change which goals come first where there is not room for all
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal prioritize 3f2a 90")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// 0 to 100, higher first; 50 if nothing was said
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    priority: u8,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let priority = args.priority;
    let told = |id: &str| format!("{id} has priority {priority} now");
    control::ask(args.goal, args.json, told, |client, goal_id| async move {
        let params = PrioritizeParams { goal_id, priority, idempotency_key: Some(control::key()) };
        client.call::<Prioritize>(&params).await
    })
}
