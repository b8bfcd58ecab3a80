//! `pb debug search`: the debug events that have these words, straight from the trace.

use std::time::Duration;

use pb_runtime::Home;
use pb_store::{TraceQuery, TraceReader};

use super::events::{NOTHING, goal, unreadable};
use super::lines::show;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, wait};

/// How long is looked.
const LOOK_MAX: Duration = Duration::from_mins(1);

/// Find debug events by their words: names of tools, what models said, what went wrong
///
/// Every word must be there, the last one of what stands together perhaps as the beginning of a longer one. Chinese,
/// Japanese and Korean are found by any characters that follow each other. Nothing needs to run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug search timeout
  pb debug search 报告 write_file --goal 3f2a
  pb debug search llm.response refused --json")]
pub(super) struct Args {
    /// The words
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// Only events of this goal: its id, or a part of it that no other goal has
    #[arg(long, value_name = "ID")]
    goal: Option<String>,
    /// At most this many, the latest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print one event a line as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(Box::pin(search(&home, args)))
}

async fn search(home: &Home, args: Args) -> Result<Exit, Failure> {
    let Some(trace) = TraceReader::open(&home.trace_db()).await.map_err(unreadable)? else {
        output::note(NOTHING);
        return Ok(Exit::Ok);
    };
    let Some(identity) = trace.identity().await.map_err(unreadable)? else { return Ok(Exit::Ok) };
    let query = TraceQuery {
        goal: goal(&trace, args.goal, false).await?,
        words: Some(args.text.join(" ")),
        ..TraceQuery::default()
    };
    let found = trace.find(&query, (0, args.limit), LOOK_MAX).await.map_err(unreadable)?;
    if found.rows.is_empty() {
        output::note(NOTHING);
    }
    for row in found.rows.into_iter().rev() {
        let cursor = identity.cursor(row.pos).to_string();
        if let Some(event) = pb_gateway::debug_event(row) {
            show(&event, &cursor, args.json)?;
        }
    }
    if found.next.is_some() {
        output::note("there are more; raise --limit, or name the goal");
    }
    Ok(Exit::Ok)
}
