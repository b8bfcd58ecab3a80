//! `pb run`: a goal file, from the person's hand to its result.

use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_model::GoalSpec;
use pb_protocol::domain::Goal;
use pb_protocol::methods::goal::{Submit, SubmitParams};
use pb_runtime::signals::StopSignals;
use pb_runtime::{Clock, Home, Ids};

use crate::connection::{Link, Patience};
use crate::daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::{self, Mode};
use crate::goal_source::GoalSource;
use crate::{format, output, wait};

/// Run a goal file and follow it to its end
///
/// Starts gateway and scheduler in the background if they do not run, hands the goal over, shows
/// what happens, and ends with what was proven and delivered. Ctrl-C stops watching, not the goal.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb run hello.toml
  pb run changelog.toml --set repo=../other --workspace out
  pb run --detach nightly.toml

Exits 0 when the goal is verified, 1 when it failed or was cancelled, 2 when it needs a human,
3 when it is done without full proof, 130 after Ctrl-C.")]
pub(crate) struct Args {
    #[command(flatten)]
    source: GoalSource,
    /// Work in this folder instead of the goal file's, or of a new one in the home
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Hand the goal over and return; prints its id
    #[arg(long)]
    detach: bool,
    /// Print one event a line as JSON; with --detach, the goal
    #[arg(long)]
    json: bool,
    /// The same key gives the same goal, for 30 days, instead of a second one
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut spec = args.source.read()?;
    if let Some(workspace) = &args.workspace {
        spec.workspace = Some(absolute(workspace)?);
    }
    let home = Home::from_environment()?;
    if daemon::ensure_both(&home, false)? {
        output::note("they go on in the background; stop them with: pb stop");
    }
    wait::client(Box::pin(hand_over(&home, args, spec)))
}

async fn hand_over(home: &Home, args: &Args, spec: GoalSpec) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen().context("cannot listen to signals")?;
    let mut link = Link::new(home, Patience::Minutes);
    let goal = tokio::select! {
        goal = submit(&mut link, spec, args.key.clone()) => goal?,
        () = signals.next() => {
            output::note("it is not known whether the goal was handed over; look with: pb goal list");
            return Ok(Exit::Detached);
        }
    };
    if args.detach {
        return detach(&goal, args.json);
    }
    if !args.json {
        output::note(follow::heading(&goal));
    }
    follow::follow(link, &goal, Mode::of(args.json), signals).await
}

/// The key makes a second attempt, after an answer that was lost, the same goal.
async fn submit(link: &mut Link<'_>, spec: GoalSpec, key: Option<String>) -> Result<Goal, Failure> {
    let random = || Ids::random(Clock::System).uuid().to_string();
    let params = SubmitParams { spec, idempotency_key: Some(key.unwrap_or_else(random)) };
    link.call::<Submit>(&params).await
}

fn detach(goal: &Goal, json: bool) -> Result<Exit, Failure> {
    if json {
        output::json_line(goal)?;
    } else {
        output::data(&goal.id)?;
        output::note(format_args!(
            "{}; follow it with: pb goal watch {}",
            format::line(&goal.title),
            goal.id
        ));
    }
    Ok(Exit::Ok)
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path).context("cannot tell the workspace's path")?;
    absolute.into_os_string().into_string().map_err(|path| {
        Failure::new(Exit::Usage, format!("the workspace {} is not Unicode", path.display()))
            .hint("rename the folder")
    })
}
