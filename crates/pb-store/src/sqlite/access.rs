//! The table of access tokens.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::unsigned;
use crate::access::AccessToken;
use crate::contract::Error;

const COLUMNS: &str =
    "id, name, hash, permissions, created_at, created_by, expires_at, revoked_at, public_key";

/// Adds a token; the one that there is then.
pub(crate) fn add(connection: &Connection, token: &AccessToken) -> Result<AccessToken, Error> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO access_token ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULL)
             ON CONFLICT (id) DO NOTHING"
        ))?
        .execute(params![
            token.id,
            token.name,
            token.hash,
            token.permissions,
            token.created_at_ms as i64,
            token.created_by,
            token.expires_at_ms.map(|at| at as i64),
        ])?;
    let found = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM access_token WHERE id = ?1"))?
        .query_row([&token.id], read)
        .optional()?;
    Ok(found.unwrap_or_else(|| token.clone()))
}

/// Every token, the latest first.
pub(crate) fn all(connection: &Connection) -> Result<Vec<AccessToken>, Error> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM access_token ORDER BY created_at DESC, id DESC"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends a token that goes on.
pub(crate) fn revoke(connection: &Connection, id: &str, at_ms: u64) -> Result<bool, Error> {
    let changed = connection
        .prepare_cached("UPDATE access_token SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id, at_ms as i64])?;
    Ok(changed > 0)
}

/// Binds a key to a token that goes on and has none. A token that has ended gives the key up.
pub(crate) fn bind(connection: &Connection, id: &str, public_key: &str, now_ms: u64) -> Result<bool, Error> {
    connection
        .prepare_cached(
            "UPDATE access_token SET public_key = NULL
             WHERE public_key = ?1 AND (revoked_at IS NOT NULL OR expires_at <= ?2)",
        )?
        .execute(params![public_key, now_ms as i64])?;
    let changed = connection
        .prepare_cached(
            "UPDATE OR IGNORE access_token SET public_key = ?2
             WHERE id = ?1 AND public_key IS NULL AND revoked_at IS NULL",
        )?
        .execute(params![id, public_key])?;
    Ok(changed > 0)
}

/// Drops what ended before then.
pub(crate) fn forget(connection: &Connection, before_ms: u64) -> Result<usize, Error> {
    let dropped = connection
        .prepare_cached(
            "DELETE FROM access_token WHERE min(coalesce(revoked_at, ?2), coalesce(expires_at, ?2)) < ?1",
        )?
        .execute(params![before_ms as i64, i64::MAX])?;
    Ok(dropped)
}

fn read(row: &Row<'_>) -> rusqlite::Result<AccessToken> {
    let moment = |n: usize| row.get::<_, Option<i64>>(n).map(|at| at.map(unsigned));
    Ok(AccessToken {
        id: row.get(0)?,
        name: row.get(1)?,
        hash: row.get(2)?,
        permissions: row.get(3)?,
        created_at_ms: unsigned(row.get(4)?),
        created_by: row.get(5)?,
        expires_at_ms: moment(6)?,
        revoked_at_ms: moment(7)?,
        public_key: row.get(8)?,
    })
}
