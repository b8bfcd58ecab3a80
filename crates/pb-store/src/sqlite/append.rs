//! One transaction for the whole batch: events, rows, journal, results and positions.

use std::path::Path;

use pb_runtime::faultpoints::{Bug, place, planted};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{compact, history, rows, unsigned};
use crate::contract::{
    Batch, Committed, Error, EventRecord, Head, NewEvent, StepIntent, StepResult, StoredResult, Write,
};

/// WAL size above which the writer tries to empty it, in bytes.
const WAL_TRUNCATE_BYTES: u64 = 16 * 1024 * 1024;

/// WAL size above which the writer copies pages back without waiting for readers, in bytes.
const WAL_PASSIVE_BYTES: u64 = 4 * 1024 * 1024;
/// Every so many commits, that is. Copying pages back leaves the file as large as it was, so its size
/// alone would have it done after each: four syncs a commit instead of one.
const WAL_PASSIVE_COMMITS: u64 = 64;

/// Writes `batch`, whole or not at all.
pub(crate) fn commit(connection: &mut Connection, batch: &Batch) -> Result<Committed, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let committed = write(&transaction, batch)?;
    transaction.commit()?;
    if planted(Bug::InboxReadOutside) {
        place("inbox-read");
        for write in &batch.writes {
            if let Write::InboxRead { inbox_id, pos } = write {
                inbox_read(connection, inbox_id, *pos)?;
            }
        }
    }
    Ok(committed)
}

/// Writes `batch` into a transaction, which the caller commits.
pub(crate) fn write(transaction: &Transaction<'_>, batch: &Batch) -> Result<Committed, Error> {
    let mut committed = Committed::default();
    for write in &batch.writes {
        match write {
            Write::Events { goal, events } => {
                let (events, bytes) = append(transaction, &goal.to_string(), events, &mut committed.events)?;
                committed.heads.push(Head { goal: *goal, events, bytes });
            }
            Write::Row(row) => rows::put(transaction, row)?,
            Write::StepIntent(intent) => step_intent(transaction, intent)?,
            Write::StepResult(result) => step_result(transaction, result)?,
            Write::CommandResult(result) => command_result(transaction, result)?,
            Write::InboxRead { .. } if planted(Bug::InboxReadOutside) => {}
            Write::InboxRead { inbox_id, pos } => inbox_read(transaction, inbox_id, *pos)?,
            Write::ForgetResults { before_ms } => {
                transaction
                    .prepare_cached("DELETE FROM command WHERE at < ?1")?
                    .execute([*before_ms as i64])?;
            }
            Write::ScheduleEvents { schedule, events } => {
                append(transaction, &schedule.to_string(), events, &mut committed.events)?;
            }
            Write::ForgetSchedule { schedule } => history::forget(transaction, &schedule.to_string())?,
            Write::SessionEvents { session, events } => {
                append(transaction, &session.to_string(), events, &mut committed.events)?;
            }
            Write::ForgetSession { session } => history::forget(transaction, &session.to_string())?,
            Write::Compact(goal) => {
                let part = compact::compact(transaction, goal, &mut committed.events)?;
                committed.compacted.push(part);
            }
        }
    }
    Ok(committed)
}

fn inbox_read(connection: &Connection, inbox_id: &str, pos: u64) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO inbox_read (inbox_id, pos) VALUES (?1, ?2)
             ON CONFLICT (inbox_id) DO UPDATE SET pos = max(pos, excluded.pos)",
        )?
        .execute(params![inbox_id, pos as i64])?;
    Ok(())
}

/// Appends to a goal's history. `seq` comes from the goal's head row inside this transaction, so a
/// reader that sees `seq` n has seen all before it (D2). Gives how many events the goal has, and their bytes.
pub(super) fn append(
    transaction: &Transaction<'_>,
    goal: &str,
    events: &[NewEvent],
    committed: &mut Vec<EventRecord>,
) -> Result<(u64, u64), Error> {
    let count = events.len() as i64;
    let bytes: usize = events.iter().map(|event| event.body.len() + event.data.len()).sum();
    let (last_seq, tail, held): (i64, i64, i64) = transaction
        .prepare_cached(
            "INSERT INTO head (goal, seq, tail, bytes) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (goal) DO UPDATE SET seq = seq + ?2, bytes = bytes + ?3
             RETURNING seq, tail, bytes",
        )?
        .query_row(params![goal, count, bytes as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let last_pos: i64 = match committed.last() {
        Some(event) => event.pos as i64, // Of this very transaction.
        None => transaction
            .prepare_cached("SELECT coalesce(max(pos), 0) FROM event")?
            .query_row([], |row| row.get(0))?,
    };
    let mut insert = transaction.prepare_cached(
        "INSERT INTO event (pos, goal, seq, id, at, kind, body, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (index, event) in events.iter().enumerate() {
        let pos = last_pos + 1 + index as i64;
        let seq = last_seq - count + 1 + index as i64;
        let at = event.at_ms as i64;
        insert.execute(params![pos, goal, seq, event.id, at, event.kind, event.body, event.data])?;
        committed.push(EventRecord {
            pos: unsigned(pos),
            seq: unsigned(seq),
            goal: goal.to_owned(),
            id: event.id.clone(),
            at_ms: event.at_ms,
            kind: event.kind.clone(),
            body: event.body.clone(),
            data: event.data.clone(),
        });
    }
    Ok((unsigned(last_seq - tail + 1), unsigned(held)))
}

fn step_intent(transaction: &Transaction<'_>, intent: &StepIntent) -> Result<(), Error> {
    let written = transaction
        .prepare_cached(
            "INSERT INTO step (run, n, epoch, kind, effect_key, request_hash, label, intent_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM run WHERE id = ?1 AND epoch = ?3",
        )?
        .execute(params![
            intent.run.to_string(),
            intent.n,
            intent.epoch as i64,
            intent.kind.as_str(),
            intent.effect_key,
            intent.request_hash,
            intent.label,
            intent.at_ms as i64
        ])?;
    fenced_unless(written, &intent.run.to_string())
}

fn step_result(transaction: &Transaction<'_>, result: &StepResult) -> Result<(), Error> {
    let written = transaction
        .prepare_cached(
            "UPDATE step SET result = ?4, outcome = ?5, result_at = ?6
             WHERE run = ?1 AND n = ?2 AND epoch = ?3 AND result_at IS NULL
               AND EXISTS (SELECT 1 FROM run WHERE id = ?1 AND epoch = ?3)",
        )?
        .execute(params![
            result.run.to_string(),
            result.n,
            result.epoch as i64,
            result.result,
            result.outcome.as_str(),
            result.at_ms as i64
        ])?;
    fenced_unless(written, &result.run.to_string())?;
    transaction
        .prepare_cached(
            "UPDATE head SET bytes = bytes + ?2 WHERE goal = (SELECT goal FROM run WHERE id = ?1)",
        )?
        .execute(params![result.run.to_string(), result.result.len() as i64])?;
    Ok(())
}

/// Zero rows means that another incarnation holds the run.
pub(crate) fn fenced_unless(rows: usize, run: &str) -> Result<(), Error> {
    let is_held = rows > 0 || planted(Bug::EpochUnchecked);
    if is_held { Ok(()) } else { Err(Error::Fenced { run: run.to_owned() }) }
}

fn command_result(transaction: &Transaction<'_>, result: &StoredResult) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO command (id, params_digest, result, at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![result.id, result.params_digest, result.result, result.at_ms as i64])?;
    Ok(())
}

/// Between two batches, `commits` after the first: moves the WAL's pages into the file, so that it stays
/// small. A reader in the way or a full disk is no error; a later batch tries again.
pub(crate) fn checkpoint(connection: &Connection, path: &Path, commits: u64) -> Result<(), Error> {
    let mut wal = path.to_owned().into_os_string();
    wal.push("-wal");
    // A stat, not an open: closing a descriptor of the live file would drop SQLite's locks.
    let bytes = std::fs::metadata(&wal).map_or(0, |meta| meta.len());
    if bytes >= WAL_TRUNCATE_BYTES {
        try_checkpoint(connection, "TRUNCATE")
    } else if bytes >= WAL_PASSIVE_BYTES && commits.is_multiple_of(WAL_PASSIVE_COMMITS) {
        shrink(connection)
    } else {
        Ok(())
    }
}

/// Moves all of the WAL into the file, for a writer that stops: whoever opens the file next finds nothing
/// to recover, which takes milliseconds a MiB.
pub(crate) fn checkpoint_whole(connection: &Connection) -> Result<(), Error> {
    try_checkpoint(connection, "TRUNCATE")
}

/// Moves the WAL's pages into the file without waiting for readers, which also cuts the file to its size.
pub(crate) fn shrink(connection: &Connection) -> Result<(), Error> {
    try_checkpoint(connection, "PASSIVE")
}

fn try_checkpoint(connection: &Connection, mode: &str) -> Result<(), Error> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let tried = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    match tried {
        Ok(()) => Ok(()),
        // The batch is durable in the WAL: neither a reader in the way nor a full disk makes it fail.
        Err(error) => match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DiskFull) => Ok(()),
            _ => Err(error.into()),
        },
    }
}
