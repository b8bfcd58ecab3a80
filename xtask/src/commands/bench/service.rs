//! `cargo xtask bench service`: how long a person waits for start, status and stop, and what both processes use while
//! they have nothing to do.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_protocol::methods::goal::{List, ListParams, Submit, SubmitParams};
use pb_runtime::Home;
use pb_runtime::lock::LockHolder;
use pb_runtime::process::private_memory_kib;
use serde_json::json;

use super::cpu::cpu_time;
use super::daemons::Daemons;
use super::figures::{Figures, Percentiles, Row, number};
use super::{client, disk, session};
use crate::{output, process, tree};

/// Goals that wait for a person while everything is measured.
const IDLE_GOALS: u64 = 20;
/// Calls of `pb status` between a start and a stop.
const STATUSES: usize = 5;
/// How long the goals may take until they wait.
const BLOCKED_WITHIN: Duration = Duration::from_secs(30);
/// How often it is looked whether they do.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long nothing happens before what is used is read: what the start left to do is done.
const SETTLE: Duration = Duration::from_secs(5);

/// Measure start, status and stop, and what idle processes use
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How often is started and stopped
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// For how long both have nothing to do
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    idle_seconds: u64,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb (release)");
    let pb = process::build_pb(&root, true)?;
    let home = session::empty_folder(&tree::target(&root))?;
    let daemons = Arc::new(Daemons::supervised(pb, home.path())?);
    let of = args.clone();
    let figures = session::unless_interrupted(&daemons, move |daemons| measure(&of, daemons))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args, daemons: &Daemons) -> anyhow::Result<Figures> {
    let fsync = disk::fsync(daemons.home().root())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    daemons.start_both()?;
    output::note(format_args!("{IDLE_GOALS} goals that wait for a person"));
    runtime.block_on(ask(daemons.home()))?;
    daemons.stop()?;

    output::note(format_args!("starting and stopping, {} times", args.rounds));
    let (mut starts, mut statuses, mut stops) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        starts.push(daemons.time(&["start"])?);
        for _ in 0..STATUSES {
            statuses.push(daemons.time(&["status"])?);
        }
        stops.push(daemons.time(&["stop"])?);
    }
    let mut rows = Vec::new();
    for (what, times, target) in [
        ("`pb start` to both ready", starts, 150.0),
        ("`pb status`", statuses, 30.0),
        ("`pb stop` with idle goals", stops, 300.0),
    ] {
        let times = Percentiles::of(times);
        rows.push(Row::new(format!("{what}, p50"), "ms", times.p50_ms).target(target));
        rows.push(Row::new("  p99", "ms", times.p99_ms));
    }
    rows.extend(idle(args, daemons)?);
    Ok(Figures::new(daemons.home().root(), fsync, rows))
}

/// What both, and the supervisor, use while nothing happens.
fn idle(args: &Args, daemons: &Daemons) -> anyhow::Result<[Row; 3]> {
    daemons.start_both()?;
    std::thread::sleep(SETTLE);
    output::note(format_args!("nothing to do for {} s", args.idle_seconds));
    let home = daemons.home();
    let pids = [home.gateway_lock(), home.scheduler_lock(), home.supervisor_lock()].map(|lock| pid(&lock));
    let pids = pids.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let cpu = || pids.iter().map(|pid| cpu_time(*pid)).sum::<anyhow::Result<Duration>>();
    let memory =
        || pids.iter().map(|pid| private_memory_kib(*pid).context("no memory")).sum::<anyhow::Result<u64>>();
    let (cpu_before, memory_before, began) = (cpu()?, memory()?, Instant::now());
    std::thread::sleep(Duration::from_secs(args.idle_seconds));
    let (used, memory_after, took) = (cpu()?.saturating_sub(cpu_before), memory()?, began.elapsed());
    daemons.stop()?;
    let share = used.as_secs_f64() * 100.0 / took.as_secs_f64();
    let grown = memory_after.saturating_sub(memory_before);
    Ok([
        Row::new(format!("idle for {} s: of one core", args.idle_seconds), "%", share).target(0.1),
        Row::new("  memory of all three", "MB", number(memory_after) * 1024.0 / 1e6),
        Row::new("  which is more than before by", "kB", number(grown) * 1.024),
    ])
}

fn pid(lock: &Path) -> anyhow::Result<u32> {
    let holder = LockHolder::alive(lock).with_context(|| format!("nobody holds {}", lock.display()))?;
    Ok(holder.pid)
}

/// Submits goals whose work may not be repeated and runs into its limit, so that each asks a person.
async fn ask(home: &Home) -> anyhow::Result<()> {
    let (connection, _events, _tasks) = client::connect(home).await?;
    for n in 0..IDLE_GOALS {
        let params: SubmitParams = serde_json::from_value(json!({
            "title": format!("waits {n}"), "description": "unsafe work that runs into its limit",
            "success_criteria": [],
            "items": [{"id": "one", "work": {
                "kind": "command", "argv": ["sleep", "60"], "effect": "unsafe", "time_limit_s": 1,
            }}],
        }))?;
        connection.call::<Submit>(&params).await?;
    }
    let blocked = ListParams { status: Some("blocked".to_owned()), limit: Some(0), ..ListParams::default() };
    let began = Instant::now();
    while connection.call::<List>(&blocked).await?.total < IDLE_GOALS {
        if began.elapsed() > BLOCKED_WITHIN {
            bail!("the goals do not wait for a person after {} s", BLOCKED_WITHIN.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
