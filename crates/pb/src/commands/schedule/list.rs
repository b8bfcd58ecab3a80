//! `pb schedule list`.

use pb_protocol::client::Patience;
use pb_protocol::methods::schedule::{List, ListParams};
use pb_protocol::schedule::Schedule;
use pb_runtime::Home;

use super::view;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, format, output, table, wait};

/// List schedules with their next and their last run, oldest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb schedule list\n  pb schedule list --json | jq .schedules[].next_slot"
)]
pub(super) struct Args {
    /// Also those that were removed
    #[arg(long)]
    removed: bool,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let params = ListParams { removed: args.removed, limit: Some(args.limit), ..ListParams::default() };
    let client = connection::client(&home, Patience::None);
    let list = wait::client(async { Ok(client.call::<List>(&params).await?) })?;
    if args.json {
        output::json(&list)?;
        return Ok(Exit::Ok);
    }
    if list.schedules.is_empty() {
        output::note("no schedules");
        return Ok(Exit::Ok);
    }
    let rows = list.schedules.iter().map(row).collect();
    output::data(table::render(&["SCHEDULE", "STATUS", "NEXT", "LAST", "WHEN", "TITLE"], rows))?;
    for schedule in &list.schedules {
        if let Some(reason) = &schedule.reason {
            output::note(format_args!(
                "{id} is broken: {}; look at it, then: pb schedule resume {id}",
                format::line(reason),
                id = schedule.id
            ));
        }
    }
    let shown = u64::try_from(list.schedules.len()).unwrap_or(u64::MAX);
    if list.total > shown {
        output::note(format_args!("the first {shown} of {}; see more with --limit", list.total));
    }
    Ok(Exit::Ok)
}

fn row(schedule: &Schedule) -> Vec<String> {
    let last = schedule.recent.last().map(view::result);
    vec![
        schedule.id.clone(),
        schedule.status.clone(),
        schedule.next_slot.map_or("-".to_owned(), format::moment),
        last.unwrap_or_else(|| "-".to_owned()),
        view::when(&schedule.timing),
        format::line(&schedule.title),
    ]
}
