//! Telling: never waits, whatever the trace does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pb_runtime::Clock;
use pb_runtime::config::Trace as Settings;
use tokio::sync::mpsc;

use super::{About, TraceTask, What};
use crate::link::Link;
use crate::service::Config;

/// Notes that wait to be written; when it is full, further ones are dropped, and counted.
const NOTES_WAITING_MAX: usize = 4096;

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
    dropped: Arc<AtomicU64>,
    clock: Clock,
}

/// A tracer, and the task that writes what it is told.
pub(crate) fn trace(config: Config, keep: Settings, link: Link) -> (Tracer, TraceTask) {
    let (sender, notes) = mpsc::channel(NOTES_WAITING_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let sender = (!keep.is_off()).then_some(sender);
    let tracer = Tracer { notes: sender, dropped: Arc::clone(&dropped), clock: config.clock.clone() };
    (tracer, TraceTask { config, keep, link, notes, dropped })
}

impl Tracer {
    /// Tells what happens now.
    pub(crate) fn tell(&self, about: About, what: What) {
        self.note(Note { at_ms: self.clock.now_ms(), about, what });
    }

    /// Tells what happened. Dropped, and counted, when the queue is full.
    pub(crate) fn note(&self, note: Note) {
        if let Some(notes) = &self.notes
            && notes.try_send(note).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
