//! `pb goal watch`.

use anyhow::Context;
use pb_protocol::client::Patience;
use pb_protocol::methods::goal::{GoalIdParams, Status};
use pb_runtime::Home;
use pb_runtime::signals::StopSignals;

use super::GoalId;
use crate::connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::{self, Mode};
use crate::{output, wait};

/// Follow a goal from its first event to its end
///
/// Exits as `pb run` does: 0 verified, 1 failed or cancelled, 2 needs a human, 3 without full
/// proof, 130 after Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal watch 3f2a\n  pb goal watch 3f2a --json | jq .event")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Print one event a line as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(Box::pin(watch(&home, args)))
}

async fn watch(home: &Home, args: Args) -> Result<Exit, Failure> {
    let signals = StopSignals::listen().context("cannot listen to signals")?;
    let params = GoalIdParams { goal_id: args.goal.id };
    // A wrong id, or no gateway, is told at once; patience is for what we follow already.
    let goal = connection::client(home, Patience::None).call::<Status>(&params).await?.goal;
    if !args.json {
        output::note(follow::heading(&goal));
    }
    let client = connection::client(home, connection::MINUTES);
    follow::follow(home, client, &goal, Mode::of(args.json), signals).await
}
