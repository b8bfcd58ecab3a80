//! `pb debug export`: straight from the files, so that it works when nothing runs.

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_llm::Credentials;
use pb_model::GoalId;
use pb_runtime::{Clock, Home, Ids, secrets, token};
use pb_store::{GoalEventFilter, LogReader, TraceFilter, TraceReader};

use super::exported::{Counts, Header, Writer, scrubbed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, wait};

/// Events read at once.
const PAGE_EVENTS: usize = 1_000;
/// Goals that are named when a part of an id stands for several.
const GOALS_NAMED_MAX: usize = 5;

/// Write a goal into one file: its history, its rows and its debug events, to be looked at elsewhere
///
/// The other person looks at it with `pb debug open FILE`. What models and tools said is in it, without what looks like
/// a secret: read it before you give it away. Nothing needs to run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug export 3f2a
  pb debug export 3f2a -o report.pbgoal
  pb debug export 3f2a -o - | jq -c .event.kind")]
pub(super) struct Args {
    /// The goal: its id, or a part of it that no other goal has
    #[arg(value_name = "ID")]
    goal: String,
    /// The file; `-` is standard output [default: the goal's id with `.pbgoal`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    hold_keys(&home);
    wait::client(Box::pin(export(&home, args)))
}

/// The keys of this machine, which may look like none, are known for such in what a model or a tool said.
fn hold_keys(home: &Home) {
    secrets::hold_environment();
    // What cannot be read was not read by the scheduler either.
    let _ = token::read(&home.token());
    let _ = Credentials::read(&home.credentials()).map(|keys| keys.hold());
}

async fn export(home: &Home, args: &Args) -> Result<Exit, Failure> {
    if !home.state_db().exists() {
        return Err(missing(&args.goal));
    }
    let log = LogReader::open(&home.state_db()).await.context("cannot read the log")?;
    let goal = find(&log, &args.goal).await?;
    let state = log.state(goal).await.context("cannot read the log")?.ok_or_else(|| missing(&args.goal))?;
    let header = Header::new(&state, Clock::System.now_ms());
    if args.output.as_deref() == Some(Path::new("-")) {
        write(home, &log, goal, (&header, std::io::stdout().lock())).await?;
        return Ok(Exit::Ok);
    }
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{goal}.pbgoal")));
    // In a folder of others too, what is written to is ours alone: nobody can have put it there before.
    let fresh = path.with_added_extension(format!("{}.new", Ids::random(Clock::System).uuid().simple()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
    let file = file.with_context(|| format!("cannot write {}", fresh.display()))?;
    let written = write(home, &log, goal, (&header, BufWriter::new(file))).await;
    let whole = written.and_then(|counts| {
        fs::rename(&fresh, &path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(counts)
    });
    if whole.is_err() {
        let _ = fs::remove_file(&fresh); // Half a file is of no use; if it stays, it is known for one.
    }
    let counts = whole?;
    output::data(path.display())?;
    output::note(format!(
        "{} and {} of {}; look at them with: pb debug open {}",
        format::count(counts.events, "event"),
        format::count(counts.trace, "debug event"),
        format::line(&header.title),
        path.display()
    ));
    Ok(Exit::Ok)
}

/// Writes everything. What happens meanwhile is not in it: the rows are those of the last event that is.
async fn write(
    home: &Home,
    log: &LogReader,
    goal: GoalId,
    (header, to): (&Header, impl Write),
) -> Result<Counts, Failure> {
    let mut writer = Writer::begin(to, header)?;
    let mut folded = None;
    let mut after = 0;
    loop {
        let page = log.goal_events(GoalEventFilter::after(goal, after), PAGE_EVENTS).await;
        let page = page.context("cannot read the log")?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for mut record in page {
            record.body = scrubbed(&record.body)?;
            record.data = scrubbed(&record.data)?;
            let event = serde_json::from_str(&record.body)
                .with_context(|| format!("the event {} of the goal cannot be understood", record.seq))?;
            folded = pb_model::goal::evolve(folded, &event, record.at_ms);
            writer.event(record)?;
        }
    }
    if let Some(trace) = TraceReader::open(&home.trace_db()).await.context("cannot read the trace")? {
        let filter = TraceFilter { goal: Some(goal.to_string()), kinds: Vec::new() };
        let last = trace.last_pos().await.context("cannot read the trace")?;
        let mut pos = 0;
        while pos < last {
            let page = trace.after(pos, &filter, PAGE_EVENTS).await.context("cannot read the trace")?;
            pos = page.passed;
            for mut row in page.rows {
                // Once more: by now other keys may be known for such.
                row.event.data = scrubbed(&row.event.data)?;
                writer.trace(row.event)?;
            }
        }
    }
    let state = folded.context("the goal has no history")?;
    Ok(writer.end(state)?)
}

/// The goal that a text stands for.
async fn find(log: &LogReader, text: &str) -> Result<GoalId, Failure> {
    if let Ok(goal) = text.parse() {
        return Ok(goal);
    }
    let goals = log.goal_ids_like(text, GOALS_NAMED_MAX + 1).await.context("cannot read the log")?;
    match goals.as_slice() {
        [goal] => goal.parse().map_err(|_| missing(text)),
        [] => Err(missing(text)),
        several => {
            let named: Vec<_> = several.iter().take(GOALS_NAMED_MAX).cloned().collect();
            let message = format!("`{text}` is part of {}", named.join(", "));
            Err(Failure::new(Exit::Usage, message).hint("give more of the id"))
        }
    }
}

fn missing(text: &str) -> Failure {
    Failure::new(Exit::Missing, format!("goal not found: {text}"))
        .hint("see which goals there are with: pb goal list")
}
