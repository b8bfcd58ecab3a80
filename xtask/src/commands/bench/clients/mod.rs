//! `cargo xtask bench clients`: what connections cost the gateway that do nothing, and how late many that follow
//! everything are told for a minute on end.

mod idle;
mod peak;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::daemons::Daemons;
use super::fanout::point::{Load, Point, gateway};
use super::fanout::stand_in::{StandIn, Sync};
use super::fanout::sustained;
use super::figures::{Figures, Row, ms, number};
use super::{disk, session};
use crate::{output, process, tree};
use idle::{Idle, Kind};
use peak::Peak;

/// Connections that do nothing.
const IDLE: usize = 10_000;
/// What the gateway may have for them, in MB.
const IDLE_MB: f64 = 128.0;
/// Clients that follow everything.
const FOLLOWING: usize = 500;
/// What the gateway may have for those, in MB.
const FOLLOWING_MB: f64 = 64.0;
/// How late they may be told, in milliseconds, 99 of 100 times.
const FOLLOWING_P99_MS: f64 = 100.0;
/// How much of what is sustained they are told, in percent.
const SHARE_PERCENT: u64 = 70;
/// Descriptors beside those of the connections.
const DESCRIPTORS_MORE: u64 = 512;

/// Measure what idle connections cost, and how late 500 clients are told
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// For how long the 500 clients are told
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many connections do nothing
    #[arg(long, value_name = "N", default_value_t = IDLE)]
    idle: usize,
    /// Events a second, instead of 70 % of what is sustained here
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb (release)");
    let pb = process::build_pb(&root, true)?;
    // The gateway inherits it.
    idle::allow_descriptors(args.idle as u64 + DESCRIPTORS_MORE)?;
    let home = session::empty_folder(&tree::target(&root))?;
    let daemons = Arc::new(Daemons::new(pb, home.path())?);
    let of = args.clone();
    let figures = session::unless_interrupted(&daemons, move |daemons| measure(&of, daemons))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args, daemons: &Daemons) -> anyhow::Result<Figures> {
    let fsync = disk::fsync(daemons.home().root())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rows = Vec::new();
    for kind in [Kind::Silent, Kind::Subscribed] {
        // A process of its own for each: memory that was freed may stay with the one before.
        daemons.start_gateway()?;
        let stand_in = runtime.block_on(StandIn::start(daemons.home(), Sync::Full))?;
        output::note(format_args!("{} connections, {}", args.idle, kind.words()));
        rows.extend(runtime.block_on(idle(daemons, args.idle, kind))?);
        drop(stand_in);
        daemons.stop()?;
    }
    daemons.start_gateway()?;
    let mut stand_in = runtime.block_on(StandIn::start(daemons.home(), Sync::Full))?;
    rows.extend(runtime.block_on(following(args, &mut stand_in, daemons))?);
    drop(stand_in);
    daemons.stop()?;
    Ok(Figures::new(daemons.home().root(), fsync, rows))
}

async fn idle(daemons: &Daemons, count: usize, kind: Kind) -> anyhow::Result<[Row; 3]> {
    let gateway = gateway(daemons.home())?;
    let before = Idle::settled_kib(gateway)?;
    let idle = Idle::connect(daemons.home(), count, kind).await?;
    let after = Idle::settled_kib(gateway)?;
    idle.are_served().await?;
    let what = format!("{count} connections, {}: gateway memory", kind.words());
    let each = number(after.saturating_sub(before)) * 1024.0 / number(count as u64);
    Ok([
        Row::new(what, "MB", megabytes(after)).target(IDLE_MB),
        Row::new("  before them", "MB", megabytes(before)),
        Row::new("  each", "B", each),
    ])
}

async fn following(args: &Args, stand_in: &mut StandIn, daemons: &Daemons) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let rate = if let Some(rate) = args.rate {
        rate
    } else {
        let ladder = sustained::LADDERS.into_iter().find(|(clients, _)| *clients == FOLLOWING);
        let ladder = ladder.unwrap_or((FOLLOWING, &[]));
        output::note(format_args!("{FOLLOWING} clients, as much as they take"));
        let held = sustained::climb(stand_in, daemons.home(), ladder).await?.whole_rate();
        rows.push(Row::new(format!("sustained to {FOLLOWING} clients"), "/s", number(held)));
        held * SHARE_PERCENT / 100
    };
    output::note(format_args!("{FOLLOWING} clients, {rate} events/s for {} s", args.seconds));
    let peak = Peak::watch(gateway(daemons.home())?);
    let load = Load { clients: FOLLOWING, rate, lasts: Duration::from_secs(args.seconds) };
    let point = Point::measure(stand_in, daemons.home(), load).await?;
    let peak_kib = peak.kib();
    rows.extend([
        Row::new(
            format!("{FOLLOWING} clients, {rate}/s, {} s: p99", args.seconds),
            "ms",
            point.end_to_end.p99_ms,
        )
        .target(FOLLOWING_P99_MS),
        Row::new("  p50", "ms", point.end_to_end.p50_ms),
        Row::new("  p99 without the commit", "ms", point.after_commit.p99_ms),
        Row::new("  frames lost", "", number(point.lost())),
        Row::new("  frames told", "million", number(point.frames) / 1e6),
        Row::new("  drained after", "ms", ms(point.drained)),
        Row::new("  gateway memory, at most", "MB", megabytes(peak_kib)).target(FOLLOWING_MB),
    ]);
    Ok(rows)
}

fn megabytes(kib: u64) -> f64 {
    number(kib) * 1024.0 / 1e6
}
