//! What is known of the trace: one look for all subscriptions.

use std::path::PathBuf;
use std::sync::Arc;

use pb_store::{Error, TraceFilter, TraceIdentity, TracePage, TraceReader};
use tokio::sync::{Mutex, Notify, Semaphore, watch};

/// Pages that are read at once.
const READERS: usize = 2;
/// Most events in a page.
const PAGE_EVENTS: usize = 256;

/// Follows one trace for many.
#[derive(Debug)]
pub(crate) struct DebugFeed {
    path: PathBuf,
    /// The reader that looks, and what it saw last.
    looking: Mutex<Option<(TraceReader, u64)>>,
    seen: watch::Sender<Seen>,
    bell: Notify,
    reading: Semaphore,
}

/// What was seen of the trace; nothing until there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) trace: Option<(TraceReader, TraceIdentity)>,
    /// The last position that was given.
    pub(super) last: u64,
}

impl Seen {
    pub(super) fn identity(&self) -> Option<&TraceIdentity> {
        self.trace.as_ref().map(|(_, identity)| identity)
    }
}

impl DebugFeed {
    /// A feed of the trace at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            looking: Mutex::default(),
            seen: watch::Sender::default(),
            bell: Notify::new(),
            reading: Semaphore::new(READERS),
        }
    }

    /// Hears that there is an event at `pos`. Never waits, and what the event says is not believed: it is
    /// read, by [`Self::run`].
    pub(crate) fn ring(&self, pos: Option<u64>) {
        if pos.is_some_and(|pos| pos > self.seen.borrow().last) {
            self.bell.notify_one();
        }
    }

    /// Looks whenever it was rung.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.bell.notified().await;
            // What is wrong is told by who looks each second.
            let _ = self.look_for_subscribers().await;
        }
    }

    /// Looks at the trace, if anybody wants to know.
    ///
    /// # Errors
    /// The trace exists and cannot be read.
    pub(crate) async fn look_for_subscribers(&self) -> Result<(), Error> {
        if self.seen.receiver_count() == 0 { Ok(()) } else { self.look().await }
    }

    /// Looks at the trace. Cheap when nothing is new.
    ///
    /// # Errors
    /// The trace exists and cannot be read.
    pub(super) async fn look(&self) -> Result<(), Error> {
        let mut looking = self.looking.lock().await;
        let known = match looking.take() {
            Some((reader, version)) if reader.is_current().await => Some((reader, version)),
            // It was deleted, or another one took its place.
            Some(_) | None => None,
        };
        let (reader, before) = match known {
            Some((reader, version)) => (reader, Some(version)),
            None => match TraceReader::open(&self.path).await? {
                Some(reader) => (reader, None),
                None => return Ok(()),
            },
        };
        let version = reader.data_version().await?;
        if before != Some(version) {
            self.take(&reader).await?;
        }
        *looking = Some((reader, version));
        Ok(())
    }

    async fn take(&self, reader: &TraceReader) -> Result<(), Error> {
        let Some(identity) = reader.identity().await? else { return Ok(()) };
        let last = reader.last_pos().await?;
        self.seen.send_if_modified(|seen| {
            let is_new = seen.identity() != Some(&identity) || seen.last != last;
            *seen = Seen { trace: Some((reader.clone(), identity)), last };
            is_new
        });
        Ok(())
    }

    /// What was seen last, now and from now on.
    pub(super) fn watch(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// A page of the trace, when it is its turn.
    ///
    /// # Errors
    /// The trace cannot be read.
    pub(super) async fn page(
        &self,
        reader: &TraceReader,
        pos: u64,
        filter: &TraceFilter,
    ) -> Result<TracePage, Error> {
        // Nobody closes it.
        let _turn = self.reading.acquire().await;
        reader.after(pos, filter, PAGE_EVENTS).await
    }
}
