//! `pb schedule show`.

use pb_protocol::client::Patience;
use pb_protocol::methods::schedule::{Get, GetParams};
use pb_protocol::schedule::{Schedule, SlotRun};
use pb_runtime::Home;

use super::{ScheduleId, view};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BOLD, styled};
use crate::{connection, format, output, table, wait};

/// Show a schedule: its next runs, and how the last ones ended
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb schedule show 3f2a\n  pb schedule show 3f2a --json | jq .goal")]
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
    let client = connection::client(&home, Patience::None);
    let params = GetParams { schedule_id: args.schedule.id };
    let schedule = wait::client(async { Ok(client.call::<Get>(&params).await?) })?;
    if args.json {
        output::json(&schedule)?;
        return Ok(Exit::Ok);
    }
    let rows = schedule.recent.iter().rev().map(row).collect();
    let runs = table::render(&["GOAL", "SLOT", "BEGAN", "RESULT"], rows);
    let sections = [about(&schedule), runs];
    let sections: Vec<&str> = sections.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    output::data(sections.join("\n\n"))?;
    Ok(Exit::Ok)
}

fn about(schedule: &Schedule) -> String {
    let mut lines = vec![
        styled(BOLD, format::line(&schedule.title)),
        format::field("schedule", &schedule.id),
        format::field("status", &schedule.status),
    ];
    if let Some(reason) = &schedule.reason {
        lines.push(format::field("why", format::line(reason)));
    }
    lines.push(format::field("when", view::when(&schedule.timing)));
    for slot in &schedule.upcoming {
        lines.push(format::field("next", view::at(*slot, &schedule.timing)));
    }
    lines.push(format::field("missed", view::missed(schedule)));
    if let Some(goal) = &schedule.running {
        lines.push(format::field("running", goal));
    }
    let skipped = format!("{}, {} skipped", format::count(schedule.runs, "run"), schedule.skipped);
    lines.push(format::field("so far", skipped));
    let failures = format!("{} in a row, stands still at {}", schedule.failures, schedule.failures_max);
    lines.push(format::field("failures", failures));
    lines.push(format::field("created", format::moment(schedule.created_at)));
    lines.join("\n")
}

fn row(run: &SlotRun) -> Vec<String> {
    vec![
        run.goal_id.clone(),
        run.slot.map_or("by hand".to_owned(), format::moment),
        format::moment(run.at),
        view::result(run),
    ]
}
