//! The table of runs, across goals.

use pb_model::goal::RunStatus;
use rusqlite::{Connection, params};

use super::unsigned;
use crate::contract::Error;
use crate::runs::{RunFilter, RunPlace, WorkCounts};

/// The latest runs, the latest first, and how many there are of this item and in this status.
pub(crate) fn latest(connection: &Connection, filter: RunFilter) -> Result<(Vec<RunPlace>, u64), Error> {
    const CHOSEN: &str = "FROM run WHERE (?1 IS NULL OR item = ?1) AND (?2 IS NULL OR status = ?2)";
    let item = filter.item.map(|item| item.to_string());
    let status = filter.status.map(RunStatus::as_str);
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) {CHOSEN}"))?
        .query_row(params![item, status], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, goal, item, rowid {CHOSEN} AND (?5 IS NULL OR rowid < ?5) ORDER BY rowid DESC LIMIT ?3 OFFSET ?4"
    ))?;
    let before = filter.before.map(|place| i64::try_from(place).unwrap_or(i64::MAX));
    let page = params![item, status, filter.limit as i64, filter.offset as i64, before];
    let rows = statement.query_map(page, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
    })?;
    let rows: Vec<(_, _, _, i64)> = rows.collect::<Result<_, _>>()?;
    // Ids are written by us, and read back.
    let read = |(id, goal, item, place): &(String, String, String, i64)| {
        let (id, goal, item) = (id.parse().ok()?, goal.parse().ok()?, item.parse().ok());
        Some(RunPlace { id, goal, item, place: unsigned(*place) })
    };
    Ok((rows.iter().filter_map(read).collect(), unsigned(total)))
}

/// Counts what was done; of the runs, the latest `looked_at`.
pub(crate) fn counts(connection: &Connection, looked_at: usize) -> Result<WorkCounts, Error> {
    let mut items = connection.prepare_cached("SELECT status, count(*) FROM item GROUP BY status")?;
    let items = items.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
    let items = items.collect::<Result<_, _>>()?;
    let runs: i64 = connection.prepare_cached("SELECT count(*) FROM run")?.query_row([], |row| row.get(0))?;
    let mut ended = connection.prepare_cached(
        "SELECT count(*), coalesce(sum(status = 'success'), 0), coalesce(sum(max(0, ended - created_at)), 0)
         FROM (SELECT status, created_at, json_extract(state, '$.completed_at_ms') AS ended
               FROM run ORDER BY rowid DESC LIMIT ?1)
         WHERE ended IS NOT NULL",
    )?;
    let (ended, succeeded, took_ms) = ended.query_row([looked_at as i64], |row| {
        Ok((unsigned(row.get(0)?), unsigned(row.get(1)?), unsigned(row.get(2)?)))
    })?;
    Ok(WorkCounts { items, runs: unsigned(runs), ended, succeeded, took_ms })
}
