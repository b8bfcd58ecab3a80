//! `cargo xtask bench trace`: what the trace costs the scheduler, in processor time of the same work with and
//! without it, one after the other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pb_runtime::lock::LockHolder;

use super::cpu::cpu_time;
use super::daemons::Daemons;
use super::figures::{Figures, Row, median, ms};
use super::goals::load::Load;
use super::turn::model::ScriptedModel;
use super::turn::{load as agent, script, settings, workspace};
use super::{disk, session};
use crate::{output, process, tree};

/// Goals before anything is counted: what is done once at a start is done.
const WARM_UP_GOALS: usize = 20;
/// How long nothing happens before the work: what a start leaves to do is done.
const SETTLE: Duration = Duration::from_secs(1);
/// How long nothing happens after it: what was told is written, and its words are in the index, which is looked
/// after every 5 s.
const SETTLE_AFTER: Duration = Duration::from_secs(7);
/// What the trace may cost, in percent of the processor time without it.
const COST_MAX_PERCENT: f64 = 2.0;

/// Measure what the trace costs the scheduler
///
/// The same work is done with the trace and without it, in turn, each time in an empty home: goals of one command at
/// once, then one agent against a scripted model.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How often both are measured
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Goals that are submitted at once
    #[arg(long, value_name = "N", default_value_t = 500)]
    goals: usize,
    /// Turns of the agent
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=999))]
    turns: u32,
    /// What the trace keeps of the words of people, models and tools
    #[arg(long, default_value = "redacted", value_parser = ["off", "redacted", "full"])]
    content: String,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Processor time of the scheduler.
#[derive(Debug, Clone, Copy)]
struct Used {
    goals: Duration,
    agent: Duration,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb and the scripted model (release)");
    let pb = process::build_pb(&root, true)?;
    let scripted = process::build_binary(&root, ("pb-testkit", "pb-scripted-model"), true)?;
    let target = tree::target(&root);
    let disk = session::empty_folder(&target)?;
    let fsync = disk::fsync(disk.path())?;
    let with = format!("[trace]\ncontent = \"{}\"\n", args.content);
    let mut rounds = Vec::new();
    for round in 0..args.rounds {
        let measure = |trace: &str| measure(args, (&pb, &scripted), &target, trace);
        // Each is first in turn, so that neither gains from what the other left behind.
        let (with, without) = if round % 2 == 0 {
            let without = measure(WITHOUT)?;
            (measure(&with)?, without)
        } else {
            (measure(&with)?, measure(WITHOUT)?)
        };
        output::note(format_args!("round {}: {:?} with, {:?} without", round + 1, with, without));
        rounds.push((with, without));
    }
    let rows = [
        rows(&format!("{} goals at once", args.goals), &rounds, |used| used.goals),
        rows(&format!("{} turns of an agent", args.turns), &rounds, |used| used.agent),
    ];
    Figures::new(disk.path(), fsync, rows.into_iter().flatten().collect()).tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// The settings of a home without a trace.
const WITHOUT: &str = "[trace]\ndays = 0\n";

fn rows(what: &str, rounds: &[(Used, Used)], of: fn(&Used) -> Duration) -> Vec<Row> {
    let cost =
        |(with, without): &(Used, Used)| (of(with).as_secs_f64() / of(without).as_secs_f64() - 1.0) * 100.0;
    let sums = rounds.iter().fold((Duration::ZERO, Duration::ZERO), |(with, without), round| {
        (with + of(&round.0), without + of(&round.1))
    });
    let whole = (sums.0.as_secs_f64() / sums.1.as_secs_f64() - 1.0) * 100.0;
    vec![
        Row::new(
            format!("{what}: processor time, median"),
            "ms",
            median(rounds.iter().map(|round| ms(of(&round.1)))),
        ),
        Row::new("  with the trace, median", "ms", median(rounds.iter().map(|round| ms(of(&round.0))))),
        Row::new(
            format!("  cost of the trace, median of {} rounds", rounds.len()),
            "%",
            median(rounds.iter().map(cost)),
        )
        .target(COST_MAX_PERCENT),
        Row::new("  cost of the trace, all rounds together", "%", whole).target(COST_MAX_PERCENT),
    ]
}

/// The work, in a home of its own.
fn measure(args: &Args, (pb, scripted): (&Path, &Path), target: &Path, trace: &str) -> anyhow::Result<Used> {
    let (home, beside) = (session::empty_folder(target)?, session::empty_folder(target)?);
    let workspace = workspace(beside.path(), args.turns)?;
    // Ours, not the measuring thread's: an interruption ends it too.
    let model = ScriptedModel::start(scripted, beside.path(), &script::of(args.turns))?;
    let config = format!("{}\n{trace}", settings(model.port()));
    std::fs::write(home.path().join("config.toml"), config).context("cannot write config.toml")?;
    let daemons = Arc::new(Daemons::new(pb.to_owned(), home.path())?);
    let of = args.clone();
    session::unless_interrupted(&daemons, move |daemons| {
        daemons.start_both()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut load = runtime.block_on(Load::connect(daemons.home()))?;
        runtime.block_on(load.at_once(WARM_UP_GOALS))?;
        let goals = used(daemons, || runtime.block_on(load.at_once(of.goals)).map(|_| ()))?;
        let agent =
            used(daemons, || runtime.block_on(agent::run(daemons.home(), of.turns, &workspace)).map(|_| ()))?;
        daemons.stop()?;
        Ok(Used { goals, agent })
    })
}

/// What the scheduler uses for this.
fn used(daemons: &Daemons, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let holder = LockHolder::alive(&daemons.home().scheduler_lock()).context("no scheduler runs")?;
    std::thread::sleep(SETTLE);
    let before = cpu_time(holder.pid)?;
    work()?;
    std::thread::sleep(SETTLE_AFTER);
    Ok(cpu_time(holder.pid)?.saturating_sub(before))
}
