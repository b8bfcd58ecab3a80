//! `pb gc`.

use std::time::{Duration, Instant};

use anyhow::Context;
use pb_protocol::client::Patience;
use pb_protocol::methods::system;
use pb_runtime::config::{Config, Retention};
use pb_runtime::{Clock, Home, Ids};
use pb_store::Candidate;
use serde::Serialize;

use crate::connection;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{format, output, table, wait};

/// How often it is looked how far the scheduler has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// How long the scheduler may take for one goal.
const GOAL_LIMIT: Duration = Duration::from_mins(1);

/// Drop the events of goals that ended long ago, and give the room back to the disk
///
/// Their results, evidence and costs stay. The scheduler does this by itself, at its start and each hour;
/// config.toml says what is long ago: `[retention] days` (90) and `total_bytes` (2 GiB).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb gc --dry-run\n  pb gc --json")]
pub(crate) struct Args {
    /// Only tell which goals it is about
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Told {
    dry_run: bool,
    goals: Vec<Due>,
    events: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Due {
    id: String,
    events: u64,
    bytes: u64,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let settings = Config::read(&home.config()).map_err(anyhow::Error::from)?.retention;
    if !home.state_db().exists() {
        return tell(args, &[]);
    }
    let due = wait::client(async {
        let due = due(&home, &settings).await?;
        if !args.dry_run && !due.is_empty() {
            match Daemon::Scheduler.holder(&home) {
                Some(_) => ask(&home, &settings, &due).await?,
                None => compact(&home, &settings, &due).await?,
            }
        }
        Ok(due)
    })?;
    tell(args, &due)
}

async fn due(home: &Home, settings: &Retention) -> Result<Vec<Candidate>, Failure> {
    let due = pb_scheduler::compactable(&home.state_db(), settings, &Clock::System).await;
    Ok(due.context("cannot read the log")?)
}

/// Has the scheduler do it, and waits until it has.
async fn ask(home: &Home, settings: &Retention, all: &[Candidate]) -> Result<(), Failure> {
    connection::client(home, Patience::None).call::<system::Gc>(&system::GcParams::default()).await?;
    let (mut progress, mut left, mut since) = (Progress::new("compacted"), all.len(), Instant::now());
    loop {
        let due = due(home, settings).await?;
        let still = all.iter().filter(|one| due.iter().any(|other| other.goal == one.goal)).count();
        if still == 0 {
            return Ok(());
        }
        if still < left {
            (left, since) = (still, Instant::now());
        }
        progress.tell((all.len() - left) as u64, all.len() as u64);
        if since.elapsed() > GOAL_LIMIT {
            let message =
                format!("the scheduler compacts nothing; {} are left", format::count(left as u64, "goal"));
            return Err(Failure::new(Exit::Unavailable, message).hint("look at it with: pb status"));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// No scheduler runs: it is done here.
async fn compact(home: &Home, settings: &Retention, due: &[Candidate]) -> Result<(), Failure> {
    let clock = Clock::System;
    let ids = Ids::random(clock.clone());
    let all: u64 = due.iter().map(|one| one.bytes).sum();
    let (mut progress, mut done) = (Progress::new("compacted"), 0);
    let told = |part: &pb_store::Compacted| {
        done += part.bytes;
        progress.tell(done, all);
    };
    let compacted = pb_scheduler::compact_stopped(home, settings, (clock, ids), told).await;
    compacted.context("cannot compact the log")?;
    Ok(())
}

fn tell(args: &Args, due: &[Candidate]) -> Result<Exit, Failure> {
    let (events, bytes) = (due.iter().map(|one| one.events).sum(), due.iter().map(|one| one.bytes).sum());
    if args.json {
        let goals = due
            .iter()
            .map(|one| Due { id: one.goal.to_string(), events: one.events, bytes: one.bytes })
            .collect();
        output::json(&Told { dry_run: args.dry_run, goals, events, bytes })?;
        return Ok(Exit::Ok);
    }
    if due.is_empty() {
        output::note("no goal is old enough, and there is room for all");
        return Ok(Exit::Ok);
    }
    if args.dry_run {
        let rows = due
            .iter()
            .map(|one| vec![one.goal.to_string(), one.events.to_string(), format::size(one.bytes)])
            .collect();
        output::data(table::render(&["GOAL", "EVENTS", "SIZE"], rows))?;
    }
    let (goals, events) = (format::count(due.len() as u64, "goal"), format::count(events, "event"));
    let done = if args.dry_run { "would be compacted" } else { "compacted" };
    output::note(format_args!("{goals} {done}: {events}, {}", format::size(bytes)));
    Ok(Exit::Ok)
}
