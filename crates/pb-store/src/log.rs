//! The log: written by one process, read by any.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use pb_model::goal::{CostLine, Escalation, EscalationType, Goal, GoalState, GoalStatus, ItemStatus};
use pb_model::{EscalationId, GoalId, ItemId, RunId};
use pb_runtime::faultpoints::{Bug, COMMIT_AFTER, COMMIT_BEFORE, place, planted};
use rusqlite::Connection;
use tokio::sync::OwnedSemaphorePermit;

use crate::contract::{
    Batch, Candidate, Committed, Error, EventRecord, LogIdentity, Retention, Step, StoredResult,
};
use crate::feed::{Page, SPANS_AT_ONCE_MAX, Span, Tail};
use crate::mark::Mark;
use crate::places::GoalPlace;
use crate::planted::answer_early;
use crate::sqlite::{Location, Shared, Work, append, compact, migrate, open, query};

/// The writer. One a file: the caller holds the process lock.
#[derive(Debug)]
pub struct Log {
    connection: Shared,
    location: Location,
    identity: LogIdentity,
    /// How often was committed, to make checkpoints now and then.
    commits: AtomicU64,
}

/// What there is in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneCount {
    /// Items that run.
    pub running: u64,
    /// Items that are ready.
    pub ready: u64,
}

/// What one goal has spent on models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoalCost {
    /// The goal.
    pub goal: GoalId,
    /// Its title.
    pub title: String,
    /// What was settled, by day and model.
    pub lines: Vec<CostLine>,
}

/// Which items to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// Only those of this goal.
    pub goal: Option<GoalId>,
    /// Only those in this status.
    pub status: Option<ItemStatus>,
    /// Only those that come after this one.
    pub after: Option<ItemId>,
    /// At most this many.
    pub limit: usize,
    /// After this many.
    pub offset: usize,
}

/// Which questions to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EscalationFilter {
    /// Only those about this goal.
    pub goal: Option<GoalId>,
    /// Only those that somebody has to answer, or only the others: of a goal that has ended nothing is asked
    /// any more.
    pub is_open: Option<bool>,
    /// Only those of this type.
    pub escalation_type: Option<EscalationType>,
    /// Only those that were answered with a yes that holds, or only those that were answered and were not.
    pub approved: Option<bool>,
    /// Only those that come after this one.
    pub after: Option<EscalationId>,
    /// At most this many.
    pub limit: usize,
    /// After this many.
    pub offset: usize,
}

/// Which goals to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoalFilter {
    /// Only goals in this status.
    pub status: Option<GoalStatus>,
    /// Only those that come after this place.
    pub after: Option<GoalPlace>,
    /// At most this many.
    pub limit: usize,
    /// After this many.
    pub offset: usize,
    /// Whether the page is counted from those that were asked for last, whatever their priority.
    pub latest: bool,
}

impl Log {
    /// Opens for writing, creating and migrating as needed, and begins a new incarnation.
    /// `fresh_id` names the history if this is a new file. A file behind `mark` was put back by
    /// hand, so its cursors mean nothing any more: it gets a new generation.
    pub async fn open(location: Location, fresh_id: String, mark: Option<Mark>) -> Result<Self, Error> {
        Self::open_as(location, fresh_id, mark, migrate::STATE).await
    }

    /// The same with commits that a power cut may lose: what durability costs, for the benchmark.
    #[cfg(feature = "bench")]
    pub async fn open_normal(location: Location, fresh_id: String) -> Result<Self, Error> {
        let schema = migrate::Schema { synchronous: migrate::Synchronous::Normal, ..migrate::STATE };
        Self::open_as(location, fresh_id, None, schema).await
    }

    async fn open_as(
        location: Location,
        fresh_id: String,
        mark: Option<Mark>,
        schema: migrate::Schema,
    ) -> Result<Self, Error> {
        let opened = location.clone();
        let (connection, identity) = crate::sqlite::blocking(move || {
            let connection = open::writer(&opened, &schema)?;
            let identity = begin_incarnation(&connection, &fresh_id, mark.as_ref())?;
            Ok((connection, identity))
        })
        .await?;
        Ok(Self { connection: Shared::new(connection), location, identity, commits: AtomicU64::new(0) })
    }

    /// Which history this is.
    pub fn identity(&self) -> &LogIdentity {
        &self.identity
    }

    /// Makes `batch` durable, whole or not at all, and tells where its events stand.
    ///
    /// # Errors
    /// [`Error::Fenced`] and [`Error::Full`] leave everything as it was. After [`Error::Broken`]
    /// nothing in memory can be trusted: end the process.
    pub async fn commit(&self, batch: Batch) -> Result<Committed, Error> {
        if planted(Bug::AnswerBeforeCommit) {
            return answer_early(&self.connection, move |transaction| append::write(transaction, &batch))
                .await;
        }
        let location = self.location.clone();
        let commits = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        self.connection
            .call(move |connection| {
                place(COMMIT_BEFORE);
                let committed = append::commit(connection, &batch);
                place(COMMIT_AFTER);
                // SQLite rolls the whole transaction back on a full disk or an I/O error; so do we
                // on any other.
                debug_assert!(connection.is_autocommit(), "a failed batch leaves no open transaction");
                let committed = committed?;
                if !committed.compacted.is_empty() {
                    compact::give_back(connection)?;
                }
                if let Location::File(path) = &location {
                    append::checkpoint(connection, path, commits)?;
                    if committed.compacted.iter().any(|part| part.done) {
                        append::shrink(connection)?;
                    }
                }
                Ok(committed)
            })
            .await
    }

    /// Moves what is only in the WAL into the file, as far as no reader is in the way. For a writer that
    /// stops; what was committed is durable without it.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn settle(&self) -> Result<(), Error> {
        self.connection.call(|connection| append::checkpoint_whole(connection)).await
    }

    /// A reader on the writer's own connection: it sees every commit at once.
    pub fn reader(&self) -> LogReader {
        LogReader { connection: self.connection.clone() }
    }
}

fn begin_incarnation(
    connection: &rusqlite::Connection,
    fresh_id: &str,
    mark: Option<&Mark>,
) -> Result<LogIdentity, Error> {
    let Some(mut identity) = query::identity(connection)? else {
        connection.execute("INSERT INTO log (id, generation, incarnation) VALUES (?1, 1, 1)", [fresh_id])?;
        return query::identity(connection)?.ok_or(Error::Foreign { path: fresh_id.into() });
    };
    let behind = match mark {
        Some(mark) => mark.log_id == identity.id && mark.pos > query::last_pos(connection)?,
        None => false,
    };
    identity.incarnation += 1;
    identity.generation += u64::from(behind);
    connection.execute(
        "UPDATE log SET generation = ?1, incarnation = ?2",
        [identity.generation as i64, identity.incarnation as i64],
    )?;
    Ok(identity)
}

/// A reader: short pages, never a lasting transaction.
#[derive(Debug, Clone)]
pub struct LogReader {
    pub(crate) connection: Shared,
}

impl LogReader {
    /// Opens another process's log for reading.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        let connection = crate::sqlite::blocking(move || open::reader(&path, &migrate::STATE)).await?;
        Ok(Self { connection: Shared::new(connection) })
    }

    /// The goals whose history is to be compacted, at most `limit`, in the order in which it should be done.
    /// Looks at every goal that has ended: use a reader of its own, so that no commit waits for it.
    pub async fn compactable(&self, retention: Retention, limit: usize) -> Result<Vec<Candidate>, Error> {
        self.connection.call(move |connection| compact::candidates(connection, retention, limit)).await
    }

    /// Which history this is; `None` before its first incarnation.
    pub async fn identity(&self) -> Result<Option<LogIdentity>, Error> {
        self.connection.call(|connection| query::identity(connection)).await
    }

    /// The position of the last event, 0 without one.
    pub async fn last_pos(&self) -> Result<u64, Error> {
        self.connection.call(|connection| query::last_pos(connection)).await
    }

    /// Changes whenever another connection committed. Cheap: no page is read.
    pub async fn data_version(&self) -> Result<u64, Error> {
        self.connection.call(|connection| query::data_version(connection)).await
    }

    /// The events after `pos`: at most `limit`, and at most 1 MiB beyond the first.
    pub async fn events_after(&self, pos: u64, limit: usize) -> Result<Vec<EventRecord>, Error> {
        self.connection.call(move |connection| query::events_after(connection, pos, limit)).await
    }

    /// The events before `before`, of one goal if that is asked, the latest first: at most `limit`, and at most 1 MiB
    /// beyond the first. Their bodies are left out.
    pub async fn events_before(
        &self,
        before: u64,
        goal: Option<String>,
        limit: usize,
    ) -> Result<Vec<EventRecord>, Error> {
        let before = move |connection: &mut Connection| {
            query::events_before(connection, before, goal.as_deref(), limit)
        };
        self.connection.call(before).await
    }

    /// The newest events of these kinds after `pos`, at most `limit`, in their order. Bodies are whole.
    pub async fn newest_of(
        &self,
        pos: u64,
        kinds: &'static [&'static str],
        limit: usize,
    ) -> Result<Vec<EventRecord>, Error> {
        self.connection.call(move |connection| query::newest_of(connection, pos, kinds, limit)).await
    }

    /// What is new at the end; see [`query::tail`]. `here` reads at most one span, on this thread.
    pub(crate) async fn tail<P: Page>(
        &self,
        seen: Option<u64>,
        (known, end): (Option<LogIdentity>, u64),
        here: bool,
    ) -> Result<Option<Tail<P>>, Error> {
        let spans_max = if here { 1 } else { SPANS_AT_ONCE_MAX };
        let tail = move |connection: &mut Connection| {
            query::tail(connection, seen, (known.as_ref(), end), spans_max)
        };
        if here { self.connection.here(tail) } else { self.connection.call(tail).await }
    }

    /// Begins to read the events after `pos` that make one span; see [`query::span`]. The `turn` is over when
    /// it is read, or has failed.
    pub(crate) fn begin_span<P: Page>(
        &self,
        log: LogIdentity,
        (pos, bytes_max): (u64, usize),
        turn: OwnedSemaphorePermit,
    ) -> Work<Option<Span<P>>> {
        self.connection.begin(move |connection| {
            let _turn = turn;
            query::span(connection, &log, (pos, bytes_max))
        })
    }

    /// A page of goals, highest priority first, then oldest first, and how many there are in all.
    pub async fn goals(&self, filter: GoalFilter) -> Result<(Vec<Goal>, u64), Error> {
        self.connection.call(move |connection| query::goals(connection, &filter)).await
    }

    /// The same, with the position up to which an inbox was executed at that very moment: commands
    /// beyond it have no part in the page.
    pub async fn goals_beside(
        &self,
        filter: GoalFilter,
        inbox_id: &str,
    ) -> Result<(Vec<Goal>, u64, u64), Error> {
        let inbox_id = inbox_id.to_owned();
        self.connection
            .call(move |connection| {
                let transaction = connection.transaction()?;
                let (goals, total) = query::goals(&transaction, &filter)?;
                let read = query::inbox_read(&transaction, &inbox_id)?;
                Ok((goals, total, read))
            })
            .await
    }

    /// How many goals there are in each status.
    pub async fn goal_counts(&self) -> Result<Vec<(String, u64)>, Error> {
        self.connection.call(|connection| query::goal_counts(connection)).await
    }

    /// How many items of active goals run in each lane, and how many are ready; lanes without items are
    /// left out.
    pub async fn lane_counts(&self) -> Result<Vec<(String, LaneCount)>, Error> {
        self.connection.call(|connection| query::lane_counts(connection)).await
    }

    /// What each goal has spent on models, by day and model; goals that spent nothing are left out.
    pub async fn costs(&self) -> Result<Vec<GoalCost>, Error> {
        self.connection.call(|connection| query::costs(connection)).await
    }

    /// Ids of goals that contain `fragment`, at most `limit`.
    pub async fn goal_ids_like(&self, fragment: &str, limit: usize) -> Result<Vec<String>, Error> {
        let fragment = fragment.to_owned();
        self.connection.call(move |connection| query::goal_ids_like(connection, &fragment, limit)).await
    }

    /// A goal with everything that belongs to it.
    pub async fn state(&self, goal: GoalId) -> Result<Option<GoalState>, Error> {
        self.connection.call(move |connection| query::state(connection, &goal.to_string())).await
    }

    /// Every goal that has not ended, oldest first.
    pub async fn open_goals(&self) -> Result<Vec<GoalState>, Error> {
        self.connection
            .call(|connection| {
                let mut states = Vec::new();
                for id in query::open_goals(connection)? {
                    states.extend(query::state(connection, &id)?);
                }
                Ok(states)
            })
            .await
    }

    /// A page of items with their goals: the latest goals first, each in the order of its plan; and how many
    /// there are in all.
    pub async fn items(&self, filter: ItemFilter) -> Result<(Vec<(ItemId, GoalId)>, u64), Error> {
        self.connection.call(move |connection| query::items(connection, filter)).await
    }

    /// A page of questions, the latest first, and how many there are in all.
    pub async fn escalations(&self, filter: EscalationFilter) -> Result<(Vec<Escalation>, u64), Error> {
        self.connection.call(move |connection| query::escalations(connection, filter)).await
    }

    /// A question.
    pub async fn escalation(&self, id: EscalationId) -> Result<Option<Escalation>, Error> {
        self.connection.call(move |connection| query::escalation(connection, &id.to_string())).await
    }

    /// The goal that a question is about.
    pub async fn goal_of_escalation(&self, id: EscalationId) -> Result<Option<GoalId>, Error> {
        let found = self.connection.call(move |c| query::goal_of_escalation(c, &id.to_string())).await?;
        Ok(found.and_then(|goal| goal.parse().ok()))
    }

    /// The goal that an item belongs to, with its items, and the runs and gate results of this one. Artifacts and
    /// escalations are left out: who asks for each item of a large goal does not read all of it each time.
    pub async fn state_of_item(&self, item: ItemId) -> Result<Option<GoalState>, Error> {
        self.connection
            .call(move |connection| match query::goal_of_item(connection, &item.to_string())? {
                Some(goal) => query::state_of_item(connection, &goal, &item.to_string()),
                None => Ok(None),
            })
            .await
    }

    /// The journal of a goal's runs, in the order in which the steps began.
    pub async fn steps(&self, goal: GoalId) -> Result<Vec<Step>, Error> {
        self.connection.call(move |connection| query::steps(connection, &goal.to_string())).await
    }

    /// The journal of one run beyond a place (0 for all of it), in the order of its places.
    pub async fn steps_of_run(&self, run: RunId, after: u32) -> Result<Vec<Step>, Error> {
        self.connection.call(move |connection| query::steps_of_run(connection, &run.to_string(), after)).await
    }

    /// The tool steps of an item's runs but `run` that were asked to do what `request_hash` says,
    /// oldest first: the ledger that is asked before an unsafe effect (`durability.md` §4).
    pub async fn same_effects(
        &self,
        item: ItemId,
        run: RunId,
        request_hash: &str,
    ) -> Result<Vec<Step>, Error> {
        let request_hash = request_hash.to_owned();
        self.connection
            .call(move |connection| {
                query::same_effects(connection, &item.to_string(), &run.to_string(), &request_hash)
            })
            .await
    }

    /// The stored result of a command.
    pub async fn command(&self, id: &str) -> Result<Option<StoredResult>, Error> {
        let id = id.to_owned();
        self.connection.call(move |connection| query::command(connection, &id)).await
    }

    /// Up to which position an inbox was executed.
    pub async fn inbox_read(&self, inbox_id: &str) -> Result<u64, Error> {
        let inbox_id = inbox_id.to_owned();
        self.connection.call(move |connection| query::inbox_read(connection, &inbox_id)).await
    }
}
