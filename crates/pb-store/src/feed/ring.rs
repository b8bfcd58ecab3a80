//! The most recent spans, kept in memory for followers that are there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::span::{Page, Span, Tail};
use crate::contract::LogIdentity;
use crate::log::LogReader;

/// Most bytes kept in memory for live followers, while much happens.
const RING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most bytes kept when they are not recent any more.
const RESTING_BYTES_MAX: usize = 1024 * 1024;
/// For how long they are. A follower that is late by less is served from memory, with all the others;
/// many that each read the log would be later and later.
const RECENT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Ring<P> {
    pub(super) identity: Option<LogIdentity>,
    pub(super) reader: Option<LogReader>,
    /// With the moment at which each was taken.
    spans: VecDeque<(Instant, Arc<Span<P>>)>,
    bytes: usize,
    /// The position of the last event seen.
    pub(super) end: u64,
    /// How often the file was found changed.
    pub(super) changes: u64,
}

impl<P> Default for Ring<P> {
    fn default() -> Self {
        Self { identity: None, reader: None, spans: VecDeque::new(), bytes: 0, end: 0, changes: 0 }
    }
}

impl<P: Page> Ring<P> {
    /// The log was opened; what follows is what comes after `end`.
    pub(super) fn open(&mut self, identity: Option<LogIdentity>, reader: LogReader, end: u64) {
        self.adopt(identity);
        self.reader = Some(reader);
        self.end = end;
        self.changes += 1;
    }

    /// Takes what was found after the end; whether followers should look.
    pub(super) fn take(&mut self, found: Tail<P>) -> bool {
        self.changes += 1;
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
        self.bytes += span.page().bytes();
        let now = Instant::now();
        self.spans.push_back((now, Arc::new(span)));
        self.trim(now);
    }

    /// Lets go of what is too much, or old.
    pub(super) fn trim(&mut self, now: Instant) {
        while let Some((at, span)) = self.spans.front()
            && (self.bytes > RING_BYTES_MAX || (self.bytes > RESTING_BYTES_MAX && now - *at > RECENT))
        {
            self.bytes -= span.page().bytes();
            self.spans.pop_front();
        }
    }

    /// Notes which history the log is; another one empties the ring. Whether it is another one than before.
    fn adopt(&mut self, identity: Option<LogIdentity>) -> bool {
        let Some(identity) = identity else { return false };
        let changed = self.identity.as_ref().is_none_or(|mine| !is_same(mine, &identity));
        if changed && self.identity.is_some() {
            self.spans.clear();
            (self.bytes, self.end) = (0, 0);
        }
        self.identity = Some(identity);
        changed
    }
}

impl<P> Ring<P> {
    /// The span with the event after `pos`, if the ring still holds it.
    pub(super) fn span_after(&self, pos: u64) -> Option<&Arc<Span<P>>> {
        let index = self.spans.partition_point(|(_, span)| span.last() <= pos);
        self.spans.get(index).map(|(_, span)| span).filter(|span| span.after() <= pos)
    }
}

/// Whether two identities name the same history, whoever writes it.
pub(super) fn is_same(one: &LogIdentity, other: &LogIdentity) -> bool {
    one.id == other.id && one.generation == other.generation
}

#[cfg(test)]
mod tests {
    use super::super::span::EventRow;
    use super::*;

    /// A page that takes as much memory as its event says.
    struct Weighed(usize);

    impl Page for Weighed {
        fn begin(_: &LogIdentity) -> Self {
            Self(0)
        }

        fn push(&mut self, event: &EventRow<'_>) {
            self.0 += event.data.parse::<usize>().unwrap();
        }

        fn bytes(&self) -> usize {
            self.0
        }
    }

    fn log(generation: u64) -> LogIdentity {
        LogIdentity { id: "log".to_owned(), generation, incarnation: 1, schema: 1 }
    }

    /// One event of so many KiB.
    fn span(pos: u64, kib: usize) -> Span<Weighed> {
        let mut span = Span::begin(&log(1), pos - 1);
        let data = (kib * 1024).to_string();
        span.push(&EventRow { pos, seq: pos, goal: "g", at_ms: 1, kind: "k", data: &data });
        span
    }

    fn tail(spans: Vec<Span<Weighed>>) -> Tail<Weighed> {
        Tail { data_version: 1, identity: Some(log(1)), spans, more: false }
    }

    fn kept(ring: &Ring<Weighed>) -> Vec<u64> {
        ring.spans.iter().map(|(_, span)| span.last()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_recent_is_kept_up_to_a_size_and_what_is_old_up_to_a_smaller_one() {
        let mut ring = Ring::default();
        ring.take(tail((1..=5).map(|pos| span(pos, 4 * 1024)).collect()));
        assert_eq!(kept(&ring), [2, 3, 4, 5], "16 MiB");
        tokio::time::advance(RECENT).await;
        ring.trim(Instant::now());
        assert_eq!(kept(&ring), [2, 3, 4, 5], "it is recent still");
        ring.take(tail(vec![span(6, 512), span(7, 512)]));
        assert_eq!(kept(&ring), [3, 4, 5, 6, 7]);
        tokio::time::advance(Duration::from_millis(1)).await;
        ring.trim(Instant::now());
        assert_eq!(kept(&ring), [6, 7], "1 MiB may be old");
        assert!(ring.span_after(4).is_none(), "its follower reads the log");
        assert_eq!(ring.span_after(5).map(|span| span.last()), Some(6));
        assert!(ring.span_after(7).is_none());
    }

    #[tokio::test]
    async fn another_history_empties_the_ring_and_what_does_not_follow_is_not_taken() {
        let mut ring = Ring::default();
        assert!(ring.take(tail(vec![span(1, 1), span(2, 1)])));
        assert!(!ring.take(tail(vec![span(2, 1)])), "it was read twice");
        assert_eq!((kept(&ring), ring.end), (vec![1, 2], 2));
        assert!(ring.take(Tail { identity: Some(log(2)), ..tail(vec![]) }));
        assert_eq!((kept(&ring), ring.end, ring.bytes), (vec![], 0, 0));
    }
}
