//! `pb goal plan`.

use pb_protocol::client::{Client, Patience};
use pb_protocol::methods::goal::{GoalIdParams, Plan};
use pb_runtime::Home;

use super::GoalId;
use crate::connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, wait};

/// Print the plan of a goal as a goal file, to edit and run again
///
/// Inputs are filled in: with another value only commands that read `$PB_INPUT_NAME` do something else.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb goal plan 3f2a > plan.toml
  pb run plan.toml               after editing it")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(async {
        let client = connection::client(&home, Patience::None);
        print(&client, args.goal.id, args.json).await
    })?;
    Ok(Exit::Ok)
}

/// Prints the plan of a goal: a goal file, or with `as_json` the file's text together with the goal that
/// it is.
///
/// # Errors
/// The gateway does not answer, there is no such goal, or it has no plan.
pub(crate) async fn print(client: &Client, goal_id: String, as_json: bool) -> Result<(), Failure> {
    let plan = client.call::<Plan>(&GoalIdParams { goal_id }).await?;
    if as_json {
        output::json(&plan)?;
    } else {
        output::raw(&plan.goal_file)?;
    }
    Ok(())
}
