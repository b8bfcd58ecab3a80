//! The history of one goal, by the numbers of its events.

use rusqlite::{Connection, OptionalExtension, params};

use super::query::record;
use super::unsigned;
use crate::contract::{Error, EventRecord};
use crate::goal_events::{GoalEventFilter, GoalHistory};

/// Most event bytes in one page; the first event is always in it.
const PAGE_BYTES_MAX: usize = 1024 * 1024;

const CHOSEN: &str =
    "FROM event WHERE goal = ?1 AND seq > ?2 AND (?3 IS NULL OR at >= ?3) AND (?4 IS NULL OR at <= ?4)";

/// How much of a goal's history there is; `None` of a goal without any.
pub(crate) fn history(connection: &Connection, goal: &str) -> Result<Option<GoalHistory>, Error> {
    let mut statement = connection.prepare_cached("SELECT seq, tail FROM head WHERE goal = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(GoalHistory { last_seq: unsigned(row.get(0)?), first_seq: unsigned(row.get(1)?) })
    };
    Ok(statement.query_row([goal], read).optional()?)
}

/// A page of them, in their order, whole.
pub(crate) fn page(
    connection: &Connection,
    filter: &GoalEventFilter,
    limit: usize,
) -> Result<Vec<EventRecord>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT pos, seq, goal, id, at, kind, body, data {CHOSEN} ORDER BY seq LIMIT ?5"
    ))?;
    let (goal, after, from, to) = bound(filter);
    let mut rows = statement.query(params![goal, after, from, to, limit as i64])?;
    let (mut page, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = record(row)?;
        bytes += event.body.len() + event.data.len();
        if bytes > PAGE_BYTES_MAX && !page.is_empty() {
            break;
        }
        page.push(event);
    }
    Ok(page)
}

/// How many there are.
pub(crate) fn count(connection: &Connection, filter: &GoalEventFilter) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) {CHOSEN}"))?;
    let (goal, after, from, to) = bound(filter);
    Ok(statement.query_row(params![goal, after, from, to], |row| row.get(0)).map(unsigned)?)
}

/// Beyond SQLite's integers there is no event.
fn bound(filter: &GoalEventFilter) -> (String, i64, Option<i64>, Option<i64>) {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    (
        filter.goal.to_string(),
        signed(filter.after_seq),
        filter.since_ms.map(signed),
        filter.until_ms.map(signed),
    )
}
