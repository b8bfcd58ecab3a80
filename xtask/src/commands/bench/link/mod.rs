//! `cargo xtask bench link`: what the link carries from the scheduler to a real gateway, beside plain lines.
//!
//! The sender is an example of `pb-scheduler`: its end of the link, and nothing else. The gateway tells in its
//! log how many lines it took.

mod plain;
mod rows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::{Clock, Home};
use serde::Deserialize;

use super::cpu::cpu_time;
use super::daemons::Daemons;
use super::figures::Figures;
use super::{disk, fanout, session};
use crate::{output, process, tree};

/// How long the lines are, in bytes.
const LINE_BYTES: usize = 333;
/// How long the gateway may take what was sent.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// What it says then, and what stands before the count.
const SAID: (&str, &str) = ("a scheduler is disconnected", "\"lines\":");

/// Measure what crosses the link, and catching up from the log
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Messages of each round
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    messages: u64,
    /// How often each is measured; the median is told
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What one end says.
#[derive(Debug, Clone, Copy, Deserialize)]
struct End {
    began_ms: u64,
    ended_ms: u64,
    cpu_us: u64,
    messages: u64,
}

/// A round of one kind of message.
#[derive(Debug, Clone, Copy)]
struct Round {
    messages: u64,
    /// From the first message sent to the last one taken.
    took: Duration,
    /// Processor time of both ends.
    sender: Duration,
    receiver: Duration,
    /// Messages that did not come.
    lost: u64,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb and the sender (release)");
    let pb = process::build_pb(&root, true)?;
    let sender = process::build_example(&root, ("pb-scheduler", "link-bench"), "bench")?;
    let home = session::empty_folder(&tree::target(&root))?;
    let daemons = Arc::new(Daemons::new(pb, home.path())?);
    let of = args.clone();
    let figures = session::unless_interrupted(&daemons, move |daemons| measure(&of, &sender, daemons))?;
    figures.tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args, sender: &Path, daemons: &Daemons) -> anyhow::Result<Figures> {
    let home = daemons.home();
    let fsync = disk::fsync(home.root())?;
    daemons.start_gateway()?;
    let mut rows = Vec::new();
    for (kind, told) in [("event", "events"), ("piece", "pieces of text for nobody")] {
        output::note(format_args!("{} {told}, {} rounds", args.messages, args.rounds));
        let rounds = (0..args.rounds).map(|_| ours(sender, home, (kind, args.messages)));
        rows.extend(rows::ours(told, &rounds.collect::<anyhow::Result<Vec<_>>>()?));
    }
    output::note(format_args!("{} plain lines, {} rounds", args.messages, args.rounds));
    let rounds = (0..args.rounds).map(|_| plain::round(sender, home, args.messages));
    rows.extend(rows::plain(&rounds.collect::<anyhow::Result<Vec<_>>>()?));
    output::note(format_args!("from the log, {} rounds", args.rounds));
    rows.extend(fanout::from_the_log(daemons, args.rounds)?);
    daemons.stop()?;
    Ok(Figures::new(home.root(), fsync, rows))
}

/// One round against the gateway that runs.
fn ours(sender: &Path, home: &Home, (kind, messages): (&str, u64)) -> anyhow::Result<Round> {
    let gateway = fanout::gateway(home)?;
    let (before, so_far) = (cpu_time(gateway)?, said(home)?.len());
    let mut command = process::command(sender);
    command.arg(kind).arg(home.root()).args([messages.to_string(), LINE_BYTES.to_string()]);
    let sent: End = serde_json::from_str(&process::printed(&mut command)?)?;
    let began = Instant::now();
    let (lines, taken_ms) = loop {
        if let Some(lines) = said(home)?.get(so_far) {
            break (*lines, Clock::System.now_ms());
        }
        if began.elapsed() > TAKEN_WITHIN {
            bail!("the gateway did not take what was sent within {} s", TAKEN_WITHIN.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    };
    // `disconnect` is a line too; `connect` was read before.
    let came = lines.saturating_sub(1);
    Ok(Round {
        messages: sent.messages,
        took: Duration::from_millis(taken_ms.max(sent.ended_ms).saturating_sub(sent.began_ms)),
        sender: Duration::from_micros(sent.cpu_us),
        receiver: cpu_time(gateway)?.saturating_sub(before),
        lost: sent.messages.saturating_sub(came),
    })
}

/// How many lines the gateway took, of each connection that ended.
fn said(home: &Home) -> anyhow::Result<Vec<u64>> {
    let path = home.logs().join("gateway.log");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let count = |line: &str| line.split(SAID.1).nth(1)?.split([',', '}']).next()?.parse().ok();
    Ok(text.lines().filter(|line| line.contains(SAID.0)).filter_map(count).collect())
}
