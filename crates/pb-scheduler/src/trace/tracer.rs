//! Telling: never waits, whatever the trace does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pb_runtime::Clock;
use pb_runtime::config::Trace as Settings;
use tokio::sync::mpsc;

use super::{About, TraceTask, What};
use crate::link::Link;
use crate::service::Config;

/// Notes that wait to be written; when it is full, further ones are dropped, and counted.
const NOTES_WAITING_MAX: usize = 4096;
/// Bytes of others' words in them. A note with any is dropped, and counted, when there are so many already.
const BYTES_WAITING_MAX: usize = 16 * 1024 * 1024;

/// A debug event before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    /// When it happened.
    pub(crate) at_ms: u64,
    pub(crate) about: About,
    pub(crate) what: What,
}

/// Where debug events are told. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Tracer {
    /// `None` when nothing is to be written.
    notes: Option<mpsc::Sender<Note>>,
    pub(super) waiting: Arc<Waiting>,
    clock: Clock,
}

/// What waits, and what found no place.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Bytes of others' words.
    pub(super) bytes: AtomicUsize,
    /// How many notes were dropped since that was last written.
    pub(super) dropped: AtomicU64,
}

/// A tracer, and the task that writes what it is told.
pub(crate) fn trace(config: Config, keep: Settings, link: Link) -> (Tracer, TraceTask) {
    let (sender, notes) = mpsc::channel(NOTES_WAITING_MAX);
    let waiting = Arc::new(Waiting::default());
    let sender = (!keep.is_off()).then_some(sender);
    let tracer = Tracer { notes: sender, waiting: Arc::clone(&waiting), clock: config.clock.clone() };
    (tracer, TraceTask::new(config, keep, link, (notes, waiting)))
}

impl Tracer {
    /// Whether anything is to be told: what is not is not even made.
    pub(crate) fn is_on(&self) -> bool {
        self.notes.is_some()
    }

    /// Tells what happens now.
    pub(crate) fn tell(&self, about: About, what: impl FnOnce() -> What) {
        if self.is_on() {
            self.note(Note { at_ms: self.clock.now_ms(), about, what: what() });
        }
    }

    /// Tells what happened. Dropped, and counted, when there is no place for it.
    pub(crate) fn note(&self, note: Note) {
        let Some(notes) = &self.notes else { return };
        let bytes = note.what.weight();
        let before = self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        let has_room = bytes == 0 || before < BYTES_WAITING_MAX;
        if !has_room || notes.try_send(note).is_err() {
            self.waiting.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.waiting.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
