//! `pb goal undo`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_model::goal::{GoalState, GoalStatus};
use pb_runtime::Home;
use pb_scheduler::kept::{Change, KeptError, What, Which, restore};
use pb_store::LogReader;
use serde_json::json;

use super::GoalId;
use super::kept::{self, Compared};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, wait};

/// Put the files back as they were before the goal started
///
/// What is there now is kept first: `--redo` brings it back. Files that were changed or made after the goal
/// had delivered are yours: with some of those it stops, and changes nothing, unless you say `--force`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb goal undo 3f2a --dry-run\n  pb goal undo 3f2a\n  pb goal undo 3f2a --redo"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Args {
    #[command(flatten)]
    goal: GoalId,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Also put back what was changed after the goal had delivered, and when what is there now cannot be kept
    #[arg(long)]
    force: bool,
    /// Take the undoing back: the files as they were before it
    #[arg(long)]
    redo: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let state = wait::client(async {
        let log = kept::store(&home).await?;
        let state = kept::find(&log, &args.goal).await?;
        refuse_if_at_work(&log, &state).await?;
        Ok(state)
    })?;
    let which = if args.redo { Which::Undone } else { Which::Start };
    let compared = kept::compare(&home, state, which)?;
    let theirs = if args.redo { Vec::new() } else { of_the_person(&compared) };
    if !theirs.is_empty() && !args.force {
        return Err(conflict(&theirs));
    }
    // What a person made beside the goal's files is none of it.
    let made = |change: &Change| change.what == What::Added && theirs.contains(&change);
    let chosen: Vec<&Change> = compared.changes.all.iter().filter(|change| !made(change)).collect();
    let nothing_to_do = args.dry_run || chosen.is_empty();
    let can_be_redone = !nothing_to_do && !args.redo && keep_present(&compared, args.force)?;
    let restored =
        if nothing_to_do { None } else { Some(restore(&compared.changes, &chosen).map_err(kept::failure)?) };
    if args.json {
        let paths: Vec<_> = chosen
            .iter()
            .map(|change| json!({"path": change.path, "change": change.what.as_str()}))
            .collect();
        output::json(&json!({"folder": compared.folder, "changes": paths, "done": restored.is_some()}))?;
        return Ok(Exit::Ok);
    }
    for change in &chosen {
        output::data(line(change, restored.is_some()))?;
    }
    match restored {
        _ if chosen.is_empty() => output::note("nothing is different"),
        None => output::note("nothing was done: it would be without --dry-run"),
        Some(restored) => {
            let (back, gone) = (restored.put_back as u64, restored.removed as u64);
            let (back, gone) = (format::count(back, "file"), format::count(gone, "file"));
            output::note(format_args!("put back {back}, removed {gone} in {}", compared.folder.display()));
            if can_be_redone {
                let id = compared.state.goal.id;
                output::note(format_args!("to have it as it was: pb goal undo {id} --redo"));
            }
        }
    }
    Ok(Exit::Ok)
}

/// What is done about a change, on one line: the opposite of it.
fn line(change: &Change, is_done: bool) -> String {
    let what = match (change.what, is_done) {
        (What::Added, true) => "removed",
        (What::Added, false) => "remove",
        (What::Changed | What::Mode | What::Deleted, _) => "put back",
    };
    format!("{what:<8} {}", format::line(&change.path))
}

/// Keeps what is there now, for `--redo`. Whether that was done; who insists goes on without.
fn keep_present(compared: &Compared, force: bool) -> Result<bool, Failure> {
    match pb_scheduler::kept::keep_present(&compared.changes) {
        Ok(()) => Ok(true),
        Err(KeptError::NoWayBack(_)) if force => Ok(false),
        Err(error @ KeptError::NoWayBack(_)) => {
            Err(kept::failure(error).hint("nothing was done; to put them back all the same: --force"))
        }
        Err(error) => Err(kept::failure(error)),
    }
}

/// A goal that may write there would write into what is put back.
async fn refuse_if_at_work(log: &LogReader, state: &GoalState) -> Result<(), Failure> {
    let Some(folder) = state.goal.workspace.as_deref().map(PathBuf::from) else { return Ok(()) };
    let open = log.open_goals().await.context("cannot read the goals")?;
    let overlaps = |other: &Path| other.starts_with(&folder) || folder.starts_with(other);
    let at_work = open.iter().filter(|other| kept::is_open(other)).find(|other| {
        let starts_there = other.goal.workspace.as_deref().or(other.goal.spec.workspace.as_deref());
        starts_there.is_some_and(|other| overlaps(Path::new(other)))
    });
    match at_work {
        None => Ok(()),
        Some(other) => {
            let id = other.goal.id;
            let message = format!("goal {id} works in {}, or is about to", folder.display());
            Err(Failure::new(Exit::Busy, message).hint(format!("wait for it, or: pb goal cancel {id}")))
        }
    }
}

/// What is different because somebody else changed it: after a goal that delivered, all that is not as it was
/// delivered. Of a goal that did not, nobody knows.
fn of_the_person(compared: &Compared) -> Vec<&Change> {
    if compared.state.goal.status != GoalStatus::Completed {
        return Vec::new();
    }
    let delivered: BTreeMap<&str, &str> = compared
        .state
        .artifacts
        .iter()
        .filter(|artifact| !artifact.partial && !artifact.removed)
        .map(|artifact| (artifact.path.as_str(), artifact.content_hash.as_str()))
        .collect();
    let is_theirs = |change: &&Change| match (&change.digest_now, delivered.get(change.path.as_str())) {
        (Some(now), Some(delivered)) => now != delivered,
        (Some(_), None) => change.what != What::Mode,
        // The goal may have removed it.
        (None, delivered) => delivered.is_some(),
    };
    compared.changes.all.iter().filter(is_theirs).collect()
}

fn conflict(theirs: &[&Change]) -> Failure {
    let names: Vec<String> = theirs.iter().map(|change| super::diff::line(change)).collect();
    let message = format!(
        "these were changed after the goal had delivered; nothing was done:\n  {}",
        names.join("\n  ")
    );
    Failure::new(Exit::Refused, message)
        .hint("to put back the goal's files all the same: --force (what was added stays)")
}
