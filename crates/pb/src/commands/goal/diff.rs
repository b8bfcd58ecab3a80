//! `pb goal diff`.

use pb_runtime::Home;
use pb_scheduler::kept::{Change, Which};
use serde::Serialize;

use super::GoalId;
use super::kept::{self, Compared};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BAD, BOLD, DIM, GOOD, styled};
use crate::{format, output, wait};

/// Show what is different from before the goal started
///
/// The folder as it is now is compared with what was kept when the goal started: all files but those that a
/// .gitignore in it leaves out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb goal diff 3f2a\n  pb goal diff 3f2a --stat")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Only name the files
    #[arg(long)]
    stat: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    path: &'a str,
    change: &'static str,
    diff: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let state = wait::client(async {
        let log = kept::store(&home).await?;
        kept::find(&log, &args.goal).await
    })?;
    let compared = kept::compare(&home, state, Which::Start)?;
    let Compared { changes, .. } = &compared;
    let unified = |change: &Change| changes.unified(change).map_err(kept::failure);
    if args.json {
        let told = changes.all.iter().map(|change| {
            let diff = if args.stat { None } else { Some(unified(change)?) };
            Ok(Told { path: &change.path, change: change.what.as_str(), diff })
        });
        let told: Vec<Told<'_>> = told.collect::<Result<_, Failure>>()?;
        output::json(&told)?;
        return Ok(Exit::Ok);
    }
    if changes.all.is_empty() {
        output::note("nothing is different");
    }
    for change in &changes.all {
        if args.stat {
            output::data(line(change))?;
        } else {
            for line in unified(change)?.lines() {
                output::data(coloured(line))?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// A change on one line.
pub(super) fn line(change: &Change) -> String {
    format!("{:<8} {}", change.what.as_str(), format::line(&change.path))
}

fn coloured(line: &str) -> String {
    let text = format::line(line);
    match line.as_bytes().first() {
        _ if line.starts_with("---") || line.starts_with("+++") => styled(BOLD, text),
        Some(b'+') => styled(GOOD, text),
        Some(b'-') => styled(BAD, text),
        Some(b'@') => styled(DIM, text),
        _ => text,
    }
}
