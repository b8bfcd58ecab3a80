//! The table of schedules, and the history of each.

use pb_model::schedule::{Schedule, ScheduleStatus};
use rusqlite::{Connection, Transaction, params};

use super::history::has_table;
use super::query::states;
use super::unsigned;
use crate::contract::Error;
use crate::schedules::ScheduleFilter;

const WHAT: &str = "schedule";
const CHOSEN: &str = "FROM schedule WHERE (?1 OR status <> 'removed')";

/// Writes a row whole.
pub(crate) fn put(transaction: &Transaction<'_>, schedule: &Schedule) -> Result<(), Error> {
    let state = serde_json::to_string(schedule).map_err(|source| Error::Corrupt { what: WHAT, source })?;
    transaction
        .prepare_cached(
            "INSERT INTO schedule (id, status, created_at, state) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET status = excluded.status, state = excluded.state",
        )?
        .execute(params![
            schedule.id.to_string(),
            schedule.status.as_str(),
            schedule.created_at_ms as i64,
            state
        ])?;
    Ok(())
}

/// A page of schedules, oldest first, and how many there are in all.
pub(crate) fn page(connection: &Connection, filter: ScheduleFilter) -> Result<(Vec<Schedule>, u64), Error> {
    if !has_table(connection, WHAT)? {
        return Ok((Vec::new(), 0));
    }
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) {CHOSEN}"))?
        .query_row([filter.removed], |row| row.get(0))?;
    let after = filter.after.map(|schedule| schedule.to_string());
    let page = states(
        connection,
        WHAT,
        &format!(
            "SELECT state {CHOSEN}
             AND (?4 IS NULL OR (created_at, id) > (SELECT created_at, id FROM schedule WHERE id = ?4))
             ORDER BY created_at, id LIMIT ?2 OFFSET ?3"
        ),
        params![filter.removed, filter.limit as i64, filter.offset as i64, after],
    )?;
    Ok((page, unsigned(total)))
}

/// Every schedule that is not removed, oldest first.
pub(crate) fn live(connection: &Connection) -> Result<Vec<Schedule>, Error> {
    let removed = ScheduleStatus::Removed.as_str();
    states(
        connection,
        WHAT,
        "SELECT state FROM schedule WHERE status <> ?1 ORDER BY created_at, id",
        [removed],
    )
}

/// A schedule.
pub(crate) fn one(connection: &Connection, id: &str) -> Result<Option<Schedule>, Error> {
    if !has_table(connection, WHAT)? {
        return Ok(None);
    }
    Ok(states(connection, WHAT, "SELECT state FROM schedule WHERE id = ?1", [id])?.pop())
}

/// Ids that contain `fragment`, at most `limit`.
pub(crate) fn ids_like(connection: &Connection, fragment: &str, limit: usize) -> Result<Vec<String>, Error> {
    if !has_table(connection, WHAT)? {
        return Ok(Vec::new());
    }
    let mut statement =
        connection.prepare_cached("SELECT id FROM schedule WHERE instr(id, ?1) > 0 ORDER BY id LIMIT ?2")?;
    let rows = statement.query_map(params![fragment, limit as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
