//! Embedded, forward-only migrations: in one transaction, after a backup; a newer schema is
//! refused politely.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pb_runtime::faultpoints::{MIGRATION, place};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection, ErrorCode, TransactionBehavior};

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
    /// Whether a copy is made before it is changed: not of what may be deleted at any time.
    pub(crate) is_precious: bool,
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
    is_precious: true,
};
/// `gateway.db`.
pub(crate) const INBOX: Schema = Schema {
    application_id: 0x5042_4731,
    migrations: &[include_str!("migrations/inbox_0001.sql"), include_str!("migrations/inbox_0002.sql")],
    synchronous: Synchronous::Full,
    is_precious: true,
};
/// `trace.db`.
pub(crate) const TRACE: Schema = Schema {
    application_id: 0x5042_5431,
    migrations: &[include_str!("migrations/trace_0001.sql"), include_str!("migrations/trace_0002.sql")],
    synchronous: Synchronous::Normal,
    is_precious: false,
};

/// The statements that made each version of a file, and its `application_id`: for who makes a file of an earlier
/// version.
pub fn history(file: DatabaseFile) -> (&'static [&'static str], i32) {
    let schema = match file {
        DatabaseFile::Log => &STATE,
        DatabaseFile::Inbox => &INBOX,
    };
    (schema.migrations, schema.application_id)
}

/// A file whose content is not to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFile {
    /// `state.db`.
    Log,
    /// `gateway.db`.
    Inbox,
}

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
    if version > 0 && schema.is_precious {
        back_up(connection, location, version)?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for statements in schema.migrations.iter().skip(version as usize) {
        let mut batch = Batch::new(&transaction, statements);
        while let Some(mut statement) = batch.next()? {
            place(MIGRATION);
            statement.execute([])?;
        }
    }
    transaction.pragma_update(None, "application_id", schema.application_id)?;
    transaction.pragma_update(None, "user_version", schema.version())?;
    place(MIGRATION);
    transaction.commit()?;
    place(MIGRATION);
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

/// Copies the file as it is. A copy that has its name is whole: one that a crash cut short is made anew.
fn back_up(connection: &Connection, location: &Location, version: u32) -> Result<(), Error> {
    let Location::File(path) = location else { return Ok(()) };
    let beside = |ending: &str| {
        let mut name = path.clone().into_os_string();
        name.push(format!(".schema-{version}.{ending}"));
        PathBuf::from(name)
    };
    let (backup, unfinished) = (beside("bak"), beside("bak.new"));
    if backup.exists() {
        return Ok(());
    }
    let io = |source| Error::Io { path: unfinished.clone(), source };
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        Ok(()) | Err(_) => {}
    }
    place(MIGRATION);
    connection.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    place(MIGRATION);
    File::open(&unfinished).and_then(|copy| copy.sync_all()).map_err(io)?;
    fs::rename(&unfinished, &backup).map_err(io)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    }
    place(MIGRATION);
    Ok(())
}
