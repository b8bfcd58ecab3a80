//! `pb-faults`: the fault suite as a program. `cargo xtask faults` builds and runs it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use pb_faults::{FAULTS, Fault, Run, Size, Tally};
use serde::Serialize;

/// Break what can break, and count what was lost
#[derive(Debug, Parser)]
#[command(name = "pb-faults")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Args),
    /// Be a process that a fault needs
    #[command(hide = true)]
    Child(pb_faults::child::Args),
}

/// Run faults and print a line for each
#[derive(Debug, clap::Args)]
struct Args {
    /// How much is done
    size: Size,
    /// Only these faults, such as F1,F4
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    only: Vec<String>,
    /// Everything random follows from it; printed, so that a run can be repeated
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The `pb` under test
    #[arg(long, value_name = "PATH")]
    pb: Option<PathBuf>,
    /// Write a report to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What a fault came to, with how to do it again.
#[derive(Debug, Serialize)]
struct Line {
    fault: &'static str,
    what: &'static str,
    passed: bool,
    seed: u64,
    seconds: f64,
    #[serde(flatten)]
    tally: Tally,
}

fn main() -> anyhow::Result<ExitCode> {
    // A scheduler in a child needs a program that provides these.
    match std::env::args_os().nth(1).as_deref().and_then(std::ffi::OsStr::to_str) {
        Some(pb_exec::KEEPER_WORD) => return Ok(pb_exec::keeper_main()),
        Some(pb_exec::STEP_WORD) => return Ok(pb_exec::step_main()),
        _ => {}
    }
    match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Child(args) => pb_faults::child::run(&args).map(|()| ExitCode::SUCCESS),
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let chosen = chosen(&args.only)?;
    let seed = args.seed.unwrap_or_else(rand::random);
    tell(format_args!("{} size, seed {seed}", args.size))?;
    let mut lines = Vec::new();
    for fault in chosen {
        let folder = tempfile::Builder::new().prefix("pb-faults-").tempdir_in(scratch()?)?;
        let run = Run {
            size: args.size,
            seed,
            folder: folder.path().to_owned(),
            exe: std::env::current_exe().context("cannot tell where this program lies")?,
            pb: args.pb.clone(),
        };
        let began = Instant::now();
        let tally = (fault.run)(&run).with_context(|| format!("{} could not be run", fault.id))?;
        let line = Line::new(*fault, seed, began.elapsed(), tally);
        line.tell()?;
        lines.push(line);
    }
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&lines)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let all_passed = lines.iter().all(|line| line.passed);
    Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Beside this program: a real disk, and short enough for a socket's path. `/tmp` may be memory.
fn scratch() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe().context("cannot tell where this program lies")?;
    Ok(exe.parent().context("this program lies in no folder")?.to_owned())
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<&'static Fault>> {
    let unknown = only.iter().find(|id| !FAULTS.iter().any(|fault| fault.id.eq_ignore_ascii_case(id)));
    if let Some(unknown) = unknown {
        let known: Vec<_> = FAULTS.iter().map(|fault| fault.id).collect();
        bail!("there is no fault `{unknown}`; there are {}", known.join(", "));
    }
    let wanted = |fault: &&Fault| only.is_empty() || only.iter().any(|id| fault.id.eq_ignore_ascii_case(id));
    Ok(FAULTS.iter().filter(wanted).collect())
}

impl Line {
    fn new(fault: Fault, seed: u64, took: Duration, tally: Tally) -> Self {
        let passed = tally.passed();
        Self { fault: fault.id, what: fault.what, passed, seed, seconds: took.as_secs_f64(), tally }
    }

    fn tell(&self) -> anyhow::Result<()> {
        let Tally { cases, lost, duplicated, reordered, failures, failures_untold, counts } = &self.tally;
        let verdict = if self.passed { "ok  " } else { "FAIL" };
        let counts: Vec<_> = counts.iter().map(|(name, number)| format!(", {name} {number}")).collect();
        tell(format_args!(
            "{verdict} {:<4} {:<44} cases {cases}, lost {lost}, duplicated {duplicated}, \
             reordered {reordered}{}, seed {}, {:.1} s",
            self.fault,
            self.what,
            counts.concat(),
            self.seed,
            self.seconds
        ))?;
        for failure in failures {
            tell(format_args!("     {failure}"))?;
        }
        if *failures_untold > 0 {
            tell(format_args!("     and {failures_untold} more"))?;
        }
        Ok(())
    }
}

fn tell(line: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot say how it went")
}
