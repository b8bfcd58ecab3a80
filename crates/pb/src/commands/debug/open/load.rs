//! From a file into a home of its own.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pb_model::GoalId;
use pb_model::goal::{Event, GoalState, evolve};
use pb_runtime::{Clock, Home, Ids, process};
use pb_store::{Batch, Location, Log, NewEvent, Row, Trace, TraceEvent, Write};

use crate::commands::debug::exported::{Counts, FILE_BYTES_MAX, Header, Read, Reader, Wrong};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format;

/// Events written at once.
const BATCH_EVENTS: usize = 512;
/// Bytes of events that are gathered before they are written.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What was read.
pub(super) struct Loaded {
    pub(super) header: Header,
    pub(super) state: GoalState,
    pub(super) counts: Counts,
}

/// Writes what stands in a file into a home. What is folded from the events must be the rows.
///
/// # Errors
/// The file is not there, is none of ours, or is not as it was written; the home cannot be written.
pub(super) async fn load(path: &Path, home: &Home) -> Result<Loaded, Failure> {
    let file = File::open(path).map_err(|error| {
        let exit = if error.kind() == ErrorKind::NotFound { Exit::Missing } else { Exit::Failed };
        Failure::new(exit, format!("cannot open {}", path.display())).because(&error)
    })?;
    load_from(file, home).await.map_err(|error| match error.downcast_ref::<Wrong>() {
        Some(wrong) => {
            let told = Failure::new(Exit::BadData, format!("{} cannot be shown", path.display()));
            told.because(wrong).hint(wrong.hint())
        }
        None => error.into(),
    })
}

async fn load_from(file: File, home: &Home) -> anyhow::Result<Loaded> {
    if file.metadata().context("cannot look at it")?.len() > FILE_BYTES_MAX {
        return Err(Wrong::TooLarge.into());
    }
    let (header, mut reader) = Reader::begin(BufReader::new(file))?;
    let goal: GoalId = header.goal.parse().map_err(|_| changed("its goal has no id"))?;
    let mut into = Target::open(home, goal).await?;
    let (mut folded, mut rows) = (None, None);
    while let Some(read) = reader.next()? {
        match read {
            Read::Event(event) => {
                let fact: Event = serde_json::from_str(&event.body).map_err(|_| {
                    changed(format!("its event {} cannot be understood", format::line(&event.id)))
                })?;
                folded = evolve(folded, &fact, event.at_ms);
                into.event(event).await?;
            }
            Read::Trace(event) => into.told(*event).await?,
            Read::Rows(state) => rows = Some(*state),
        }
    }
    let state = rows.ok_or_else(|| changed("it has no rows"))?;
    if state.goal.id != goal {
        return Err(changed("its rows are of another goal").into());
    }
    if folded.as_ref() != Some(&state) {
        return Err(changed("its events do not come to its rows").into());
    }
    into.end(&state).await?;
    Ok(Loaded { header, state, counts: reader.counts() })
}

fn changed(what: impl Into<String>) -> Wrong {
    Wrong::Changed(what.into())
}

/// Where it is written to, many events at once.
struct Target {
    goal: GoalId,
    log: Log,
    trace: Trace,
    events: Vec<NewEvent>,
    told: Vec<TraceEvent>,
    /// Of what both have.
    bytes: usize,
}

impl Target {
    async fn open(home: &Home, goal: GoalId) -> anyhow::Result<Self> {
        let ids = Ids::random(Clock::System);
        let fresh = || ids.uuid().simple().to_string();
        let log = Log::open(Location::File(home.state_db()), fresh(), None).await?;
        let trace = Trace::open(home.trace_db(), fresh(), process::boot_id()).await?;
        Ok(Self { goal, log, trace, events: Vec::new(), told: Vec::new(), bytes: 0 })
    }

    async fn event(&mut self, event: NewEvent) -> anyhow::Result<()> {
        self.bytes += event.body.len() + event.data.len();
        self.events.push(event);
        self.flush_if_much().await
    }

    async fn told(&mut self, event: TraceEvent) -> anyhow::Result<()> {
        self.bytes += event.data.len();
        self.told.push(event);
        self.flush_if_much().await
    }

    async fn flush_if_much(&mut self) -> anyhow::Result<()> {
        let is_much = self.events.len().max(self.told.len()) >= BATCH_EVENTS || self.bytes >= BATCH_BYTES;
        if is_much { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        let (goal, events) = (self.goal, std::mem::take(&mut self.events));
        if !events.is_empty() {
            self.log.commit(Batch { writes: vec![Write::Events { goal, events }] }).await?;
        }
        let told = std::mem::take(&mut self.told);
        if !told.is_empty() {
            self.trace.append(Arc::from(told)).await?;
        }
        Ok(())
    }

    /// Writes the rows, and makes what was written easy to be found.
    async fn end(mut self, state: &GoalState) -> anyhow::Result<()> {
        self.flush().await?;
        let rows = rows_of(state).map(Write::Row).collect();
        self.log.commit(Batch { writes: rows }).await?;
        while self.trace.index().await? > 0 {}
        self.log.settle().await.context("cannot write the scratch log")
    }
}

/// All rows of a goal.
fn rows_of(state: &GoalState) -> impl Iterator<Item = Row> {
    let state = state.clone();
    std::iter::once(Row::Goal(Box::new(state.goal)))
        .chain(state.items.into_iter().map(|row| Row::Item(Box::new(row))))
        .chain(state.runs.into_iter().map(|row| Row::Run(Box::new(row))))
        .chain(state.gate_results.into_iter().map(|row| Row::GateResult(Box::new(row))))
        .chain(state.artifacts.into_iter().map(|row| Row::Artifact(Box::new(row))))
        .chain(state.escalations.into_iter().map(|row| Row::Escalation(Box::new(row))))
}
