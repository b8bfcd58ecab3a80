//! The auditor: what stands in the files, read beside the code under test, and what must hold there.
//!
//! It speaks SQL itself, so that a mistake in the store's own readers cannot hide one in its writer. It
//! leaves the files as they are: nothing is checkpointed when it goes.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Tally;

/// Largest WAL that may ever be (I10), in bytes.
pub const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What stands in a `state.db`.
#[derive(Debug, Clone, Default)]
pub struct LogFacts {
    /// The log's id, generation and incarnation; `None` before its first incarnation.
    pub identity: Option<(String, u64, u64)>,
    /// Every event, by position.
    pub events: Vec<EventFact>,
    /// What each goal's head says.
    pub heads: BTreeMap<String, HeadFact>,
    /// The stored result of each command.
    pub results: BTreeMap<String, String>,
    /// Up to which position each inbox was executed.
    pub inbox_read: BTreeMap<String, u64>,
    /// The journal, in the order in which it was written.
    pub steps: Vec<StepFact>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFact {
    /// Position in the log.
    pub pos: u64,
    /// The goal's id.
    pub goal: String,
    /// Number in its goal.
    pub seq: u64,
    /// Its own id.
    pub id: String,
    /// Its name on the wire.
    pub kind: String,
    /// The fact, as JSON.
    pub body: String,
}

/// A goal's head row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadFact {
    /// The number of the last event.
    pub seq: u64,
    /// The number of the first event that is kept.
    pub tail: u64,
}

/// A step of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFact {
    /// The run's id.
    pub run: String,
    /// Place in the run's journal.
    pub n: u64,
    /// The incarnation that ran it.
    pub epoch: u64,
    /// The name under which its effect is done at most once.
    pub effect_key: String,
    /// Its result, if it has one.
    pub result: Option<String>,
}

/// What stands in a `gateway.db`.
#[derive(Debug, Clone, Default)]
pub struct InboxFacts {
    /// The inbox's own id.
    pub id: Option<String>,
    /// Positions and ids of the commands, by position.
    pub commands: Vec<(u64, String)>,
}

impl LogFacts {
    /// Reads the log at `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let connection = open(path)?;
        let identity = rows(&connection, "SELECT id, generation, incarnation FROM log", |row| {
            Ok((row.get(0)?, unsigned(row, 1)?, unsigned(row, 2)?))
        })?;
        let events = "SELECT pos, goal, seq, id, kind, body FROM event ORDER BY pos";
        let events = rows(&connection, events, |row| {
            Ok(EventFact {
                pos: unsigned(row, 0)?,
                goal: row.get(1)?,
                seq: unsigned(row, 2)?,
                id: row.get(3)?,
                kind: row.get(4)?,
                body: row.get(5)?,
            })
        })?;
        let heads = rows(&connection, "SELECT goal, seq, tail FROM head", |row| {
            Ok((row.get(0)?, HeadFact { seq: unsigned(row, 1)?, tail: unsigned(row, 2)? }))
        })?;
        let results =
            rows(&connection, "SELECT id, result FROM command", |row| Ok((row.get(0)?, row.get(1)?)))?;
        let inbox_read = rows(&connection, "SELECT inbox_id, pos FROM inbox_read", |row| {
            Ok((row.get(0)?, unsigned(row, 1)?))
        })?;
        let steps = "SELECT run, n, epoch, effect_key, result FROM step ORDER BY rowid";
        let steps = rows(&connection, steps, |row| {
            Ok(StepFact {
                run: row.get(0)?,
                n: unsigned(row, 1)?,
                epoch: unsigned(row, 2)?,
                effect_key: row.get(3)?,
                result: row.get(4)?,
            })
        })?;
        Ok(Self {
            identity: identity.into_iter().next(),
            events,
            heads: heads.into_iter().collect(),
            results: results.into_iter().collect(),
            inbox_read: inbox_read.into_iter().collect(),
            steps,
        })
    }

    /// I2: `pos` rises, and no position is missing but those of events that were compacted; each goal's
    /// `seq` counts up from its tail to its head, without gaps.
    pub fn contiguous(&self, tally: &mut Tally, hint: impl Display) {
        let compacted: u64 = self.heads.values().map(|head| head.tail.saturating_sub(1)).sum();
        let mut before = 0;
        let mut seqs = BTreeMap::<&str, u64>::new();
        for event in &self.events {
            if event.pos <= before {
                tally.fail(format_args!("{hint}: position {} comes after {before}", event.pos));
            }
            before = event.pos;
            let tail = self.heads.get(&event.goal).map_or(1, |head| head.tail);
            let last = seqs.entry(&event.goal).or_insert(tail.saturating_sub(1));
            if event.seq != *last + 1 {
                tally.fail(format_args!("{hint}: seq {} of {} comes after {last}", event.seq, event.goal));
            }
            *last = event.seq;
        }
        if before != self.events.len() as u64 + compacted {
            let missing = before.saturating_sub(self.events.len() as u64);
            tally.fail(format_args!(
                "{hint}: {missing} positions are missing, of {compacted} compacted events"
            ));
        }
        for (goal, head) in &self.heads {
            let last = seqs.get(goal.as_str()).copied().unwrap_or(head.tail.saturating_sub(1));
            if last != head.seq {
                tally.fail(format_args!("{hint}: {goal} ends at seq {last}, its head says {}", head.seq));
            }
        }
        if let Some(goal) = seqs.keys().find(|goal| !self.heads.contains_key(**goal)) {
            tally.fail(format_args!("{hint}: {goal} has events and no head"));
        }
    }
}

impl InboxFacts {
    /// Reads the inbox at `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let connection = open(path)?;
        let id = rows(&connection, "SELECT id FROM identity", |row| row.get(0))?.into_iter().next();
        let commands = rows(&connection, "SELECT pos, id FROM inbox ORDER BY pos", |row| {
            Ok((unsigned(row, 0)?, row.get(1)?))
        })?;
        Ok(Self { id, commands })
    }
}

/// I1: counts the answered commands that are neither in the inbox nor executed.
pub fn commands_kept<'a>(
    answered: impl IntoIterator<Item = &'a str>,
    inbox: &InboxFacts,
    log: &LogFacts,
    tally: &mut Tally,
    hint: impl Display,
) {
    let waiting: std::collections::BTreeSet<_> = inbox.commands.iter().map(|(_, id)| id.as_str()).collect();
    for id in answered {
        if !waiting.contains(id) && !log.results.contains_key(id) {
            tally.lost += 1;
            tally.fail(format_args!("{hint}: the answered command {id} is neither kept nor executed"));
        }
    }
}

/// I10: what SQLite itself says about the file, and how large its WAL is.
pub fn sound(path: &Path, tally: &mut Tally, hint: impl Display) {
    let wal = wal_bytes(path);
    if wal > WAL_BYTES_MAX {
        tally.fail(format_args!("{hint}: the WAL of {} has {wal} bytes", path.display()));
    }
    let check = || -> anyhow::Result<String> {
        let connection = open(path)?;
        Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)
    };
    match check() {
        Ok(verdict) if verdict == "ok" => {}
        Ok(verdict) => tally.fail(format_args!("{hint}: {}: {verdict}", path.display())),
        Err(error) => tally.fail(format_args!("{hint}: {} cannot be checked: {error:#}", path.display())),
    }
}

/// Size of the WAL beside `path`, 0 without one, in bytes.
pub fn wal_bytes(path: &Path) -> u64 {
    let mut wal = path.to_owned().into_os_string();
    wal.push("-wal");
    std::fs::metadata(PathBuf::from(wal)).map_or(0, |meta| meta.len())
}

/// Opens for writing, since a log that was cut off must first be recovered.
fn open(path: &Path) -> anyhow::Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(connection)
    };
    open().with_context(|| format!("cannot open {}", path.display()))
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], read)?;
    rows.collect::<Result<_, _>>().with_context(|| format!("cannot read what `{sql}` asks for"))
}

/// A column that was written from an unsigned number.
fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)? as u64)
}
