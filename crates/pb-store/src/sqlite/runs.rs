//! The table of runs, across goals.

use pb_model::goal::RunStatus;
use rusqlite::{Connection, params};

use super::unsigned;
use crate::contract::Error;
use crate::runs::{RunFilter, RunPlace, WorkCounts};

/// The latest runs, the latest first.
pub(crate) fn latest(connection: &Connection, filter: RunFilter) -> Result<Vec<RunPlace>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, goal, item FROM run WHERE (?1 IS NULL OR item = ?1) AND (?2 IS NULL OR status = ?2)
         ORDER BY rowid DESC LIMIT ?3",
    )?;
    let item = filter.item.map(|item| item.to_string());
    let status = filter.status.map(RunStatus::as_str);
    let rows = statement.query_map(params![item, status, filter.limit as i64], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    // Ids are written by us, and read back.
    let read = |(id, goal, item): &(String, String, String)| {
        Some(RunPlace { id: id.parse().ok()?, goal: goal.parse().ok()?, item: item.parse().ok() })
    };
    Ok(rows.iter().filter_map(read).collect())
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
