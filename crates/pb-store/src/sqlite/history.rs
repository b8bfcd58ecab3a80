//! Histories beside those of goals: of schedules and of sessions. One of their own events stands for those before it.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::contract::Error;

/// Drops the events before the last one, which stands for them.
pub(crate) fn forget(transaction: &Transaction<'_>, id: &str) -> Result<(), Error> {
    let last: Option<i64> = transaction
        .prepare_cached("SELECT seq FROM head WHERE goal = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(last) = last else { return Ok(()) };
    transaction
        .prepare_cached("DELETE FROM event WHERE goal = ?1 AND seq < ?2")?
        .execute(params![id, last])?;
    transaction
        .prepare_cached(
            "UPDATE head SET tail = ?2, bytes =
               (SELECT coalesce(sum(octet_length(body) + octet_length(data)), 0) FROM event WHERE goal = ?1)
             WHERE goal = ?1",
        )?
        .execute(params![id, last])?;
    Ok(())
}

/// Whether the log has this table. One of the version before has not, until a scheduler of this one has opened it.
pub(crate) fn has_table(connection: &Connection, name: &str) -> Result<bool, Error> {
    let found = connection
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?
        .exists([name])?;
    Ok(found)
}
