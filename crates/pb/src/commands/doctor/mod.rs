//! `pb doctor`: what this machine and this home are like, and what to do about what is not well.
//!
//! One file a group of checks. Each works with processes that run and with none, and in a home that is not there yet.

mod check;
mod clock;
mod databases;
mod disk;
mod home;
mod kernel;
mod leftovers;
mod models;
mod ports;
mod processes;
mod settings;

use pb_runtime::Home;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, wait};
use check::{Check, Level};

/// How often `--fix` mends: what is left of a process can be removed only once the process has ended.
const ROUNDS_MAX: usize = 2;

/// See what is not well with settings, keys, kernel, disk and databases, and mend it
///
/// Tells what was found and what to do about it. Model providers are asked for the list of their models, which costs
/// nothing. Exits 0 when nothing is a problem, else 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb doctor\n  pb doctor --fix\n  pb doctor --offline --json")]
pub(crate) struct Args {
    /// Mend what can be mended safely: permissions, stale sockets, what dead processes left; never data
    #[arg(long)]
    fix: bool,
    /// Ask no model provider
    #[arg(long)]
    offline: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    home: String,
    /// Whether nothing is a problem.
    ok: bool,
    problems: usize,
    warnings: usize,
    checks: &'a [Check],
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let looked = || wait::client(Box::pin(async { Ok(all(&home, args).await) }));
    let mut checks = looked()?;
    let mut fixed = Vec::new();
    for _ in 0..ROUNDS_MAX {
        if !args.fix || !checks.iter().any(Check::is_mendable) {
            break;
        }
        fixed.extend(checks.into_iter().filter_map(Check::fix));
        checks = looked()?; // What counts is how it is now.
    }
    for one in fixed {
        match checks.iter_mut().find(|check| check.name == one.name) {
            Some(same) => same.after(one),
            None => checks.push(one),
        }
    }
    let count = |level| checks.iter().filter(|check| check.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    if args.json {
        let home = home.root().display().to_string();
        output::json(&Told { home, ok: problems == 0, problems, warnings, checks: &checks })?;
    } else {
        for check in &checks {
            check.show()?;
        }
        output::note(summary(problems, warnings));
    }
    Ok(if problems == 0 { Exit::Ok } else { Exit::Failed })
}

async fn all(home: &Home, args: &Args) -> Vec<Check> {
    let (mut checks, settings) = settings::look(home);
    checks.splice(0..0, home::look(home));
    checks.extend(models::look(home, settings.as_ref(), args.offline).await);
    checks.extend(kernel::look(settings.as_ref()));
    checks.extend(processes::look(home));
    checks.extend(ports::look(home));
    checks.extend(disk::look(home, settings.as_ref()));
    checks.extend(clock::look(home));
    checks.extend(databases::look(home).await);
    checks.extend(leftovers::look(home));
    checks
}

fn summary(problems: usize, warnings: usize) -> String {
    let (problems, warnings) = (problems as u64, warnings as u64);
    match (problems, warnings) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("nothing is a problem; {}", format::count(warnings, "warning")),
        (problems, 0) => format::count(problems, "problem"),
        (problems, warnings) => {
            format!("{}, {}", format::count(problems, "problem"), format::count(warnings, "warning"))
        }
    }
}
