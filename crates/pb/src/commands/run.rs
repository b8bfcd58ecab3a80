//! `pb run`: a goal, from the person's hand to its result.

use std::time::{Duration, Instant};

use anyhow::Context;
use pb_model::GoalSpec;
use pb_protocol::client::Client;
use pb_protocol::domain::Goal;
use pb_protocol::methods::goal::{Submit, SubmitParams};
use pb_runtime::signals::StopSignals;
use pb_runtime::{Clock, Home, Ids};

use crate::asked::Asked;
use crate::connection;
use crate::daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::{self, Mode};
use crate::{format, models_there, output, wait};

/// How long a scheduler that has just been started may take to accept a goal.
const ACCEPT_LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const ACCEPT_INTERVAL: Duration = Duration::from_millis(50);

/// Run a goal and follow it to its end
///
/// A goal in words is planned by a model; a goal file brings its plan. Starts gateway and scheduler in the
/// background if they do not run, hands the goal over, shows what happens, and ends with what was proven
/// and delivered. Ctrl-C stops watching, not the goal.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb run \"Create a file hello.txt containing Hello\"
  pb run \"Fix the failing test\" --workspace . --budget-usd 0.50
  pb run --plan-only \"Write a changelog of ../repo\" > plan.toml
  pb run changelog.toml --set repo=../other --workspace out
  pb run --detach nightly.toml

Exits 0 when the goal is verified, 1 when it failed or was cancelled, 2 when it needs a human,
3 when it is done without full proof, 130 after Ctrl-C.")]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Only plan; print the plan as a goal file that can be edited and run
    #[arg(long, conflicts_with = "detach")]
    plan_only: bool,
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

/// How a goal is handed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandOver<'a> {
    pub(crate) detach: bool,
    pub(crate) json: bool,
    pub(crate) key: Option<&'a str>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut spec = args.asked.spec()?;
    if args.plan_only && !spec.items.is_empty() {
        return Err(Failure::new(Exit::Usage, "a goal file with items has its plan already")
            .hint("see it with: pb goal check FILE"));
    }
    spec.plan_only = args.plan_only;
    start(spec, HandOver { detach: args.detach, json: args.json, key: args.key.as_deref() })
}

/// Hands a goal over, starting what does not run, and follows it unless that is not wanted.
pub(crate) fn start(spec: GoalSpec, how: HandOver<'_>) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.prepare()?;
    if models_there::is_needed(&spec) {
        wait::client(models_there::check(&home))?;
    }
    if daemon::ensure_both(&home, false)? {
        output::note("they go on in the background; stop them with: pb stop");
    }
    wait::client(Box::pin(hand_over(&home, how, spec)))
}

async fn hand_over(home: &Home, how: HandOver<'_>, spec: GoalSpec) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen().context("cannot listen to signals")?;
    let client = connection::client(home, connection::MINUTES);
    let plan_only = spec.plan_only;
    let goal = tokio::select! {
        goal = submit(&client, spec, how.key) => goal?,
        () = signals.next() => {
            output::note("it is not known whether the goal was handed over; look with: pb goal list");
            return Ok(Exit::Detached);
        }
    };
    if how.detach {
        return detach(&goal, how.json);
    }
    if !how.json {
        output::note(follow::heading(&goal));
    }
    let mode = if plan_only && !how.json { Mode::Plan } else { Mode::of(how.json) };
    follow::follow(home, client, &goal, mode, signals).await
}

/// The key makes a second attempt, after an answer that was lost, the same goal. While no scheduler has
/// looked at the goal nobody knows whether it will be refused, so the gateway is asked again.
async fn submit(client: &Client, spec: GoalSpec, key: Option<&str>) -> Result<Goal, Failure> {
    let key = key.map_or_else(|| Ids::random(Clock::System).uuid().to_string(), str::to_owned);
    let params = SubmitParams { spec, idempotency_key: Some(key) };
    let began = Instant::now();
    loop {
        let goal = connection::patiently(client.call::<Submit>(&params)).await?;
        if !goal.waiting || began.elapsed() > ACCEPT_LIMIT {
            return Ok(goal);
        }
        tokio::time::sleep(ACCEPT_INTERVAL).await;
    }
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
