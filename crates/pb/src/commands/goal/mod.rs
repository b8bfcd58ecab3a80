//! `pb goal`: look at goals, stop them and have them go on. One file per command.

mod cancel;
mod check;
mod control;
mod diff;
mod kept;
mod list;
mod logs;
mod pause;
pub(crate) mod plan;
mod prioritize;
mod report;
mod resume;
mod retry;
mod schema;
mod show;
mod undo;
mod watch;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// See, follow, answer, stop and check goals
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb goal list --status active
  pb goal show 3f2a            any unique part of an id will do
  pb goal resume 3f2a --answer retry
  pb goal check hello.toml     without running anything")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::Args),
    Show(show::Args),
    Watch(watch::Args),
    Cancel(cancel::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    Retry(retry::Args),
    Prioritize(prioritize::Args),
    Check(check::Args),
    Plan(plan::Args),
    Logs(logs::Args),
    Report(report::Args),
    Diff(diff::Args),
    Undo(undo::Args),
    Schema(schema::Args),
}

/// A goal, by its id.
#[derive(Debug, clap::Args)]
struct GoalId {
    /// The goal's id, or a part of it that no other goal has
    #[arg(value_name = "ID")]
    id: String,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::List(args) => list::run(args),
        Action::Show(args) => show::run(args),
        Action::Watch(args) => watch::run(args),
        Action::Cancel(args) => cancel::run(args),
        Action::Pause(args) => pause::run(args),
        Action::Resume(args) => resume::run(args),
        Action::Retry(args) => retry::run(args),
        Action::Prioritize(args) => prioritize::run(args),
        Action::Check(args) => check::run(&args),
        Action::Plan(args) => plan::run(args),
        Action::Logs(args) => logs::run(args),
        Action::Report(args) => report::run(args),
        Action::Diff(args) => diff::run(&args),
        Action::Undo(args) => undo::run(&args),
        Action::Schema(args) => schema::run(&args),
    }
}
