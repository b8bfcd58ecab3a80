//! Opening connections with the settings of `durability.md` §2.

use std::time::Duration;

use pb_runtime::faultpoints::{Bug, planted};
use rusqlite::{Connection, OpenFlags};

use super::{Location, migrate};
use crate::contract::Error;

/// Oldest SQLite whose WAL mode is safe when two connections checkpoint at once (D10).
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long a connection waits for another one's lock, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 5_000;
/// Size to which the WAL file is cut after a full checkpoint, in bytes.
const JOURNAL_SIZE_LIMIT_BYTES: i64 = 16 * 1024 * 1024;
/// What a connection that only reads keeps of the file, in KiB. A process has several; what they drop is still in
/// the system's memory, once for all.
const READER_CACHE_KIB: i64 = 512;

/// Opens for writing, creating and migrating as needed.
pub(crate) fn writer(location: &Location, schema: &migrate::Schema) -> Result<Connection, Error> {
    assert!(rusqlite::version_number() >= SQLITE_VERSION_MIN, "bundled SQLite is too old for WAL mode");
    let mut connection = match location {
        Location::Memory => Connection::open_in_memory()?,
        Location::File(path) => Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?,
    };
    settings(&connection)?;
    // Before anything is written: a file that is not ours stays as it is, journal mode included.
    migrate::admit(&connection, location, schema)?;
    if connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))? == 0 {
        // Of a new file only: what compaction frees goes back to the disk page by page. A whole VACUUM
        // would write the file once more, through the WAL.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    write_ahead(&connection)?;
    let synchronous = if planted(Bug::SyncOff) { "OFF" } else { schema.synchronous.as_str() };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Checkpoints are made by the writer between two batches, never inside one; and SQLite's own would
    // keep a failed sync to itself, after which nothing may be trusted (D11).
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)?;
    migrate::migrate(&mut connection, location, schema)?;
    Ok(connection)
}

/// Switches to WAL mode. A sync that fails on the way is told in either of two ways: by the mode, which is
/// then the old one, or by the step after the row with the mode, which commits (D11).
fn write_ahead(connection: &Connection) -> Result<(), Error> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mode = rows.next()?.map(|row| row.get::<_, String>(0)).transpose()?;
    while rows.next()?.is_some() {}
    let is_switched = matches!(mode.as_deref(), Some("wal" | "memory"));
    if is_switched { Ok(()) } else { Err(Error::sync_failed()) }
}

/// Opens another process's file for reading only.
pub(crate) fn reader(path: &std::path::Path, schema: &migrate::Schema) -> Result<Connection, Error> {
    let connection = bare_reader(path)?;
    checked(connection, path, schema)
}

/// The same; `None` for a file that is just being made.
pub(crate) fn reader_unless_new(
    path: &std::path::Path,
    schema: &migrate::Schema,
) -> Result<Option<Connection>, Error> {
    let connection = bare_reader(path)?;
    if migrate::is_new(&connection) {
        return Ok(None);
    }
    checked(connection, path, schema).map(Some)
}

fn checked(
    connection: Connection,
    path: &std::path::Path,
    schema: &migrate::Schema,
) -> Result<Connection, Error> {
    migrate::check(&connection, path, schema)?;
    // A negative number is one of KiB, a positive one of pages.
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

fn bare_reader(path: &std::path::Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    settings(&connection)?;
    Ok(connection)
}

fn settings(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}
