//! Looking at a database that may be in use, without changing it: is it one of ours, which schema has it, is it whole,
//! and how much waits in its WAL.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::contract::Error;
use crate::sqlite::{blocking, migrate, open};

/// How many of SQLite's steps go by between two looks at the clock.
const STEPS_A_LOOK: i32 = 10_000;

/// Which of our databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `state.db`.
    Log,
    /// `gateway.db`.
    Inbox,
    /// `trace.db`.
    Trace,
}

impl Kind {
    fn schema(self) -> &'static migrate::Schema {
        match self {
            Self::Log => &migrate::STATE,
            Self::Inbox => &migrate::INBOX,
            Self::Trace => &migrate::TRACE,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The version of its schema.
    pub schema: u32,
    /// The one that this build writes; an older one is brought there at the next start.
    pub schema_known: u32,
    /// What `PRAGMA quick_check` found wrong; `None` when nothing.
    pub damage: Option<String>,
    /// Whether the check came to its end in the time that it had.
    pub is_whole_checked: bool,
}

/// Looks at the database at `path`, for at most about `limit`; `None` when there is none, or one that is just being made.
///
/// # Errors
/// [`Error::Foreign`], [`Error::NewerSchema`], or it cannot be read.
pub async fn look_at(path: &Path, kind: Kind, limit: Duration) -> Result<Option<Health>, Error> {
    let path = path.to_owned();
    blocking(move || {
        if !path.exists() {
            return Ok(None);
        }
        let Some(mut connection) = open::reader_unless_new(&path, kind.schema())? else {
            return Ok(None);
        };
        let schema = migrate::version(&connection)?;
        let (damage, is_whole_checked) = quick_check(&mut connection, limit)?;
        Ok(Some(Health { schema, schema_known: kind.schema().version(), damage, is_whole_checked }))
    })
    .await
}

/// How much waits in the WAL of the database at `path`, in bytes; 0 without one.
pub fn wal_bytes(path: &Path) -> u64 {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).map_or(0, |meta| meta.len())
}

fn quick_check(connection: &mut Connection, limit: Duration) -> Result<(Option<String>, bool), Error> {
    let until = Instant::now() + limit;
    connection.progress_handler(STEPS_A_LOOK, Some(move || Instant::now() >= until))?;
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    connection.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        Ok(found) if found == "ok" => Ok((None, true)),
        Ok(found) => Ok((Some(found), true)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Ok((None, false)),
            // So broken that the check itself cannot go on.
            Some(ErrorCode::DatabaseCorrupt) => Ok((Some(error.to_string()), true)),
            _ => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;
    use crate::sqlite::Location;

    const LIMIT: Duration = Duration::from_secs(30);

    fn make(path: &Path) {
        drop(open::writer(&Location::File(path.to_owned()), &migrate::INBOX).unwrap());
    }

    #[tokio::test]
    async fn a_database_is_missing_whole_of_another_kind_newer_or_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.db");
        assert_eq!(look_at(&path, Kind::Inbox, LIMIT).await.unwrap(), None);
        make(&path);
        let version = migrate::INBOX.version();
        let whole = Health { schema: version, schema_known: version, damage: None, is_whole_checked: true };
        assert_eq!(look_at(&path, Kind::Inbox, LIMIT).await.unwrap(), Some(whole));
        assert!(matches!(look_at(&path, Kind::Log, LIMIT).await, Err(Error::Foreign { .. })));

        let newer = folder.path().join("newer.db");
        make(&newer);
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", version + 1).unwrap();
        assert!(matches!(look_at(&newer, Kind::Inbox, LIMIT).await, Err(Error::NewerSchema { .. })));

        let pages = std::fs::metadata(&path).unwrap().len() / 4096;
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        for page in 2..pages {
            file.seek(SeekFrom::Start(page * 4096)).unwrap();
            file.write_all(&[0xa5; 4096]).unwrap();
        }
        let damaged = look_at(&path, Kind::Inbox, LIMIT).await.unwrap().unwrap();
        assert!(damaged.damage.is_some(), "{damaged:?}");
    }

    #[tokio::test]
    async fn a_check_ends_when_its_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.db");
        make(&path);
        let connection = Connection::open(&path).unwrap();
        let rows = "CREATE TABLE many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
             SELECT i, hex(i) AS text FROM n";
        connection.execute_batch(rows).unwrap();
        drop(connection);
        let found = look_at(&path, Kind::Inbox, Duration::ZERO).await.unwrap().unwrap();
        assert_eq!((found.is_whole_checked, found.damage), (false, None));
    }
}
