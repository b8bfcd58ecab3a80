//! The table of sessions.

use pb_model::session::{Session, SessionStatus};
use rusqlite::{Connection, Transaction, params};

use super::history::has_table;
use super::query::states;
use super::unsigned;
use crate::contract::Error;
use crate::sessions::{SessionCost, SessionFilter};

const WHAT: &str = "session";

/// Writes a row whole.
pub(crate) fn put(transaction: &Transaction<'_>, session: &Session) -> Result<(), Error> {
    let state = serde_json::to_string(session).map_err(|source| Error::Corrupt { what: WHAT, source })?;
    transaction
        .prepare_cached(
            "INSERT INTO session (id, status, updated_at, state) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET
               status = excluded.status, updated_at = excluded.updated_at, state = excluded.state",
        )?
        .execute(params![
            session.id.to_string(),
            session.status.as_str(),
            session.updated_at_ms as i64,
            state
        ])?;
    Ok(())
}

/// A page of sessions, the one that changed last first, and how many there are in all.
pub(crate) fn page(connection: &Connection, filter: SessionFilter) -> Result<(Vec<Session>, u64), Error> {
    if !has_table(connection, WHAT)? {
        return Ok((Vec::new(), 0));
    }
    let total: i64 = connection
        .prepare_cached("SELECT count(*) FROM session WHERE (?1 OR status <> 'ended')")?
        .query_row([filter.ended], |row| row.get(0))?;
    let (at, id) = filter.after.map(|place| (place.updated_at_ms as i64, place.id.to_string())).unzip();
    let page = states(
        connection,
        WHAT,
        "SELECT state FROM session WHERE (?1 OR status <> 'ended')
         AND (?4 IS NULL OR (-updated_at, id) > (-?4, ?5)) ORDER BY updated_at DESC, id LIMIT ?2 OFFSET ?3",
        params![filter.ended, filter.limit as i64, filter.offset as i64, at, id],
    )?;
    Ok((page, unsigned(total)))
}

/// Every session that has not ended, the one that was quiet longest first.
pub(crate) fn live(connection: &Connection) -> Result<Vec<Session>, Error> {
    let ended = SessionStatus::Ended.as_str();
    states(connection, WHAT, "SELECT state FROM session WHERE status <> ?1 ORDER BY updated_at, id", [ended])
}

/// A session.
pub(crate) fn one(connection: &Connection, id: &str) -> Result<Option<Session>, Error> {
    if !has_table(connection, WHAT)? {
        return Ok(None);
    }
    Ok(states(connection, WHAT, "SELECT state FROM session WHERE id = ?1", [id])?.pop())
}

/// What each session has spent on models; those that spent nothing are left out.
pub(crate) fn costs(connection: &Connection) -> Result<Vec<SessionCost>, Error> {
    if !has_table(connection, WHAT)? {
        return Ok(Vec::new());
    }
    let sessions: Vec<Session> = states(
        connection,
        WHAT,
        "SELECT state FROM session WHERE json_array_length(state, '$.spending.lines') > 0 ORDER BY id",
        [],
    )?;
    Ok(sessions
        .into_iter()
        .map(|session| SessionCost { session: session.id, lines: session.spending.lines })
        .collect())
}
