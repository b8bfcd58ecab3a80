//! `pb self-check`: does this installation work, from a confined command to a goal that is verified.
//!
//! Everything happens in a folder of its own, with a gateway on a free port: what else runs on the machine, and the
//! person's home, are neither used nor needed.

mod scratch;
mod steps;

use std::time::Instant;

use anyhow::Context;
use pb_runtime::signals::StopSignals;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BAD, DIM, GOOD, styled};
use crate::{format, output, wait};
use scratch::Scratch;

/// Check that this installation works: runs a small goal in a folder of its own, and leaves nothing
///
/// Confines a command, opens a database, starts gateway and scheduler on a free port, has a goal verified, and stops
/// both. Uses neither your home nor a model. Exits 0 when everything works, else 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb self-check\n  pb self-check --json")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a step came to.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    ok: bool,
    duration_ms: u64,
    /// What was found, or why it does not work.
    found: String,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    ok: bool,
    version: &'static str,
    total_ms: u64,
    steps: &'a [Step],
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let began = Instant::now();
    let scratch = Scratch::make()?;
    let (mut checked, ended) = wait::client(Box::pin(all(&scratch, args.json)))?;
    let logs = scratch.logs();
    let removed = timed("leave nothing", || scratch.remove().map(|()| "no process, no file".to_owned()));
    show(&removed, args.json)?;
    checked.push(removed);
    let ok = checked.iter().all(|step| step.ok);
    let total_ms = millis(began);
    if args.json {
        output::json(&Told { ok, version: pb_runtime::VERSION, total_ms, steps: &checked })?;
    } else if ok && ended == Ended::Whole {
        output::note(format_args!("it works, in {}", format::duration(total_ms)));
    } else if !ok && !logs.is_empty() {
        output::note(format_args!("what gateway and scheduler said last:\n{logs}"));
    }
    Ok(match (ended, ok) {
        (Ended::Interrupted, _) => Exit::Detached,
        (Ended::Whole, true) => Exit::Ok,
        (Ended::Whole, false) => Exit::Failed,
    })
}

/// Whether Ctrl-C came in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    Interrupted,
}

/// Every step up to the first that does not work.
async fn all(scratch: &Scratch, json: bool) -> Result<(Vec<Step>, Ended), Failure> {
    let mut signals = StopSignals::listen().context("cannot listen to signals")?;
    let mut checked = Vec::new();
    for (name, step) in steps::ALL {
        let began = Instant::now();
        let made = tokio::select! {
            made = step(scratch) => made,
            () = signals.next() => return Ok((checked, Ended::Interrupted)),
        };
        let step = Step::of(name, began, made);
        show(&step, json)?;
        let ok = step.ok;
        checked.push(step);
        if !ok {
            break;
        }
        // A step that waits in the system, as for a process, hears of a signal only now.
        if tokio::time::timeout(steps::SIGNAL_LOOK, signals.next()).await.is_ok() {
            return Ok((checked, Ended::Interrupted));
        }
    }
    Ok((checked, Ended::Whole))
}

fn timed(name: &'static str, step: impl FnOnce() -> anyhow::Result<String>) -> Step {
    let began = Instant::now();
    Step::of(name, began, step())
}

impl Step {
    fn of(name: &'static str, began: Instant, made: anyhow::Result<String>) -> Self {
        let ok = made.is_ok();
        let found = made.unwrap_or_else(|error| format!("{error:#}"));
        Self { name, ok, duration_ms: millis(began), found }
    }
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn show(step: &Step, json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(());
    }
    let word = if step.ok { styled(GOOD, "ok    ") } else { styled(BAD, "failed") };
    let took = format!("{:>8}", format::duration(step.duration_ms));
    output::data(format_args!(
        "{word}  {:<16} {}  {}",
        step.name,
        styled(DIM, took),
        format::printable(&step.found)
    ))
}
