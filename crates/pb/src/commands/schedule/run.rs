//! `pb schedule run`.

use pb_protocol::client::Patience;
use pb_protocol::methods::schedule::{Get, GetParams, Run};
use pb_runtime::Home;

use super::{ScheduleId, ask};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, daemon, output, wait};

/// Run the goal of a schedule once, now; prints the goal's id
///
/// Its other runs stay where they are. Also while it is paused or broken: to see whether it works again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb schedule run 3f2a\n  pb goal watch \"$(pb schedule run 3f2a)\"")]
pub(super) struct Args {
    #[command(flatten)]
    schedule: ScheduleId,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.prepare()?;
    daemon::ensure_both(&home, false)?;
    wait::client(async {
        let client = connection::client(&home, Patience::None);
        let id = client.call::<Get>(&GetParams { schedule_id: args.schedule.id }).await?.id;
        let ran = client.call::<Run>(&ask::params(id)).await?;
        if args.json {
            output::json(&ran)?;
        } else {
            output::data(&ran.goal_id)?;
            let when = if ran.waiting { "it begins when a scheduler runs" } else { "it begins now" };
            output::note(format_args!("{when}; follow it with: pb goal watch {}", ran.goal_id));
        }
        Ok(Exit::Ok)
    })
}
