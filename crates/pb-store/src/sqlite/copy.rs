//! Copies of a database that may be in use, page by page, by SQLite's backup API.

use std::fs::{File, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{migrate, open, unsigned};
use crate::contract::Error;

/// Pages copied between two looks at whether to go on: 4 MiB.
const PAGES: i32 = 1024;
/// How long to wait for somebody who holds the source.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Copies the database at `from` to `to`, a new file of ours alone, checks it, and makes it durable.
///
/// The source is read in one transaction: it is copied as it is at one moment, however much is written
/// meanwhile. That pins the WAL for as long as the copy takes, some seconds for a log of full size, which is
/// why a copy is the one reader that is not bounded (D9); a copy in pieces would begin anew at each commit.
pub(crate) fn copy(
    (from, to): (&Path, &Path),
    schema: &migrate::Schema,
    told: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), Error> {
    let io = |source| Error::Io { path: to.to_owned(), source };
    let source = open::reader(from, schema)?;
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?; // Now is the moment.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(io)?;
    let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // It is synced as a whole below; until then it is nothing.
    target.pragma_update(None, "synchronous", "OFF")?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(PAGES)?;
            let progress = backup.progress();
            let (all, left) = (unsigned(progress.pagecount.into()), unsigned(progress.remaining.into()));
            if told(all.saturating_sub(left), all).is_break() {
                return Err(Error::Interrupted);
            }
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(BUSY_PAUSE),
            }
        }
    }
    drop(target);
    check(to, schema)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(io)
}

/// Checks that a file which nobody uses is one of ours and whole.
pub(crate) fn check(path: &Path, schema: &migrate::Schema) -> Result<(), Error> {
    let connection = alone(path)?;
    migrate::check(&connection, path, schema)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Error::Damaged { path: path.to_owned(), found }) }
}

/// Opens a file that nobody else uses. Closing it leaves nothing beside it.
pub(crate) fn alone(path: &Path) -> Result<Connection, Error> {
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?)
}
