//! `cargo xtask bench fanout`: from a commit in the log to every WebSocket client, on a real gateway.
//!
//! This process takes the scheduler's place: it holds its lock, commits events to a real log with
//! `synchronous=FULL` and tells them over the link. The clients are here too, and do as little as they can:
//! what is weighed is the gateway, by its own CPU time.

mod point;
mod readers;
mod rows;
mod stand_in;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::daemons::Daemons;
use super::figures::{Figures, Row};
use super::{disk, session};
use crate::{output, process, tree};
use point::{Load, Point};

pub(super) use point::gateway;

/// How many events are read from the log by one client that begins at its start.
const BACKLOG: u64 = 300_000;
/// Clients, and events a second that are told in one point.
const POINTS: [(usize, u64); 5] = [(1, 1_000), (100, 10_000), (500, 1_500), (100, 30_000), (500, 4_000)];

/// Measure what a client is told late, and what telling it costs the gateway
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How long events are told at each rate
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u64,
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
    let seconds = Duration::from_secs(args.seconds.max(1));
    let figures = session::unless_interrupted(&daemons, move |daemons| measure(seconds, daemons))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(seconds: Duration, daemons: &Daemons) -> anyhow::Result<Figures> {
    let fsync = disk::fsync(daemons.home().root())?;
    daemons.start_gateway()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rows = Vec::new();
    let mut stand_in = runtime.block_on(stand_in::StandIn::start(daemons.home()))?;
    for (clients, rate) in POINTS {
        output::note(format_args!("{clients} clients, {rate} events/s"));
        let load = Load { clients, rate, lasts: seconds };
        let point = runtime.block_on(Point::measure(&mut stand_in, daemons.home(), load))?;
        rows.extend(rows::of(load, &point));
    }
    drop(stand_in);
    output::note(format_args!("one client, {BACKLOG} events from the log"));
    rows.extend(from_the_log(daemons, 1)?);
    daemons.stop()?;
    Ok(Figures::new(daemons.home().root(), fsync, rows))
}

/// What it costs the gateway that runs to read the log for one client; nothing else is under way.
///
/// # Errors
/// A scheduler runs, or the client is not told everything.
pub(super) fn from_the_log(daemons: &Daemons, rounds: u32) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stand_in = stand_in::StandIn::start(daemons.home()).await?;
        let cursor = point::write_backlog(&stand_in, BACKLOG).await?;
        let mut read = Vec::new();
        for _ in 0..rounds {
            read.push(point::read_backlog(daemons.home(), &cursor, BACKLOG).await?);
        }
        Ok(rows::backlog(&read))
    })
}
