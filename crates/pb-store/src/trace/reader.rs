//! The reader: short pages, never a lasting transaction.

use std::path::Path;
use std::sync::Arc;

use super::place::Place;
use super::{TraceFilter, TraceIdentity, TracePage, TraceRow};
use crate::contract::Error;
use crate::sqlite::{Shared, migrate, open, trace};

/// A reader of the trace, in any process.
#[derive(Debug, Clone)]
pub struct TraceReader {
    connection: Shared,
    place: Arc<Place>,
}

impl TraceReader {
    /// Opens the trace for reading; `None` when there is none, or one that is just being made.
    ///
    /// # Errors
    /// What is there is no trace, or cannot be read.
    pub async fn open(path: &Path) -> Result<Option<Self>, Error> {
        let path = path.to_owned();
        crate::sqlite::blocking(move || {
            let place = Place::of(path);
            if !place.is_same() {
                return Ok(None);
            }
            let Some(connection) = open::reader_unless_new(place.path(), &migrate::TRACE)? else {
                return Ok(None);
            };
            trace::prepare(&connection)?;
            Ok(Some(Self { connection: Shared::new(connection), place: Arc::new(place) }))
        })
        .await
    }

    /// Whether the file that was opened is still the one that is there.
    pub async fn is_current(&self) -> bool {
        let place = Arc::clone(&self.place);
        crate::sqlite::blocking(move || Ok(place.is_same())).await.unwrap_or(false)
    }

    /// Which trace this is; `None` while it is being made.
    pub async fn identity(&self) -> Result<Option<TraceIdentity>, Error> {
        self.connection.call(|connection| trace::identity(connection)).await
    }

    /// The last position that was given, 0 before the first.
    pub async fn last_pos(&self) -> Result<u64, Error> {
        self.connection.call(|connection| trace::last_pos(connection)).await
    }

    /// The position of the oldest event that is kept; `None` without any.
    pub async fn first_pos(&self) -> Result<Option<u64>, Error> {
        self.connection.call(|connection| trace::first_pos(connection)).await
    }

    /// Changes whenever another connection committed. Cheap: no page is read.
    pub async fn data_version(&self) -> Result<u64, Error> {
        self.connection.call(|connection| crate::sqlite::query::data_version(connection)).await
    }

    /// Events after `pos`: at most `limit`, at most 1 MiB beyond the first, and of at most 4096 that
    /// were looked at. When `passed` of the page is the last position, there are no more.
    pub async fn after(&self, pos: u64, filter: &TraceFilter, limit: usize) -> Result<TracePage, Error> {
        let filter = filter.clone();
        self.connection.call(move |connection| trace::after(connection, pos, &filter, limit)).await
    }

    /// The latest `limit` events up to `pos`, in order.
    pub async fn latest(&self, pos: u64, filter: &TraceFilter, limit: usize) -> Result<Vec<TraceRow>, Error> {
        let (mut rows, mut end) = (Vec::new(), pos.saturating_add(1));
        while rows.len() < limit && end > 0 {
            let (filter, left) = (filter.clone(), limit - rows.len());
            let page =
                self.connection.call(move |connection| trace::before(connection, end, &filter, left)).await?;
            end = page.passed;
            rows.extend(page.rows);
        }
        rows.reverse();
        Ok(rows)
    }

    /// Ids of goals that contain `fragment`, at most `limit`.
    pub async fn goal_ids_like(&self, fragment: &str, limit: usize) -> Result<Vec<String>, Error> {
        let fragment = fragment.to_owned();
        self.connection.call(move |connection| trace::goal_ids_like(connection, &fragment, limit)).await
    }
}
