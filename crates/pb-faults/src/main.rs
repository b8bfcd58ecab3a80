//! `pb-faults`: the fault suite as a program. `cargo xtask faults` builds and runs it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use pb_faults::report::{BugLine, FaultLine, Report};
use pb_faults::{BUGS, FAULTS, Fault, Run, Size, Tally};
use pb_runtime::faultpoints::{self, Bug};

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
    /// Faults that have not begun after so many minutes are done at the smoke size
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// The `pb` under test
    #[arg(long, value_name = "PATH")]
    pb: Option<PathBuf>,
    /// Write a report to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
    let mut report = Report::default();
    let began = Instant::now();
    for fault in &chosen {
        let is_late = args.minutes.is_some_and(|minutes| began.elapsed() >= Duration::from_mins(minutes));
        let size = if is_late { Size::Smoke } else { args.size };
        let (tally, took) = once(args, fault, (size, seed), None)?;
        report.faults.push(FaultLine::new(fault, (size, seed), took, tally));
        report.faults.last().map_or(Ok(()), tell)?;
    }
    let planted = BUGS.iter().filter(|planted| chosen.iter().any(|fault| fault.id == planted.fault));
    if cfg!(feature = "faultpoints") {
        for planted in planted {
            let Some(fault) = chosen.iter().find(|fault| fault.id == planted.fault) else { continue };
            // One sight of it is enough, and the smallest size gives it.
            let (tally, took) = once(args, fault, (Size::Smoke, seed), Some(planted.bug))?;
            report.bugs.push(BugLine::new(planted, seed, took, tally));
            report.bugs.last().map_or(Ok(()), tell)?;
        }
    } else if planted.count() > 0 {
        tell("     no bug is planted: this program was built without the feature `faultpoints`")?;
    }
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one fault, in a folder of its own.
fn once(
    args: &Args,
    fault: &Fault,
    (size, seed): (Size, u64),
    bug: Option<Bug>,
) -> anyhow::Result<(Tally, Duration)> {
    let folder = tempfile::Builder::new().prefix("pb-faults-").tempdir_in(scratch()?)?;
    faultpoints::plant(bug);
    let run = Run {
        size,
        seed,
        folder: folder.path().to_owned(),
        exe: std::env::current_exe().context("cannot tell where this program lies")?,
        pb: args.pb.clone(),
        bug,
    };
    let began = Instant::now();
    let tally = (fault.run)(&run).with_context(|| format!("{} could not be run", fault.id))?;
    Ok((tally, began.elapsed()))
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

fn tell(line: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot say how it went")
}
