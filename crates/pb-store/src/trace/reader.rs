//! The reader: short pages, never a lasting transaction.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::place::Place;
use super::words::Sought;
use super::{TraceCount, TraceFilter, TraceFound, TraceIdentity, TracePage, TraceQuery, TraceRow};
use crate::contract::Error;
use crate::sqlite::{Shared, migrate, open, trace, trace_find};

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

    /// How many events there are.
    pub async fn count(&self) -> Result<u64, Error> {
        self.connection.call(|connection| trace_find::count(connection)).await
    }

    /// The latest events that `query` asks for, at most `limit` after the first `offset`, looked for in steps for
    /// about so long, and at most some MiB of them. Words that are asked for are each in the event's name or data, or the beginning of one that
    /// is; a text without any word finds nothing.
    pub async fn find(
        &self,
        query: &TraceQuery,
        (offset, limit): (usize, usize),
        patience: Duration,
    ) -> Result<TraceFound, Error> {
        let sought = query.words.as_deref().map(Sought::parse);
        let (mut found, mut skip, began) = (TraceFound::default(), offset, Instant::now());
        if matches!(sought, Some(None)) {
            return Ok(found);
        }
        let sought = Arc::new(sought.flatten());
        let mut end = query.before.unwrap_or(u64::MAX);
        while found.rows.len() < limit {
            let (query, sought, left) = (query.clone(), Arc::clone(&sought), skip + limit - found.rows.len());
            let step = move |connection: &mut _| {
                trace_find::find(connection, &query, ((*sought).as_ref(), end, left))
            };
            let mut step = self.connection.call(step).await?;
            let skipped = skip.min(step.rows.len());
            skip -= skipped;
            found.rows.extend(step.rows.drain(skipped..));
            found.next = step.next;
            match step.next {
                Some(next) if began.elapsed() < patience => end = next,
                Some(_) | None => break,
            }
        }
        Ok(found)
    }

    /// How many events of each name there were in the time from `since_ms` to `until_ms`, by windows of
    /// `window_ms`, the latest first; looked at in steps for about so long. Whether all were looked at.
    pub async fn counts(
        &self,
        (since_ms, until_ms, window_ms): (u64, u64, u64),
        patience: Duration,
    ) -> Result<(Vec<TraceCount>, bool), Error> {
        let (mut all, mut end, began) = (Vec::new(), u64::MAX, Instant::now());
        loop {
            let step = move |connection: &mut _| {
                trace_find::counts(connection, (since_ms, until_ms, window_ms), end)
            };
            let (counts, next) = self.connection.call(step).await?;
            all.extend(counts);
            match next {
                Some(next) if began.elapsed() < patience => end = next,
                left => return Ok((all, left.is_none())),
            }
        }
    }
}
