//! The most recent spans, kept in memory for followers that are there.

use std::collections::VecDeque;
use std::sync::Arc;

use super::span::{Page, Span, Tail};
use crate::contract::LogIdentity;
use crate::log::LogReader;

/// Most events kept in memory for live followers.
const RING_EVENTS_MAX: usize = 4096;
/// Most bytes kept in memory for live followers.
const RING_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Ring<P> {
    pub(super) identity: Option<LogIdentity>,
    pub(super) reader: Option<LogReader>,
    spans: VecDeque<Arc<Span<P>>>,
    events: usize,
    bytes: usize,
    /// The position of the last event seen.
    pub(super) end: u64,
}

impl<P> Default for Ring<P> {
    fn default() -> Self {
        Self { identity: None, reader: None, spans: VecDeque::new(), events: 0, bytes: 0, end: 0 }
    }
}

impl<P: Page> Ring<P> {
    /// The log was opened; what follows is what comes after `end`.
    pub(super) fn open(&mut self, identity: Option<LogIdentity>, reader: LogReader, end: u64) {
        self.adopt(identity);
        self.reader = Some(reader);
        self.end = end;
    }

    /// Takes what was found after the end; whether followers should look.
    pub(super) fn take(&mut self, found: Tail<P>) -> bool {
        let replaced = self.adopt(found.identity);
        let mut changed = replaced;
        for span in found.spans {
            // Somebody may have opened the file anew while this was read.
            if span.after() == self.end {
                self.push(span);
                changed = true;
            }
        }
        changed
    }

    fn push(&mut self, span: Span<P>) {
        self.end = span.last();
        self.events += span.events();
        self.bytes += span.page().bytes();
        self.spans.push_back(Arc::new(span));
        while self.events > RING_EVENTS_MAX || self.bytes > RING_BYTES_MAX {
            let Some(old) = self.spans.pop_front() else { break };
            self.events -= old.events();
            self.bytes -= old.page().bytes();
        }
    }

    /// Notes which history the log is; another one empties the ring. Whether it is another one than before.
    fn adopt(&mut self, identity: Option<LogIdentity>) -> bool {
        let Some(identity) = identity else { return false };
        let changed = self.identity.as_ref().is_none_or(|mine| !is_same(mine, &identity));
        if changed && self.identity.is_some() {
            self.spans.clear();
            (self.events, self.bytes, self.end) = (0, 0, 0);
        }
        self.identity = Some(identity);
        changed
    }
}

impl<P> Ring<P> {
    /// The span with the event after `pos`, if the ring still holds it.
    pub(super) fn span_after(&self, pos: u64) -> Option<&Arc<Span<P>>> {
        let index = self.spans.partition_point(|span| span.last() <= pos);
        self.spans.get(index).filter(|span| span.after() <= pos)
    }
}

/// Whether two identities name the same history, whoever writes it.
pub(super) fn is_same(one: &LogIdentity, other: &LogIdentity) -> bool {
    one.id == other.id && one.generation == other.generation
}
