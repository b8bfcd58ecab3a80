//! One reader of the feed.

use std::sync::Arc;

use tokio::sync::watch;

use super::Shared;
use super::ring::is_same;
use super::span::{Page, SPAN_BYTES_MAX, Span};
use crate::contract::LogIdentity;
use crate::sqlite::{Work, end_of};

/// What a follower reads from the log at first, and after it let go of events, in bytes; each further page of
/// its own is twice as long. One that can take little at a time costs little: with a whole page for each few
/// frames, some thousand slow clients would leave no reader for anybody else.
const FIRST_BYTES: usize = 8 * 1024;

/// The history under a follower changed: its position means nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log was replaced")]
pub struct Rebase;

/// One reader of the feed: a position, and nothing queued.
#[derive(Debug)]
pub struct Follower<P> {
    shared: Arc<Shared<P>>,
    identity: Option<LogIdentity>,
    pos: u64,
    version: watch::Receiver<u64>,
    /// How much of the log it reads at once, in bytes.
    page_bytes: usize,
    /// What is being read for it.
    reading: Option<Work<Option<Span<P>>>>,
}

/// What the ring has for a follower.
enum Near<P> {
    Span(Arc<Span<P>>),
    /// The ring does not hold what it needs any more.
    Behind,
    /// There is nothing after its position.
    AtEnd,
}

impl<P: Page> Follower<P> {
    pub(super) fn new(shared: Arc<Shared<P>>, pos: u64) -> Self {
        let version = shared.version.subscribe();
        let identity = shared.ring().identity.clone();
        Self { shared, identity, pos, version, page_bytes: FIRST_BYTES, reading: None }
    }

    /// The position of the last event delivered.
    pub fn pos(&self) -> u64 {
        self.pos
    }

    /// The history that it follows, once the log was seen.
    pub fn identity(&self) -> Option<&LogIdentity> {
        self.identity.as_ref()
    }

    /// Goes back to `pos`, so that what was delivered after it is delivered again. For readers that
    /// let go of events which they could not use yet.
    pub fn rewind(&mut self, pos: u64) {
        self.reading = None;
        if pos < self.pos {
            self.pos = pos;
            self.page_bytes = FIRST_BYTES;
        }
    }

    /// Events after the last ones delivered; waits until there is at least one. The span may begin with
    /// events that were delivered before: those up to the position that [`Follower::pos`] had. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    /// [`Rebase`] when the history was replaced. A log that cannot be read is tried again at the
    /// next change.
    pub async fn next(&mut self) -> Result<Arc<Span<P>>, Rebase> {
        loop {
            self.version.borrow_and_update();
            let span = match self.near()? {
                Near::Span(span) => Some(span),
                Near::Behind => self.catch_up().await,
                Near::AtEnd => None,
            };
            if let Some(span) = span {
                self.take(&span);
                return Ok(span);
            }
            if self.version.changed().await.is_err() {
                return Err(Rebase);
            }
        }
    }

    /// The same, if it is in memory: never waits and never reads.
    ///
    /// # Errors
    /// [`Rebase`] when the history was replaced.
    pub fn next_in_memory(&mut self) -> Result<Option<Arc<Span<P>>>, Rebase> {
        let Near::Span(span) = self.near()? else {
            return Ok(None);
        };
        self.take(&span);
        Ok(Some(span))
    }

    fn take(&mut self, span: &Span<P>) {
        self.pos = span.last();
        // What is being read from where it stood is not what comes next any more.
        self.reading = None;
    }

    fn near(&mut self) -> Result<Near<P>, Rebase> {
        let ring = self.shared.ring();
        match (&self.identity, &ring.identity) {
            (Some(mine), Some(theirs)) if !is_same(mine, theirs) => return Err(Rebase),
            (None, Some(theirs)) => self.identity = Some(theirs.clone()),
            _ => {}
        }
        Ok(match ring.span_after(self.pos) {
            Some(span) => Near::Span(Arc::clone(span)),
            None if ring.end > self.pos => Near::Behind,
            None => Near::AtEnd,
        })
    }

    /// A span from the log, for a follower that the ring has left behind. Who stops waiting and comes back
    /// finds what was read meanwhile: else many that are slow would have everything read in vain.
    async fn catch_up(&mut self) -> Option<Arc<Span<P>>> {
        if self.reading.is_none() {
            let turn = Arc::clone(&self.shared.catch_up).acquire_owned().await.ok()?;
            self.shared.spare_the_wal().await;
            let reader = self.shared.ring().reader.clone()?;
            let identity = self.identity.clone()?;
            self.reading = Some(reader.begin_span(identity, (self.pos, self.page_bytes), turn));
        }
        let read = end_of(self.reading.as_mut()?).await;
        self.reading = None;
        match read {
            Ok(span) => {
                self.page_bytes = (2 * self.page_bytes).min(SPAN_BYTES_MAX);
                span.map(Arc::new)
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read the log; trying again at the next change");
                None
            }
        }
    }
}
