//! Embedded, forward-only migrations: in one transaction, after a backup; a newer schema is
//! refused politely.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::Location;
use crate::contract::Error;

/// How durable a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synchronous {
    /// On the disk when it returns.
    Full,
    /// In the system's memory when it returns: a loss of power may take it.
    Normal,
}

impl Synchronous {
    /// The word of `PRAGMA synchronous`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// One of our kinds of database.
pub(crate) struct Schema {
    /// `PRAGMA application_id`: tells our files from others, and from each other.
    pub(crate) application_id: i32,
    /// The statements that lead from version n to n + 1, by n.
    pub(crate) migrations: &'static [&'static str],
    /// How durable a commit is.
    pub(crate) synchronous: Synchronous,
}

impl Schema {
    /// The version that this build writes: one a migration.
    pub(crate) fn version(&self) -> u32 {
        u32::try_from(self.migrations.len()).unwrap_or(u32::MAX)
    }
}

/// `state.db`.
pub(crate) const STATE: Schema = Schema {
    application_id: 0x5042_5331,
    migrations: &[include_str!("migrations/state_0001.sql"), include_str!("migrations/state_0002.sql")],
    synchronous: Synchronous::Full,
};
/// `gateway.db`.
pub(crate) const INBOX: Schema = Schema {
    application_id: 0x5042_4731,
    migrations: &[include_str!("migrations/inbox_0001.sql"), include_str!("migrations/inbox_0002.sql")],
    synchronous: Synchronous::Full,
};
/// `trace.db`.
pub(crate) const TRACE: Schema = Schema {
    application_id: 0x5042_5431,
    migrations: &[include_str!("migrations/trace_0001.sql")],
    synchronous: Synchronous::Normal,
};

/// Refuses what [`migrate`] may not touch. Writes nothing.
pub(crate) fn admit(connection: &Connection, location: &Location, schema: &Schema) -> Result<(), Error> {
    let path = match location {
        Location::File(path) => path.clone(),
        Location::Memory => PathBuf::from(":memory:"),
    };
    if unless_foreign(version(connection), &path)? == 0 {
        refuse_foreign_tables(connection, &path)
    } else {
        check(connection, &path, schema)
    }
}

/// Brings an admitted database to the newest schema.
pub(crate) fn migrate(
    connection: &mut Connection,
    location: &Location,
    schema: &Schema,
) -> Result<(), Error> {
    let version = version(connection)?;
    if version == schema.version() {
        return Ok(());
    }
    if version > 0 {
        back_up(connection, location, version)?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for statements in schema.migrations.iter().skip(version as usize) {
        transaction.execute_batch(statements)?;
    }
    transaction.pragma_update(None, "application_id", schema.application_id)?;
    transaction.pragma_update(None, "user_version", schema.version())?;
    transaction.commit()?;
    Ok(())
}

/// Whether nothing was written into it yet. What cannot be read is for [`check`] to name.
pub(crate) fn is_new(connection: &Connection) -> bool {
    let tables =
        || connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    matches!(version(connection), Ok(0)) && matches!(tables(), Ok(0))
}

/// Refuses a file that is not ours, or newer than we know.
pub(crate) fn check(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), Error> {
    let application_id = connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0));
    let application_id = unless_foreign(application_id, path)?;
    if application_id != schema.application_id {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    let found = version(connection)?;
    if found > schema.version() {
        return Err(Error::NewerSchema { path: path.to_owned(), found, known: schema.version() });
    }
    Ok(())
}

pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The first thing read from a file: one that is no database is not a broken one of ours.
fn unless_foreign<T>(read: rusqlite::Result<T>, path: &Path) -> Result<T, Error> {
    read.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::Foreign { path: path.to_owned() },
        _ => error.into(),
    })
}

/// A database without our version but with tables is somebody else's.
fn refuse_foreign_tables(connection: &Connection, path: &Path) -> Result<(), Error> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 { Err(Error::Foreign { path: path.to_owned() }) } else { Ok(()) }
}

fn back_up(connection: &Connection, location: &Location, version: u32) -> Result<(), Error> {
    if let Location::File(path) = location {
        let mut backup = path.clone().into_os_string();
        backup.push(format!(".schema-{version}.bak"));
        let backup = PathBuf::from(backup);
        if !backup.exists() {
            connection.execute("VACUUM INTO ?1", [backup.to_string_lossy()])?;
        }
    }
    Ok(())
}
