//! `pb logs`: what supervisor, gateway and scheduler have told of their work, from their files: also when nothing runs.

mod line;
mod tail;

use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use pb_runtime::Home;
use pb_runtime::signals::StopSignals;

use crate::daemon::{Daemon, SUPERVISOR};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, wait};
use line::Line;
use tail::Tail;

/// How often it is looked for more.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Show what supervisor, gateway and scheduler tell of their work
///
/// What became of a goal is told by `pb goal show` and `pb goal logs`; this is about the processes. Each keeps its
/// last 50 MB, for 30 days at most. What they write, and how much of it, is changed by `pb log level`. What systemd
/// started writes into its journal instead: journalctl --user SYSLOG_IDENTIFIER=pb-gateway.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb logs                      the last 50 lines of all, by time
  pb logs scheduler --follow
  pb logs --goal 3f2a --level warn
  pb logs --request 17 --level debug
  pb logs --json --lines 1000 | jq -r .message")]
pub(crate) struct Args {
    /// Only of this process
    #[arg(value_enum, value_name = "PROCESS")]
    process: Option<Process>,
    /// Go on with what they tell from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// At most this many lines of those that are past
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,
    /// Only lines that name this goal: its id, or a part of it
    #[arg(long, value_name = "ID")]
    goal: Option<String>,
    /// Only lines about this request of a client: the id that the client gave it, or a part of that
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Only lines that are at least as grave as this
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Level::Trace)]
    level: Level,
    /// Print the lines as they stand in the files: JSON, with `process` added
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Process {
    Supervisor,
    Gateway,
    Scheduler,
}

/// How grave a line is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Args {
    fn shows(&self, line: &Line) -> bool {
        line.level() <= self.level
            && self.goal.as_ref().is_none_or(|goal| line.text().contains(goal.as_str()))
            && self.request.as_ref().is_none_or(|request| line.is_about_request(request))
    }

    fn show(&self, line: &Line) -> anyhow::Result<()> {
        if self.json {
            output::data(line.json())
        } else {
            output::data(line.for_people(self.process.is_none()))
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let names: &[&'static str] = match args.process {
        Some(Process::Supervisor) => &[SUPERVISOR],
        Some(Process::Gateway) => &[Daemon::Gateway.name()],
        Some(Process::Scheduler) => &[Daemon::Scheduler.name()],
        None => &[SUPERVISOR, Daemon::Gateway.name(), Daemon::Scheduler.name()],
    };
    let tail = |name: &&'static str| Tail::new(name, home.logs().join(format!("{name}.log")));
    let mut tails: Vec<Tail> = names.iter().map(tail).collect();
    let past = past(args, &mut tails)?;
    if past.is_empty() && !args.follow {
        output::note("nothing was told");
    }
    for line in &past {
        args.show(line)?;
    }
    if args.follow { wait::client(follow(args, tails)) } else { Ok(Exit::Ok) }
}

/// The last lines that are shown, of all files together.
fn past(args: &Args, tails: &mut [Tail]) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for tail in tails {
        lines.extend(tail.past(args.lines, |line| args.shows(line))?);
    }
    Ok(last(lines, args.lines))
}

/// The last so many by time.
fn last(mut lines: Vec<Line>, count: usize) -> Vec<Line> {
    // Stable: what one process tells stays in its order.
    lines.sort_by(|a, b| a.at().cmp(b.at()));
    lines.split_off(lines.len().saturating_sub(count))
}

async fn follow(args: &Args, mut tails: Vec<Tail>) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen().context("cannot listen to signals")?;
    loop {
        let mut more = Vec::new();
        for tail in &mut tails {
            more.extend(tail.more()?.into_iter().filter(|line| args.shows(line)));
        }
        for line in last(more, usize::MAX) {
            args.show(&line)?;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = signals.next() => return Ok(Exit::Ok),
        }
    }
}
