//! The SQLite backend. Everything that speaks SQL is below here.

pub(crate) mod access;
pub(crate) mod append;
pub(crate) mod compact;
pub(crate) mod copy;
pub(crate) mod goal_events;
pub(crate) mod history;
pub(crate) mod inbox;
pub(crate) mod migrate;
pub(crate) mod open;
pub(crate) mod query;
pub(crate) mod rows;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod sessions;
pub(crate) mod trace;
pub(crate) mod trace_find;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::task::{JoinError, JoinHandle};

use crate::contract::{Error, rusqlite_error::Opaque};

/// Where a database lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; readers in other processes may open it too.
    File(PathBuf),
    /// This process's memory, gone with it. For tests.
    Memory,
}

/// One connection, used by one blocking call at a time.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Connection>>);

impl Shared {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    /// Runs `work` on the blocking pool. A panic in there is passed on.
    pub(crate) async fn call<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        end_of(self.begin(work)).await
    }

    /// Begins `work` on the blocking pool, where it is done whether or not somebody waits for its [`end_of`].
    pub(crate) fn begin<T, F>(&self, work: F) -> Work<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    {
        let shared = self.clone();
        tokio::task::spawn_blocking(move || {
            let mut connection = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        })
    }
}

impl Shared {
    /// Runs `work` on this thread. For work that is short, on a connection that nobody else uses: two threads
    /// of the blocking pool need not be woken for it.
    pub(crate) fn here<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(..)")
    }
}

/// Work on the blocking pool.
pub(crate) type Work<T> = JoinHandle<Result<T, Error>>;

/// Runs `work` on the blocking pool. A panic in there is passed on.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    end_of(tokio::task::spawn_blocking(work)).await
}

/// What work on the blocking pool comes to. A panic in there is passed on.
pub(crate) async fn end_of<T>(
    work: impl Future<Output = Result<Result<T, Error>, JoinError>>,
) -> Result<T, Error> {
    match work.await {
        Ok(result) => result,
        Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
        // The runtime is shutting down; nobody will look at the answer.
        Err(_) => std::future::pending().await,
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Broken(Opaque(Box::new(error)))
            }
            _ => Self::Database(Opaque(Box::new(error))),
        }
    }
}

impl Error {
    /// A sync failed, and SQLite did not say so.
    pub(crate) fn sync_failed() -> Self {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        rusqlite::Error::SqliteFailure(code, Some("the file cannot be switched to WAL".to_owned())).into()
    }

    /// The call that carried this command ended without an answer.
    pub(crate) fn unanswered() -> Self {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT);
        let message = "the commit of this command ended without an answer".to_owned();
        rusqlite::Error::SqliteFailure(code, Some(message)).into()
    }
}

/// An integer column as the unsigned number that it was written from.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
