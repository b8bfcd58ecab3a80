//! `pb goal cancel`.

use pb_protocol::client::Patience;
use pb_protocol::methods::goal::{Cancel, CancelParams, GoalIdParams, Status};
use pb_runtime::{Clock, Home, Ids};

use super::GoalId;
use crate::connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, wait};

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
    let home = Home::from_environment()?;
    wait::client(cancel(&home, args))
}

async fn cancel(home: &Home, args: Args) -> Result<Exit, Failure> {
    let client = connection::client(home, Patience::None);
    // The whole id first, so that what is cancelled can be named.
    let params = GoalIdParams { goal_id: args.goal.id };
    let goal = client.call::<Status>(&params).await?.goal;
    let params = CancelParams {
        goal_id: goal.id.clone(),
        reason: args.reason,
        idempotency_key: Some(Ids::random(Clock::System).uuid().to_string()),
    };
    let result = client.call::<Cancel>(&params).await?;
    if args.json {
        output::json(&result)?;
    } else if result.waiting {
        output::note(format_args!("{} is cancelled when a scheduler runs: pb scheduler start", goal.id));
    } else {
        output::note(format_args!("{} is being cancelled; see its end with: pb goal watch {0}", goal.id));
    }
    Ok(Exit::Ok)
}
