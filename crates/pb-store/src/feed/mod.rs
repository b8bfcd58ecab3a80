//! The feed: one reader follows the log's end for everybody; each follower has its own position.
//!
//! ```text
//!   bell ---> follow_tail: waits a window, looks ---> ring of recent spans ---> follower (pos 812, live)
//!   each second, a subscriber: look() ----------------^            \---------> follower (pos 790, live)
//!                                                      log --------------------> follower (pos 37, catching up)
//! ```
//!
//! What is read is made into a [`Page`] once, in the call that reads it, and shared by all followers that
//! are there. A follower that is slower than the ring reads spans of its own from the log: nothing is
//! queued for it and nothing is dropped.

mod follower;
mod pace;
mod ring;
mod span;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use crate::contract::{Error, LogIdentity};
use crate::log::LogReader;
use pace::Pace;
use ring::Ring;

pub use follower::{Follower, Rebase};
pub use span::{EventRow, Page, Span};
pub(crate) use span::{SPAN_BYTES_MAX, SPANS_AT_ONCE_MAX, Tail};

/// Readers that serve catch-up at once (`durability.md` §2).
const CATCH_UP_READERS: usize = 2;
/// WAL size above which readers pause before each page, in bytes.
const WAL_PAUSE_BYTES: u64 = 32 * 1024 * 1024;
/// How long they pause.
const WAL_PAUSE: Duration = Duration::from_millis(20);
/// After a look that took no longer, the next one is begun on the thread that was told of it: what was just
/// written is in memory, and handing it to another thread and back would take longer than reading it.
const HERE_MAX: Duration = Duration::from_millis(1);
/// How long to wait after the log could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Follows one log for many.
#[derive(Debug)]
pub struct Feed<P> {
    shared: Arc<Shared<P>>,
}

impl<P> Clone for Feed<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

#[derive(Debug)]
struct Shared<P> {
    path: PathBuf,
    tail: tokio::sync::Mutex<Follows>,
    ring: Mutex<Ring<P>>,
    /// Rises with everything that followers should look at.
    version: watch::Sender<u64>,
    bell: Notify,
    catch_up: Arc<Semaphore>,
    /// When the WAL was last written, as it was last seen to be large.
    wal_written: Mutex<Option<SystemTime>>,
}

/// The reader that follows the end; `None` until the file exists.
#[derive(Debug, Default)]
struct Follows {
    reader: Option<LogReader>,
    data_version: Option<u64>,
}

impl<P: Page> Feed<P> {
    /// A feed of the log at `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        let shared = Shared {
            path,
            tail: tokio::sync::Mutex::default(),
            ring: Mutex::default(),
            version: watch::Sender::new(0),
            bell: Notify::new(),
            catch_up: Arc::new(Semaphore::new(CATCH_UP_READERS)),
            wal_written: Mutex::default(),
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
        self.shared.ring().end
    }

    /// How often the log was found changed, whatever was written: while it stays, whatever was read from the log
    /// before the look that gave it is what the log says.
    pub fn changes(&self) -> u64 {
        self.shared.ring().changes
    }

    /// Says that the log may have more. Never waits; [`Feed::follow_tail`] looks.
    pub fn bell(&self) {
        self.shared.bell.notify_one();
    }

    /// Looks whenever the bell rings, not more often than followers can be served cheaply. For one task,
    /// for as long as the feed is used.
    pub async fn follow_tail(&self) {
        let mut pace = Pace::default();
        let mut here = true;
        loop {
            self.shared.bell.notified().await;
            tokio::time::sleep_until(pace.next()).await;
            let (before, began) = (self.last_pos(), Instant::now());
            let found = self.look_from(here).await;
            here = began.elapsed() <= HERE_MAX;
            match found {
                Ok(bytes) => {
                    let events = small(self.last_pos().saturating_sub(before));
                    let followers = small(self.shared.version.receiver_count());
                    pace.looked(began, (events, small(bytes)), followers);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot read the log; trying again within a second");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Looks at the log and takes what is new; tells how many bytes that were. Cheap when nothing is.
    ///
    /// # Errors
    /// The log exists and cannot be read.
    pub async fn look(&self) -> Result<usize, Error> {
        self.look_from(false).await
    }

    /// The same; `here` begins with a short look on this thread.
    async fn look_from(&self, mut here: bool) -> Result<usize, Error> {
        let mut tail = self.shared.tail.lock().await;
        if tail.reader.is_none() && !self.connect(&mut tail).await? {
            return Ok(0);
        }
        let Some(reader) = tail.reader.clone() else {
            return Ok(0);
        };
        let mut bytes = 0;
        loop {
            self.shared.spare_the_wal().await;
            let (known, end) = {
                let ring = self.shared.ring();
                (ring.identity.clone(), ring.end)
            };
            let here = std::mem::take(&mut here);
            let Some(found) = reader.tail::<P>(tail.data_version, (known, end), here).await? else {
                self.shared.ring().trim(Instant::now());
                return Ok(bytes);
            };
            let more = found.more;
            tail.data_version = (!more).then_some(found.data_version);
            bytes += found.spans.iter().map(|span| span.page().bytes()).sum::<usize>();
            let changed = self.shared.ring().take(found);
            if changed {
                self.shared.changed();
            }
            if !more {
                return Ok(bytes);
            }
        }
    }

    async fn connect(&self, tail: &mut Follows) -> Result<bool, Error> {
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
        self.shared.ring().open(identity, queries, last);
        tail.reader = Some(reader);
        Ok(true)
    }

    /// Forgets the open file, so that the next look opens what is there now.
    pub async fn reopen(&self) {
        let mut tail = self.shared.tail.lock().await;
        *tail = Follows::default();
        *self.shared.ring() = Ring::default();
        self.shared.changed();
    }

    /// Follows from `pos` on: the first event delivered is the one after it.
    pub fn follow(&self, pos: u64) -> Follower<P> {
        Follower::new(Arc::clone(&self.shared), pos)
    }
}

impl<P> Shared<P> {
    fn ring(&self) -> std::sync::MutexGuard<'_, Ring<P>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// A reader in the middle of a page keeps the WAL from shrinking. Above a size, leave gaps for its
    /// writer; one that writes nothing needs none.
    async fn spare_the_wal(&self) {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        // One stat, which does not wait for a disk.
        let Ok(meta) = std::fs::metadata(wal) else { return };
        if meta.len() <= WAL_PAUSE_BYTES {
            return;
        }
        let written = meta.modified().ok();
        let seen =
            std::mem::replace(&mut *self.wal_written.lock().unwrap_or_else(PoisonError::into_inner), written);
        if written.is_none() || seen != written {
            tokio::time::sleep(WAL_PAUSE).await;
        }
    }
}

fn small(number: impl TryInto<u32>) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}
