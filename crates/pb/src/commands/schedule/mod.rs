//! `pb schedule`: goals that are run again and again. One file per command.

mod add;
mod ask;
mod list;
mod pause;
mod remove;
mod resume;
mod run;
mod show;
mod view;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// Have goals run again and again, by the clock or at intervals
///
/// The scheduler runs them by itself: no terminal, no gateway and no client is needed. Each slot is one goal;
/// see it with `pb goal show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb schedule add nightly.toml --cron \"0 9 * * 1-5\" --tz Europe/Berlin
  pb schedule add \"每周总结 ../repo 的提交\" --every 7d --missed once
  pb schedule list
  pb schedule run 3f2a          once, now; any unique part of an id will do")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Box<add::Args>),
    List(list::Args),
    Show(show::Args),
    Run(run::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    Remove(remove::Args),
}

/// A schedule, by its id.
#[derive(Debug, clap::Args)]
struct ScheduleId {
    /// The schedule's id, or a part of it that no other schedule has
    #[arg(value_name = "ID")]
    id: String,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.action {
        Action::Add(args) => add::run(&args),
        Action::List(args) => list::run(&args),
        Action::Show(args) => show::run(args),
        Action::Run(args) => run::run(args),
        Action::Pause(args) => pause::run(args),
        Action::Resume(args) => resume::run(args),
        Action::Remove(args) => remove::run(args),
    }
}
