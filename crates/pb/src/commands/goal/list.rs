//! `pb goal list`.

use pb_model::Verdict;
use pb_protocol::client::Patience;
use pb_protocol::domain::Goal;
use pb_protocol::methods::goal::{List, ListParams, ListResult};
use pb_runtime::Home;

use crate::connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, report, table, wait};

/// The statuses that a goal can have.
const STATUSES: [&str; 6] = ["queued", "active", "blocked", "completed", "cancelled", "failed"];

/// List the latest goals, highest priority first, then oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal list\n  pb goal list --status blocked --json")]
pub(super) struct Args {
    /// Only goals in this status
    #[arg(long, value_parser = STATUSES)]
    status: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let list = wait::client(last(&home, args.status, args.limit))?;
    if args.json {
        output::json(&list)?;
        return Ok(Exit::Ok);
    }
    if list.goals.is_empty() {
        output::note("no goals");
        return Ok(Exit::Ok);
    }
    let rows = list.goals.iter().map(row).collect();
    output::data(table::render(&["GOAL", "STATUS", "VERDICT", "CREATED", "TITLE"], rows))?;
    let shown = u64::try_from(list.goals.len()).unwrap_or(u64::MAX);
    if list.total > shown {
        output::note(format_args!("the last {shown} of {}; see more with --limit", list.total));
    }
    Ok(Exit::Ok)
}

/// The goals that were asked for last, in the order in which they are worked on.
async fn last(home: &Home, status: Option<String>, limit: usize) -> Result<ListResult, Failure> {
    let client = connection::client(home, Patience::None);
    let params = ListParams { status, limit: Some(limit), latest: true, ..ListParams::default() };
    Ok(client.call::<List>(&params).await?)
}

fn row(goal: &Goal) -> Vec<String> {
    vec![
        goal.id.clone(),
        report::status(goal),
        goal.verdict.map_or("-", Verdict::as_str).to_owned(),
        format::moment(goal.created_at),
        format::line(&goal.title),
    ]
}
