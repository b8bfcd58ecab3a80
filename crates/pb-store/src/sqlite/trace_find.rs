//! Looking into a trace: steps that are short, whatever is asked, and the index of words.

use rusqlite::{Connection, TransactionBehavior, params};

use super::trace::{COLUMNS, read};
use super::unsigned;
use crate::contract::Error;
use crate::trace::words::{Sought, indexed};
use crate::trace::{TraceCount, TraceFound, TraceQuery, TraceRow};

/// Most events looked at in one step.
const LOOKED_AT_MAX: i64 = 4096;
/// Most events of one step that have the words that are looked for, before the rest is asked of them.
const CANDIDATES_MAX: i64 = 512;
/// Most bytes of data in one step; the first event is always in it.
const STEP_BYTES_MAX: usize = 1024 * 1024;
/// Most events whose words go into the index in one transaction.
const INDEX_EVENTS: i64 = 512;

/// How many events there are.
pub(crate) fn count(connection: &Connection) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(events), 0) FROM trace")?;
    Ok(statement.query_row([], |row| row.get(0)).map(unsigned)?)
}

/// Puts the words of some events that are not in the index yet into it; gives how many. Call it again until
/// that is none.
pub(crate) fn index(connection: &mut Connection) -> Result<u64, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = 0;
    {
        let mut rows = transaction.prepare_cached(
            "SELECT pos, type, data FROM event WHERE pos > (SELECT indexed FROM trace) ORDER BY pos LIMIT ?1",
        )?;
        let mut insert = transaction.prepare_cached("INSERT INTO word (rowid, words) VALUES (?1, ?2)")?;
        let mut rows = rows.query([INDEX_EVENTS])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
            let pos: i64 = row.get(0)?;
            insert.execute(params![pos, indexed(text(1)?, text(2)?)])?;
            (last, done) = (Some(pos), done + 1);
        }
        if let Some(last) = last {
            transaction.prepare_cached("UPDATE trace SET indexed = ?1")?.execute([last])?;
        }
    }
    transaction.commit()?;
    Ok(done)
}

/// One step back from before `end`: at most `limit` events.
pub(crate) fn find(
    connection: &mut Connection,
    query: &TraceQuery,
    (sought, end, limit): (Option<&Sought>, u64, usize),
) -> Result<TraceFound, Error> {
    // One view of the file: the index and what is beyond it are of the same moment.
    let transaction = connection.transaction()?;
    let end = i64::try_from(end).unwrap_or(i64::MAX);
    let indexed: i64 = transaction
        .prepare_cached("SELECT coalesce(max(indexed), 0) FROM trace")?
        .query_row([], |row| row.get(0))?;
    match sought {
        Some(sought) if end <= indexed.saturating_add(1) => {
            by_words(&transaction, query, (sought, end, limit))
        }
        // Down to where the index begins.
        Some(_) => in_order(&transaction, query, (sought, end, limit), indexed),
        None => in_order(&transaction, query, (None, end, limit), 0),
    }
}

/// The events after `floor`, looked at one by one.
fn in_order(
    connection: &Connection,
    query: &TraceQuery,
    (sought, end, limit): (Option<&Sought>, i64, usize),
    floor: i64,
) -> Result<TraceFound, Error> {
    let goal = if query.goal.is_some() { "goal = ?3" } else { "?3 IS NULL" };
    let (least, looked_at): (Option<i64>, i64) = connection
        .prepare_cached(&format!(
            "SELECT min(pos), count(*) FROM
             (SELECT pos FROM event WHERE pos < ?1 AND pos > ?4 AND {goal} ORDER BY pos DESC LIMIT ?2)"
        ))?
        .query_row(params![end, LOOKED_AT_MAX, query.goal, floor], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(least) = least else { return Ok(TraceFound { rows: Vec::new(), next: rest(floor) }) };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event WHERE pos < ?1 AND pos >= ?2 AND {goal} AND {FILTER} ORDER BY pos DESC"
    ))?;
    let kind = Kind::of(query);
    let mut rows = statement.query(params![
        end,
        least,
        query.goal,
        kind.exact,
        kind.beginning,
        query.source,
        query.item,
        query.run,
        query.since_ms.map(|at| at as i64),
        query.until_ms.map(|at| at.min(i64::MAX as u64) as i64),
    ])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        if sought.is_some_and(|sought| !sought.is_in(&row.event.kind, &row.event.data)) {
            continue;
        }
        if is_full(&found, &row, limit, &mut bytes) {
            return Ok(cut(found));
        }
        found.push(row);
    }
    let next = if looked_at < LOOKED_AT_MAX { rest(floor) } else { Some(unsigned(least)) };
    Ok(TraceFound { rows: found, next })
}

/// The events that the index names.
fn by_words(
    connection: &Connection,
    query: &TraceQuery,
    (sought, end, limit): (&Sought, i64, usize),
) -> Result<TraceFound, Error> {
    let mut candidates = connection.prepare_cached(
        "SELECT rowid FROM word WHERE word MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3",
    )?;
    let candidates = candidates
        .query_map(params![sought.expression(), end, CANDIDATES_MAX], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event WHERE pos = ?1 AND (?3 IS NULL OR goal = ?3) AND {FILTER}"
    ))?;
    let kind = Kind::of(query);
    let (mut found, mut bytes) = (Vec::new(), 0);
    for pos in &candidates {
        let mut rows = statement.query(params![
            pos,
            None::<i64>,
            query.goal,
            kind.exact,
            kind.beginning,
            query.source,
            query.item,
            query.run,
            query.since_ms.map(|at| at as i64),
            query.until_ms.map(|at| at.min(i64::MAX as u64) as i64),
        ])?;
        let Some(row) = rows.next()? else { continue };
        let row = read(row)?;
        if is_full(&found, &row, limit, &mut bytes) {
            return Ok(cut(found));
        }
        found.push(row);
    }
    let is_all = (candidates.len() as i64) < CANDIDATES_MAX;
    let next = candidates.last().filter(|_| !is_all).map(|last| unsigned(*last));
    Ok(TraceFound { rows: found, next })
}

/// What is said of an event beside its goal.
const FILTER: &str = "(?4 IS NULL OR type = ?4) AND (?5 IS NULL OR substr(type, 1, length(?5)) = ?5)
    AND (?6 IS NULL OR source = ?6) AND (?7 IS NULL OR item = ?7) AND (?8 IS NULL OR run = ?8)
    AND (?9 IS NULL OR at >= ?9) AND (?10 IS NULL OR at <= ?10)";

struct Kind<'a> {
    exact: Option<&'a str>,
    beginning: Option<&'a str>,
}

impl<'a> Kind<'a> {
    fn of(query: &'a TraceQuery) -> Self {
        let asked = query.kind.as_deref();
        let beginning = asked.and_then(|kind| kind.strip_suffix('*'));
        Self { exact: asked.filter(|_| beginning.is_none()), beginning }
    }
}

fn is_full(found: &[TraceRow], next: &TraceRow, limit: usize, bytes: &mut usize) -> bool {
    *bytes += next.event.data.len();
    found.len() >= limit || *bytes > STEP_BYTES_MAX && !found.is_empty()
}

/// There is more than was taken.
fn cut(rows: Vec<TraceRow>) -> TraceFound {
    let next = rows.last().map(|row| row.pos);
    TraceFound { rows, next }
}

/// What is left below `floor`.
fn rest(floor: i64) -> Option<u64> {
    (floor > 0).then(|| unsigned(floor.saturating_add(1)))
}

/// Counts by window and name, of the events in one step back from before `end`; and before which position
/// there may be more.
pub(crate) fn counts(
    connection: &Connection,
    (since_ms, until_ms, window_ms): (u64, u64, u64),
    end: u64,
) -> Result<(Vec<TraceCount>, Option<u64>), Error> {
    let end = i64::try_from(end).unwrap_or(i64::MAX);
    let (least, latest, looked_at): (Option<i64>, Option<i64>, i64) = connection
        .prepare_cached(
            "SELECT min(pos), max(at), count(*) FROM
             (SELECT pos, at FROM event WHERE pos < ?1 ORDER BY pos DESC LIMIT ?2)",
        )?
        .query_row([end, LOOKED_AT_MAX], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (Some(least), Some(latest)) = (least, latest) else { return Ok((Vec::new(), None)) };
    let mut statement = connection.prepare_cached(
        "SELECT at / ?5 * ?5, type, count(*),
           sum(CASE WHEN type = 'llm.tokens' THEN json_extract(data, '$.inputTokens') ELSE 0 END),
           sum(CASE WHEN type = 'llm.tokens' THEN json_extract(data, '$.outputTokens') ELSE 0 END),
           sum(type = 'state.transition' AND json_extract(data, '$.entityType') = 'goal'
               AND json_extract(data, '$.to') = 'completed'),
           sum(type = 'state.transition' AND json_extract(data, '$.entityType') = 'goal'
               AND json_extract(data, '$.to') IN ('failed', 'cancelled'))
         FROM event WHERE pos < ?1 AND pos >= ?2 AND at >= ?3 AND at <= ?4 GROUP BY 1, 2",
    )?;
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let sum = |row: &rusqlite::Row<'_>, column| {
        row.get::<_, Option<i64>>(column).map(|sum| unsigned(sum.unwrap_or(0)))
    };
    let rows = statement.query_map(
        params![end, least, signed(since_ms), signed(until_ms), signed(window_ms.max(1))],
        |row| {
            Ok(TraceCount {
                since_ms: unsigned(row.get(0)?),
                kind: row.get(1)?,
                events: unsigned(row.get(2)?),
                input_tokens: sum(row, 3)?,
                output_tokens: sum(row, 4)?,
                goals_completed: sum(row, 5)?,
                goals_failed: sum(row, 6)?,
            })
        },
    )?;
    let counts = rows.collect::<Result<_, _>>()?;
    // Times rise with positions, but for a clock that was put back.
    let is_over = looked_at < LOOKED_AT_MAX || latest < signed(since_ms);
    Ok((counts, (!is_over).then(|| unsigned(least))))
}
