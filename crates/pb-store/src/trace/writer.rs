//! The writer: batches in, the oldest events out.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pb_model::Millis;

use super::place::{Place, clear_if_gone};
use super::{TraceEvent, TraceIdentity};
use crate::contract::Error;
use crate::sqlite::{Location, Shared, append, migrate, open, trace, trace_find};

/// The writer. One a file: the caller holds the process lock.
#[derive(Debug)]
pub struct Trace {
    connection: Shared,
    identity: TraceIdentity,
    place: Arc<Place>,
    /// How often was committed, to make checkpoints now and then.
    commits: AtomicU64,
}

/// How much of a trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events from before this moment are removed.
    pub since_ms: Millis,
    /// Most bytes of the file that are in use; beyond that the oldest events are removed.
    pub bytes_max: u64,
}

impl Trace {
    /// Opens for writing, creating and migrating as needed. `fresh_id` names a new trace; `boot` is the
    /// kernel's id of this boot, which tells that there may have been a loss of power. Drop the one that
    /// was open before: when it ends, it removes the WAL that lies there.
    pub async fn open(path: PathBuf, fresh_id: String, boot: String) -> Result<Self, Error> {
        let (connection, identity, place) = crate::sqlite::blocking(move || {
            clear_if_gone(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
            let mut connection = open::writer(&Location::File(path.clone()), &migrate::TRACE)?;
            trace::prepare(&connection)?;
            let identity = trace::begin(&mut connection, &fresh_id, &boot)?;
            Ok((connection, identity, Place::of(path)))
        })
        .await?;
        let connection = Shared::new(connection);
        Ok(Self { connection, identity, place: Arc::new(place), commits: AtomicU64::new(0) })
    }

    /// Which trace this is.
    pub fn identity(&self) -> &TraceIdentity {
        &self.identity
    }

    /// Appends events, in one transaction; gives the position of the first one. The others follow
    /// without gaps.
    ///
    /// # Errors
    /// After [`Error::Gone`] the file has to be opened anew. Nothing of the batch was written.
    pub async fn append(&self, events: Arc<[TraceEvent]>) -> Result<u64, Error> {
        let place = Arc::clone(&self.place);
        let commits = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        self.connection
            .call(move |connection| {
                if !place.is_same() {
                    return Err(Error::Gone { path: place.path().to_owned() });
                }
                let first = trace::append(connection, &events)?;
                append::checkpoint(connection, place.path(), commits)?;
                Ok(first)
            })
            .await
    }

    /// Puts the words of some events into the index, in one small transaction; gives of how many events. Call
    /// it again until that is none. What is not in it yet is found as well, more slowly.
    pub async fn index(&self) -> Result<u64, Error> {
        self.connection.call(trace_find::index).await
    }

    /// Removes the oldest events that are not to be kept, in one small transaction; gives how many.
    /// Call it again until that is none. The file does not shrink: its space is used again.
    pub async fn tidy(&self, retention: Retention) -> Result<u64, Error> {
        self.connection.call(move |connection| trace::tidy(connection, retention)).await
    }
}
