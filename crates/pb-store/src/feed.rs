//! The feed: one reader follows the log's end for everybody; each follower has its own position.
//!
//! ```text
//!   link: offer(record) --+                          +--> follower (pos 812, live, from the ring)
//!   bell, each second ----+--> ring of recent events-+--> follower (pos 812, live)
//!                look()   |                          +--> follower (pos 37, catching up, from the log)
//! ```
//!
//! A follower that is slower than the ring reads pages from the log: nothing is queued for it and
//! nothing is dropped. What is offered is only speed; a gap is read from the log.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::contract::{Error, EventRecord, LogIdentity};
use crate::log::LogReader;

/// Most events kept in memory for live followers.
const RING_EVENTS_MAX: usize = 4096;
/// Most bytes kept in memory for live followers.
const RING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most events read from the log at once.
const PAGE_EVENTS: usize = 256;
/// Readers that serve catch-up at once (`durability.md` §2).
const CATCH_UP_READERS: usize = 2;
/// WAL size above which readers pause before each page, in bytes.
const WAL_PAUSE_BYTES: u64 = 32 * 1024 * 1024;
/// How long they pause.
const WAL_PAUSE: Duration = Duration::from_millis(20);

/// Follows one log for many.
#[derive(Debug, Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    tail: tokio::sync::Mutex<Tail>,
    ring: Mutex<Ring>,
    /// Rises with everything that followers should look at.
    version: watch::Sender<u64>,
    catch_up: Semaphore,
}

/// The reader that follows the end; `None` until the file exists.
#[derive(Debug, Default)]
struct Tail {
    reader: Option<LogReader>,
    data_version: Option<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    identity: Option<LogIdentity>,
    reader: Option<LogReader>,
    events: VecDeque<Arc<EventRecord>>,
    bytes: usize,
    /// The position of the next event.
    next: u64,
}

/// What became of an offered event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It was the next one.
    Used,
    /// It was known already.
    Old,
    /// Something before it is missing: call [`Feed::look`].
    Gap,
}

/// The history under a follower changed: its position means nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log was replaced")]
pub struct Rebase;

impl Feed {
    /// A feed of the log at `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        let shared = Shared {
            path,
            tail: tokio::sync::Mutex::default(),
            ring: Mutex::default(),
            version: watch::Sender::new(0),
            catch_up: Semaphore::new(CATCH_UP_READERS),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The log's identity, once it was seen.
    pub fn identity(&self) -> Option<LogIdentity> {
        self.shared.ring().identity.clone()
    }

    /// A reader for queries, once the log exists.
    pub fn reader(&self) -> Option<LogReader> {
        self.shared.ring().reader.clone()
    }

    /// The position of the last event seen.
    pub fn last_pos(&self) -> u64 {
        self.shared.ring().next.saturating_sub(1)
    }

    /// Takes an event that was pushed. Only the next one of the same history is used.
    pub fn offer(&self, record: EventRecord, log_id: &str, generation: u64) -> Offer {
        let mut ring = self.shared.ring();
        let same = ring.identity.as_ref().is_some_and(|log| log.id == log_id && log.generation == generation);
        if !same || record.pos > ring.next {
            return Offer::Gap;
        }
        if record.pos < ring.next {
            return Offer::Old;
        }
        ring.push(record);
        drop(ring);
        self.shared.changed();
        Offer::Used
    }

    /// Looks at the log and takes what is new. Cheap when nothing is.
    ///
    /// # Errors
    /// The log exists and cannot be read.
    pub async fn look(&self) -> Result<(), Error> {
        let mut tail = self.shared.tail.lock().await;
        if tail.reader.is_none() && !self.connect(&mut tail).await? {
            return Ok(());
        }
        let Some(reader) = tail.reader.clone() else {
            return Ok(());
        };
        let version = reader.data_version().await?;
        if tail.data_version == Some(version) {
            return Ok(());
        }
        let identity = reader.identity().await?;
        self.shared.ring().adopt(identity);
        loop {
            self.shared.spare_the_wal().await;
            let after = self.last_pos();
            let page = reader.events_after(after, PAGE_EVENTS).await?;
            let whole = page.len() < PAGE_EVENTS && page.is_empty();
            {
                let mut ring = self.shared.ring();
                for record in page {
                    // Later than the next one, when what was between was compacted before anybody looked.
                    if record.pos >= ring.next {
                        ring.push(record);
                    }
                }
            }
            self.shared.changed();
            if whole {
                break;
            }
        }
        tail.data_version = Some(version);
        Ok(())
    }

    async fn connect(&self, tail: &mut Tail) -> Result<bool, Error> {
        if !tokio::fs::try_exists(&self.shared.path).await.unwrap_or(false) {
            return Ok(false);
        }
        let reader = match LogReader::open(&self.shared.path).await {
            Ok(reader) => reader,
            // The scheduler is just making the file.
            Err(Error::Foreign { .. } | Error::Database(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let queries = LogReader::open(&self.shared.path).await?;
        let last = reader.last_pos().await?;
        let identity = reader.identity().await?;
        let mut ring = self.shared.ring();
        ring.adopt(identity);
        ring.reader = Some(queries);
        ring.next = last + 1;
        tail.reader = Some(reader);
        Ok(true)
    }

    /// Forgets the open file, so that the next look opens what is there now.
    pub async fn reopen(&self) {
        let mut tail = self.shared.tail.lock().await;
        *tail = Tail::default();
        let mut ring = self.shared.ring();
        *ring = Ring::default();
        drop(ring);
        self.shared.changed();
    }

    /// Follows from `pos` on: the first event delivered is the one after it.
    pub fn follow(&self, pos: u64) -> Follower {
        let version = self.shared.version.subscribe();
        Follower { shared: Arc::clone(&self.shared), identity: self.identity(), pos, version }
    }
}

/// One reader of the feed.
#[derive(Debug)]
pub struct Follower {
    shared: Arc<Shared>,
    identity: Option<LogIdentity>,
    pos: u64,
    version: watch::Receiver<u64>,
}

impl Follower {
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
        self.pos = self.pos.min(pos);
    }

    /// The events after the last ones delivered; waits until there is at least one. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    /// [`Rebase`] when the history was replaced. A log that cannot be read is tried again at the
    /// next change.
    pub async fn next(&mut self) -> Result<Vec<Arc<EventRecord>>, Rebase> {
        loop {
            self.version.borrow_and_update();
            let (page, behind) = {
                let ring = self.shared.ring();
                match (&self.identity, &ring.identity) {
                    (Some(mine), Some(theirs))
                        if mine.id != theirs.id || mine.generation != theirs.generation =>
                    {
                        return Err(Rebase);
                    }
                    (None, Some(theirs)) => self.identity = Some(theirs.clone()),
                    _ => {}
                }
                (ring.after(self.pos), ring.next > self.pos.saturating_add(1))
            };
            let page = match page {
                Some(page) => page,
                None if behind => self.catch_up().await,
                None => Vec::new(),
            };
            if let Some(last) = page.last() {
                self.pos = last.pos;
                return Ok(page);
            }
            if self.version.changed().await.is_err() {
                return Err(Rebase);
            }
        }
    }

    /// A page from the log, for a follower that the ring has left behind.
    async fn catch_up(&self) -> Vec<Arc<EventRecord>> {
        let Ok(_turn) = self.shared.catch_up.acquire().await else {
            return Vec::new();
        };
        self.shared.spare_the_wal().await;
        let Some(reader) = self.shared.ring().reader.clone() else {
            return Vec::new();
        };
        match reader.events_after(self.pos, PAGE_EVENTS).await {
            Ok(page) => page.into_iter().map(Arc::new).collect(),
            Err(error) => {
                tracing::warn!(%error, "cannot read the log; trying again at the next change");
                Vec::new()
            }
        }
    }
}

impl Shared {
    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// A reader in the middle of a page keeps the WAL from shrinking; above a size, leave gaps.
    async fn spare_the_wal(&self) {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        if tokio::fs::metadata(wal).await.is_ok_and(|meta| meta.len() > WAL_PAUSE_BYTES) {
            tokio::time::sleep(WAL_PAUSE).await;
        }
    }
}

impl Ring {
    fn push(&mut self, record: EventRecord) {
        self.next = record.pos + 1;
        self.bytes += weight(&record);
        self.events.push_back(Arc::new(record));
        while self.events.len() > RING_EVENTS_MAX || self.bytes > RING_BYTES_MAX {
            let Some(old) = self.events.pop_front() else { break };
            self.bytes -= weight(&old);
        }
    }

    /// The events after `pos`, if the ring still holds the first of them.
    fn after(&self, pos: u64) -> Option<Vec<Arc<EventRecord>>> {
        let first = self.events.front()?.pos;
        let wanted = pos.saturating_add(1); // A client may have said any number.
        if wanted < first || wanted >= self.next {
            return None;
        }
        // Not by counting: positions have gaps where a goal was compacted.
        let skip = self.events.partition_point(|event| event.pos < wanted);
        Some(self.events.iter().skip(skip).take(PAGE_EVENTS).cloned().collect())
    }

    /// Notes which history the log is; another one empties the ring.
    fn adopt(&mut self, identity: Option<LogIdentity>) {
        let Some(identity) = identity else { return };
        let replaced = self
            .identity
            .as_ref()
            .is_some_and(|mine| mine.id != identity.id || mine.generation != identity.generation);
        if replaced {
            self.events.clear();
            self.bytes = 0;
            self.next = 1;
        }
        self.identity = Some(identity);
        self.next = self.next.max(1);
    }
}

fn weight(record: &EventRecord) -> usize {
    record.body.len() + record.data.len() + record.kind.len() + 160
}
