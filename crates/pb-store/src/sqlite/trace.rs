//! The trace: debug events by position, the oldest ones removed.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::unsigned;
use crate::contract::Error;
use crate::trace::{Retention, TraceEvent, TraceFilter, TraceIdentity, TracePage, TraceRow};

pub(super) const COLUMNS: &str = "pos, id, at, type, source, goal, item, run, step, span, parent, data";

/// How far positions go on in another boot: more than the events that a loss of power may have taken
/// along, which are those of one WAL.
const BOOT_POSITIONS: i64 = 1_000_000;
/// What a connection keeps of the file in memory, in KiB. It is written at its end, and read once.
const CACHE_KIB: i64 = 256;
/// Most events looked at for one page.
const PAGE_EVENTS_MAX: usize = 4096;
/// Most bytes of data in one page; the first event is always in it.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Most positions that are removed in one transaction.
const TIDY_POSITIONS: i64 = 1024;

/// Settings of every connection.
pub(crate) fn prepare(connection: &Connection) -> Result<(), Error> {
    // A negative number is one of KiB, a positive one of pages.
    Ok(connection.pragma_update(None, "cache_size", -CACHE_KIB)?)
}

/// Names a new trace, and makes sure that no position is given twice.
pub(crate) fn begin(connection: &mut Connection, fresh_id: &str, boot: &str) -> Result<TraceIdentity, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if identity(&transaction)?.is_none() {
        transaction.execute("INSERT INTO trace (id, boot, last) VALUES (?1, ?2, 0)", [fresh_id, boot])?;
    }
    transaction.execute(
        "UPDATE trace SET boot = ?1, last = last + ?2 WHERE boot <> ?1",
        params![boot, BOOT_POSITIONS],
    )?;
    let identity = identity(&transaction)?.unwrap_or_else(|| TraceIdentity { id: fresh_id.to_owned() });
    transaction.commit()?;
    Ok(identity)
}

/// Which trace this is; `None` in a file that is being made.
pub(crate) fn identity(connection: &Connection) -> Result<Option<TraceIdentity>, Error> {
    let read = |row: &Row<'_>| Ok(TraceIdentity { id: row.get(0)? });
    Ok(connection.query_row("SELECT id FROM trace", [], read).optional()?)
}

/// The last position that was given.
pub(crate) fn last_pos(connection: &Connection) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached("SELECT last FROM trace")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.map_or(0, unsigned))
}

/// The position of the oldest event.
pub(crate) fn first_pos(connection: &Connection) -> Result<Option<u64>, Error> {
    let mut statement = connection.prepare_cached("SELECT min(pos) FROM event")?;
    Ok(statement.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(unsigned))
}

/// Appends events; gives the position of the first one.
pub(crate) fn append(connection: &mut Connection, events: &[TraceEvent]) -> Result<u64, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last: i64 = transaction
        .prepare_cached("UPDATE trace SET last = last + ?1, events = events + ?1 RETURNING last")?
        .query_row([events.len() as i64], |row| row.get(0))?;
    let first = last - events.len() as i64 + 1;
    {
        let mut insert = transaction.prepare_cached(&format!(
            "INSERT INTO event ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        ))?;
        for (pos, event) in (first..).zip(events) {
            insert.execute(params![
                pos,
                event.id,
                event.at_ms as i64,
                event.kind,
                event.source,
                event.goal,
                event.item,
                event.run,
                event.step,
                event.span,
                event.parent,
                event.data
            ])?;
        }
    }
    transaction.commit()?;
    Ok(unsigned(first))
}

/// Removes the oldest events that are not to be kept; gives how many.
pub(crate) fn tidy(connection: &mut Connection, retention: Retention) -> Result<u64, Error> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let oldest: Option<(i64, i64)> = connection
        .prepare_cached("SELECT pos, at FROM event ORDER BY pos LIMIT 1")?
        .query_row([], read)
        .optional()?;
    let is_too_large = bytes_in_use(connection)? > retention.bytes_max;
    let since = i64::try_from(retention.since_ms).unwrap_or(i64::MAX);
    let Some((first, _)) = oldest.filter(|(_, at)| is_too_large || *at < since) else {
        return Ok(0);
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let removed = {
        let which = "SELECT pos FROM event WHERE pos < ?1 AND (?2 OR at < ?3)";
        let which_params = params![first.saturating_add(TIDY_POSITIONS), is_too_large, since];
        transaction
            .prepare_cached(&format!("DELETE FROM word WHERE rowid IN ({which})"))?
            .execute(which_params)?;
        transaction
            .prepare_cached(&format!("DELETE FROM event WHERE pos IN ({which})"))?
            .execute(which_params)?
    };
    transaction.prepare_cached("UPDATE trace SET events = events - ?1")?.execute([removed as i64])?;
    transaction.commit()?;
    Ok(removed as u64)
}

fn bytes_in_use(connection: &Connection) -> Result<u64, Error> {
    let of = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    Ok(unsigned((of("page_count")? - of("freelist_count")?) * of("page_size")?))
}

/// A page of events after `pos`, oldest first.
pub(crate) fn after(
    connection: &mut Connection,
    pos: u64,
    filter: &TraceFilter,
    limit: usize,
) -> Result<TracePage, Error> {
    // One view of the file: what is written between two reads would be passed without being seen.
    let transaction = connection.transaction()?;
    let end = last_pos(&transaction)?.max(pos);
    let sql = match filter.goal {
        Some(_) => {
            format!("SELECT {COLUMNS} FROM event WHERE pos > ?1 AND goal = ?3 ORDER BY pos LIMIT ?2")
        }
        None => format!("SELECT {COLUMNS} FROM event WHERE pos > ?1 AND ?3 IS NULL ORDER BY pos LIMIT ?2"),
    };
    page(&transaction, &sql, (pos, filter, limit), end)
}

/// A page of events before `pos`, latest first. Its `passed` is the position before which is what was
/// not looked at, 0 when nothing is.
pub(crate) fn before(
    connection: &Connection,
    pos: u64,
    filter: &TraceFilter,
    limit: usize,
) -> Result<TracePage, Error> {
    let sql = match filter.goal {
        Some(_) => {
            format!("SELECT {COLUMNS} FROM event WHERE pos < ?1 AND goal = ?3 ORDER BY pos DESC LIMIT ?2")
        }
        None => {
            format!("SELECT {COLUMNS} FROM event WHERE pos < ?1 AND ?3 IS NULL ORDER BY pos DESC LIMIT ?2")
        }
    };
    page(connection, &sql, (pos, filter, limit), 0)
}

/// Reads rows until there are enough, or too many were looked at; `end` is what was passed when there
/// are no more.
fn page(
    connection: &Connection,
    sql: &str,
    (pos, filter, limit): (u64, &TraceFilter, usize),
    end: u64,
) -> Result<TracePage, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    // A client may have said any number: beyond SQLite's integers there is no event.
    let pos = i64::try_from(pos).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![pos, PAGE_EVENTS_MAX as i64, filter.goal])?;
    let mut page = TracePage { rows: Vec::new(), passed: end };
    let (mut looked_at, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        if page.rows.len() >= limit {
            return Ok(page);
        }
        looked_at += 1;
        let passed = unsigned(row.get(0)?);
        if filter.shows(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?) {
            let row = read(row)?;
            bytes += row.event.data.len();
            if bytes > PAGE_BYTES_MAX && !page.rows.is_empty() {
                return Ok(page);
            }
            page.rows.push(row);
        }
        page.passed = passed;
    }
    if looked_at < PAGE_EVENTS_MAX {
        page.passed = end;
    }
    Ok(page)
}

/// A row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<TraceRow> {
    Ok(TraceRow {
        pos: unsigned(row.get(0)?),
        event: TraceEvent {
            id: row.get(1)?,
            at_ms: unsigned(row.get(2)?),
            kind: row.get(3)?,
            source: row.get(4)?,
            goal: row.get(5)?,
            item: row.get(6)?,
            run: row.get(7)?,
            step: row.get(8)?,
            span: row.get(9)?,
            parent: row.get(10)?,
            data: row.get(11)?,
        },
    })
}

/// Ids of goals that contain `fragment`. Each goal costs one look into the index, however many events
/// it has.
pub(crate) fn goal_ids_like(
    connection: &Connection,
    fragment: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE one (goal) AS (
           SELECT min(goal) FROM event WHERE goal IS NOT NULL
           UNION ALL
           SELECT (SELECT min(goal) FROM event WHERE goal > one.goal) FROM one WHERE one.goal IS NOT NULL
         ) SELECT goal FROM one WHERE goal IS NOT NULL AND instr(goal, ?1) > 0 LIMIT ?2",
    )?;
    let rows = statement.query_map(params![fragment, limit as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
