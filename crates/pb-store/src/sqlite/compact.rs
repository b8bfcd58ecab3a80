//! Compacting an ended goal, in bounded parts: first what its steps came to, then its events, oldest first,
//! behind a snapshot that was appended before any of them went. So the log's last position never goes back,
//! and `seq` stays without gaps from `head.tail` on, whenever a crash comes.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{append, unsigned};
use crate::contract::{Candidate, Compact, Compacted, Error, EventRecord, Retention};

/// Most events, or bodies of steps, dropped in one transaction.
const PART_ROWS_MAX: u32 = 256;
/// From here on a part is large enough, in bytes; one body more may be in it.
const PART_BYTES: u64 = 4 * 1024 * 1024;
/// Most pages given back to the disk after a part: twice what a part of full size frees.
const PAGES_GIVEN_BACK: u32 = 2048;

/// Drops a part of `compact.goal`, which must have ended.
pub(crate) fn compact(
    transaction: &Transaction<'_>,
    compact: &Compact,
    events: &mut Vec<EventRecord>,
) -> Result<Compacted, Error> {
    let goal = compact.goal.to_string();
    refuse_unless_ended(transaction, &goal)?;
    let mut part = Compacted { goal: compact.goal, events: 0, bytes: 0, done: false };
    let last: Option<(i64, String)> = transaction
        .prepare_cached("SELECT seq, kind FROM event WHERE goal = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([&goal], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let begun = last.as_ref().is_some_and(|(_, kind)| *kind == compact.snapshot.kind);
    // A goal that failed may be tried again, and end anew: then the snapshot is of before.
    if !begun && last.is_some_and(|(seq, _)| unsigned(seq) != compact.seq) {
        return Err(Error::NotEnded { goal });
    }
    if drop_bodies(transaction, &goal, &mut part.bytes)? > 0 {
        return Ok(part);
    }
    if !begun {
        append::append(transaction, &goal, std::slice::from_ref(&compact.snapshot), events)?;
    }
    let (tail, snapshot): (i64, i64) = transaction
        .prepare_cached("SELECT tail, seq FROM head WHERE goal = ?1")?
        .query_row([&goal], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let next = drop_events(transaction, &goal, (tail, snapshot), &mut part)?;
    part.done = next == snapshot;
    Ok(part)
}

fn refuse_unless_ended(transaction: &Transaction<'_>, goal: &str) -> Result<(), Error> {
    let ended: Option<bool> = transaction
        .prepare_cached("SELECT status IN ('completed', 'cancelled', 'failed') FROM goal WHERE id = ?1")?
        .query_row([goal], |row| row.get(0))
        .optional()?;
    if ended == Some(true) { Ok(()) } else { Err(Error::NotEnded { goal: goal.to_owned() }) }
}

/// Empties bodies of steps; how many there were.
fn drop_bodies(transaction: &Transaction<'_>, goal: &str, bytes: &mut u64) -> Result<u32, Error> {
    let mut statement = transaction.prepare_cached(
        "SELECT s.rowid, octet_length(s.result) FROM run r JOIN step s ON s.run = r.id
         WHERE r.goal = ?1 AND s.result IS NOT NULL LIMIT ?2",
    )?;
    let mut rows = statement.query(params![goal, PART_ROWS_MAX])?;
    let (mut steps, mut freed) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        steps.push(row.get::<_, i64>(0)?);
        freed += unsigned(row.get(1)?);
        if freed >= PART_BYTES {
            break;
        }
    }
    let mut empty = transaction.prepare_cached("UPDATE step SET result = NULL WHERE rowid = ?1")?;
    for step in &steps {
        empty.execute([step])?;
    }
    lighten(transaction, goal, freed)?;
    *bytes += freed;
    Ok(u32::try_from(steps.len()).unwrap_or(u32::MAX))
}

/// Drops events from `tail` on, before `snapshot`; where the tail is then.
fn drop_events(
    transaction: &Transaction<'_>,
    goal: &str,
    (tail, snapshot): (i64, i64),
    part: &mut Compacted,
) -> Result<i64, Error> {
    let mut statement = transaction.prepare_cached(
        "SELECT seq, octet_length(body) + octet_length(data) FROM event
         WHERE goal = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq LIMIT ?4",
    )?;
    let mut rows = statement.query(params![goal, tail, snapshot, PART_ROWS_MAX])?;
    let (mut next, mut freed) = (tail, 0);
    while let Some(row) = rows.next()? {
        next = row.get::<_, i64>(0)? + 1;
        freed += unsigned(row.get(1)?);
        if freed >= PART_BYTES {
            break;
        }
    }
    transaction
        .prepare_cached("DELETE FROM event WHERE goal = ?1 AND seq >= ?2 AND seq < ?3")?
        .execute(params![goal, tail, next])?;
    transaction.prepare_cached("UPDATE head SET tail = ?2 WHERE goal = ?1")?.execute(params![goal, next])?;
    lighten(transaction, goal, freed)?;
    part.events += unsigned(next - tail);
    part.bytes += freed;
    Ok(next)
}

fn lighten(transaction: &Transaction<'_>, goal: &str, bytes: u64) -> Result<(), Error> {
    transaction
        .prepare_cached("UPDATE head SET bytes = max(0, bytes - ?2) WHERE goal = ?1")?
        .execute(params![goal, bytes as i64])?;
    Ok(())
}

/// Gives pages that became free back to the disk: those at the file's end, and as many as are moved
/// forward for it. Files of versions before this one keep theirs, and use them again.
pub(crate) fn give_back(connection: &Connection) -> Result<(), Error> {
    let mut statement =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES_GIVEN_BACK})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// The goals to compact, those that were begun first, then those that ended first. Looks at every goal that has
/// ended and is not compacted: half a second for 100,000 of them.
pub(crate) fn candidates(
    connection: &Connection,
    retention: Retention,
    limit: usize,
) -> Result<Vec<Candidate>, Error> {
    let total: i64 = connection
        .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM head")?
        .query_row([], |row| row.get(0))?;
    let mut above = unsigned(total).saturating_sub(retention.bytes_max);
    // The last event of an ended goal is its end, or the snapshot of a compaction that was not finished.
    let mut statement = connection.prepare_cached(
        "SELECT h.goal, h.seq - h.tail + 1, h.bytes, e.at, e.kind = 'goal.compacted' AS begun, h.seq
         FROM goal g JOIN head h ON h.goal = g.id JOIN event e ON e.goal = h.goal AND e.seq = h.seq
         WHERE g.status IN ('completed', 'cancelled', 'failed') AND h.tail < h.seq ORDER BY begun DESC, e.at",
    )?;
    let mut rows = statement.query([])?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = unsigned(row.get(2)?);
        let at_ms = unsigned(row.get(3)?);
        let begun: bool = row.get(4)?;
        if candidates.len() == limit || !(begun || at_ms < retention.ended_before_ms || above > 0) {
            break;
        }
        above = above.saturating_sub(bytes);
        let goal: String = row.get(0)?;
        let goal = goal.parse().map_err(|_| Error::BadId { id: goal })?;
        let (events, seq) = (unsigned(row.get(1)?), unsigned(row.get(5)?));
        candidates.push(Candidate { goal, events, seq, bytes });
    }
    Ok(candidates)
}
