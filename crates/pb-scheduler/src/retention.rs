//! Retention (`durability.md` §2): goals that ended long ago, or in a log that is too large, are compacted.
//!
//! ```text
//!   at start, each hour, pb gc --> candidates --> one goal after the other:
//!                                   part --> the loop commits it --> what it came to --> next part
//! ```
//!
//! What is due is looked for beside the loop, on a connection of its own, and goes through it in small parts,
//! so that a batch waits for one part at most. A crash in between is found again by the next look.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pb_model::GoalId;
use pb_model::goal::{Event, GoalState};
use pb_protocol::event;
use pb_runtime::config::Retention as Settings;
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{
    Batch, Candidate, Compact, Compacted, Error, Location, Log, LogReader, Mark, NewEvent, Retention, Write,
};
use tokio::sync::{Notify, mpsc};

use crate::driver::Input;
use crate::kept;
use crate::service::StartError;

/// How often is looked for what is due.
const INTERVAL: Duration = Duration::from_hours(1);
/// How long a part may take to be committed; the loop may be waiting for a disk with room.
const PART_LIMIT: Duration = Duration::from_secs(30);
/// Most goals of one look.
const CANDIDATES_MAX: usize = 256;
/// Parts that the loop has told of and nobody has heard yet. There is one at a time.
pub(crate) const PARTS_WAITING_MAX: usize = 4;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Most goals that are counted for who asks what is due.
const COUNTED_MAX: usize = 100_000;

/// Rings when somebody asks for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bell(Arc<Asked>);

#[derive(Debug, Default)]
struct Asked {
    rings: Notify,
    /// After how many days a goal ended long ago, for the next look alone.
    days: Mutex<Option<u64>>,
}

impl Bell {
    /// For what is due by the settings.
    pub(crate) fn ring(&self) {
        self.0.rings.notify_one();
    }

    /// For what ended before so many days too.
    pub(crate) fn ring_for(&self, days: u64) {
        let mut asked = self.0.days.lock().unwrap_or_else(PoisonError::into_inner);
        *asked = Some(asked.map_or(days, |other| other.min(days)));
        self.0.rings.notify_one();
    }

    /// The settings for one look.
    fn settings(&self, usual: &Settings) -> Settings {
        let asked = self.0.days.lock().unwrap_or_else(PoisonError::into_inner).take();
        Settings { days: asked.map_or(usual.days, |days| days.min(usual.days)), ..usual.clone() }
    }
}

/// The task beside the loop.
#[derive(Debug)]
pub(crate) struct Retain {
    pub(crate) home: Home,
    pub(crate) db: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) bell: Bell,
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) parts: mpsc::Receiver<Compacted>,
}

impl Retain {
    /// Looks at start, each hour, and when the bell rings, until the loop has ended.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(error) = self.pass().await {
                tracing::warn!(%error, "cannot compact old goals; trying again in an hour");
            }
            if self.inputs.is_closed() {
                return;
            }
            let _ = tokio::time::timeout(INTERVAL, self.bell.0.rings.notified()).await; // Either way: look.
        }
    }

    /// Compacts everything that is due.
    async fn pass(&mut self) -> Result<(), Error> {
        let reader = LogReader::open(&self.db).await?;
        let source = Source { reader, clock: self.clock.clone(), ids: self.ids.clone() };
        let (mut goals, mut bytes) = (0_u64, 0);
        let settings = self.bell.settings(&self.settings);
        'looks: loop {
            let due = source.due(&settings).await?;
            for candidate in &due {
                let Some(compact) = source.compact(candidate).await? else { continue };
                let Some(freed) = self.goal(Arc::new(compact)).await else { break 'looks };
                source.forget_files(&self.home, candidate.goal).await?;
                goals += 1;
                bytes += freed;
            }
            if due.len() < CANDIDATES_MAX {
                break;
            }
        }
        if goals > 0 {
            tracing::info!(goals, bytes, "goals that ended were compacted");
        }
        Ok(())
    }

    /// Compacts one goal; the bytes freed. `None` when the loop has ended or is held up.
    async fn goal(&mut self, compact: Arc<Compact>) -> Option<u64> {
        let mut bytes = 0;
        loop {
            while self.parts.try_recv().is_ok() {} // Of a part that was given up.
            self.inputs.send(Input::Compact(Arc::clone(&compact))).await.ok()?;
            let part = tokio::time::timeout(PART_LIMIT, self.parts.recv()).await.ok()??;
            bytes += part.bytes;
            if part.done {
                return Some(bytes);
            }
        }
    }
}

/// Where compactions come from.
struct Source {
    reader: LogReader,
    clock: Clock,
    ids: Ids,
}

impl Source {
    async fn due(&self, settings: &Settings) -> Result<Vec<Candidate>, Error> {
        self.reader.compactable(limits(settings, &self.clock), CANDIDATES_MAX).await
    }

    async fn compact(&self, candidate: &Candidate) -> Result<Option<Compact>, Error> {
        let Some(state) = self.reader.state(candidate.goal).await? else {
            return Ok(None);
        };
        let snapshot = self.snapshot(&state, candidate.events);
        Ok(Some(Compact { goal: candidate.goal, seq: candidate.seq, snapshot }))
    }

    /// What the goal found in its folder is kept as long as its history.
    async fn forget_files(&self, home: &Home, goal: GoalId) -> Result<(), Error> {
        let state = self.reader.state(goal).await?;
        let folder = state.and_then(|state| state.goal.workspace).map(PathBuf::from);
        let home = home.clone();
        // What is left is found by nobody, and costs only room.
        let _ = tokio::task::spawn_blocking(move || kept::forget(&home, goal, folder.as_deref())).await;
        Ok(())
    }

    /// The event that stands for the goal's events.
    fn snapshot(&self, state: &GoalState, events: u64) -> NewEvent {
        let at_ms = self.clock.now_ms();
        let fact = Event::GoalCompacted { events, state: Box::new(state.clone()) };
        NewEvent {
            id: self.ids.uuid().to_string(),
            at_ms,
            kind: fact.kind().to_owned(),
            // A fact is plain data: maps with string keys, strings and numbers.
            body: serde_json::to_string(&fact).unwrap_or_default(),
            data: event::data(&fact, state, at_ms).to_string(),
        }
    }
}

fn limits(settings: &Settings, clock: &Clock) -> Retention {
    let ended_before_ms = clock.now_ms().saturating_sub(settings.days.saturating_mul(DAY_MS));
    Retention { ended_before_ms, bytes_max: settings.total_bytes }
}

/// What would be compacted now, oldest first, in a log that may be in use; at most some hundred goals.
///
/// # Errors
/// The log cannot be read.
pub async fn compactable(db: &Path, settings: &Settings, clock: &Clock) -> Result<Vec<Candidate>, Error> {
    LogReader::open(db).await?.compactable(limits(settings, clock), CANDIDATES_MAX).await
}

/// How many events of how many goals are due if a goal ended long ago after so many days.
///
/// # Errors
/// The log cannot be read.
pub(crate) async fn due_before(
    db: &Path,
    settings: &Settings,
    days: u64,
    clock: &Clock,
) -> Result<(u64, u64), Error> {
    let settings = Settings { days: days.min(settings.days), ..settings.clone() };
    let due = LogReader::open(db).await?.compactable(limits(&settings, clock), COUNTED_MAX).await?;
    Ok((due.iter().map(|one| one.events).sum(), due.len() as u64))
}

/// Compacts what is due in a home whose scheduler does not run, and holds its lock meanwhile. `told` hears
/// of each part.
///
/// # Errors
/// A scheduler runs, or the log cannot be used.
pub async fn compact_stopped(
    home: &Home,
    settings: &Settings,
    (clock, ids): (Clock, Ids),
    mut told: impl FnMut(&Compacted),
) -> Result<Vec<GoalId>, StartError> {
    let _lock = ProcessLock::acquire(&home.scheduler_lock(), clock.now_ms())?;
    let (fresh_id, mark) = (ids.uuid().simple().to_string(), Mark::read(&home.state_mark()));
    let log = Log::open(Location::File(home.state_db()), fresh_id, mark).await?;
    let source = Source { reader: log.reader(), clock, ids };
    let mut goals = Vec::new();
    loop {
        let due = source.due(settings).await?;
        for candidate in &due {
            let Some(compact) = source.compact(candidate).await? else { continue };
            loop {
                let batch = Batch { writes: vec![Write::Compact(compact.clone())] };
                let committed = log.commit(batch).await?;
                committed.compacted.iter().for_each(&mut told);
                if committed.compacted.iter().all(|part| part.done) {
                    break;
                }
            }
            source.forget_files(home, candidate.goal).await?;
            goals.push(candidate.goal);
        }
        if due.len() < CANDIDATES_MAX {
            return Ok(goals);
        }
    }
}
