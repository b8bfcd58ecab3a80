//! `cargo xtask bench goals`: from a goal's submission to its end, on real processes and a real disk.
//!
//! The targets stand in [`rows`].

pub(super) mod load;
mod rows;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;

use super::daemons::Daemons;
use super::figures::Figures;
use super::{disk, session, store};
use crate::{output, process, tree};

/// How often each start is measured.
const STARTS: usize = 10;

/// Measure goals, starts and memory of a release build in an empty home
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Goals that are submitted one after the other
    #[arg(long, value_name = "N", default_value_t = 200)]
    goals: usize,
    /// Goals that are submitted at once
    #[arg(long, value_name = "N", default_value_t = 100)]
    burst: usize,
    /// Goals that are submitted at once to see how many a second there are
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    many: usize,
    /// Kills of the scheduler
    #[arg(long, value_name = "N", default_value_t = 20)]
    kills: usize,
    /// Write no debug events, to see what they cost
    #[arg(long)]
    without_trace: bool,
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
    let daemons = Arc::new(Daemons::new(pb, home.path())?);
    if args.without_trace {
        std::fs::write(daemons.home().config(), "[trace]\ndays = 0\n").context("cannot write config.toml")?;
    }
    let measured = args.clone();
    output::note("measuring group commits of plain SQLite");
    let plain = store::plain_group_commits(&root, home.path())?;
    let figures = session::unless_interrupted(&daemons, move |daemons| measure(&measured, plain, daemons))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Kills the scheduler while a command runs, and sees when that command runs again: from the start of the next
/// process, and from when it serves.
async fn recover(
    load: &mut load::Load,
    daemons: &Daemons,
    kills: usize,
) -> anyhow::Result<Vec<rows::Recovery>> {
    let mut recoveries = Vec::with_capacity(kills);
    for n in 0..kills {
        let goal = load.begin_long(n).await?;
        daemons.kill_scheduler()?;
        let began = Instant::now();
        // This thread waits; what comes meanwhile is stamped by another one.
        tokio::task::block_in_place(|| daemons.start_scheduler())?;
        let serves = Instant::now();
        let ran_again = load.ran_again(&goal).await?;
        recoveries.push(rows::Recovery {
            from_start: ran_again.saturating_duration_since(began),
            from_ready: ran_again.saturating_duration_since(serves),
        });
        load.cancel(&goal).await?;
    }
    Ok(recoveries)
}

fn measure(args: &Args, plain: f64, daemons: &Daemons) -> anyhow::Result<Figures> {
    let mut rows = Vec::new();
    output::note("measuring the disk");
    let fsync = disk::fsync(daemons.home().root())?;

    daemons.start_both()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    output::note(format_args!("running {} goals, one after the other", args.goals));
    let (one_by_one, burst, many, recoveries) = runtime.block_on(async {
        let mut load = load::Load::connect(daemons.home()).await?;
        let one_by_one = load.one_by_one(args.goals).await?;
        output::note(format_args!("running {} goals at once", args.burst));
        let burst = load.at_once(args.burst).await?;
        output::note(format_args!("running {} goals at once", args.many));
        let many = load.at_once(args.many).await?;
        output::note(format_args!("killing the scheduler {} times", args.kills));
        let recoveries = recover(&mut load, daemons, args.kills).await?;
        anyhow::Ok((one_by_one, burst, many, recoveries))
    })?;
    rows.extend(rows::latencies(&one_by_one, args.goals));
    rows.push(rows::burst(burst, args.burst));
    rows.extend(rows::many(many, args.many, plain));
    rows.extend(rows::recoveries(&recoveries));

    let loaded = daemons.idle_memory()?;
    daemons.stop()?;
    output::note(format_args!("starting and stopping, {STARTS} times"));
    let starts = (0..STARTS).map(|_| daemons.time_starts()).collect::<Result<Vec<_>, _>>()?;
    rows.extend(rows::starts(&starts));

    daemons.start_both()?;
    let fresh = daemons.idle_memory()?;
    daemons.stop()?;
    rows.extend(rows::memory(fresh, "after start"));
    rows.extend(rows::memory(loaded, "after the goals"));
    Ok(Figures::new(daemons.home().root(), fsync, rows))
}
