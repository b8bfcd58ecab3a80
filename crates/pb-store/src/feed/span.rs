//! What a feed reads at once, in the form in which its user wants it.

use crate::contract::LogIdentity;

/// Most events in one span.
pub(crate) const SPAN_EVENTS_MAX: usize = 1024;
/// Most bytes of one span, as its page counts them; the first event is always in it.
pub(crate) const SPAN_BYTES_MAX: usize = 256 * 1024;
/// Most spans that are read in one call.
pub(crate) const SPANS_AT_ONCE_MAX: usize = 16;

/// An event as it stands in the log, borrowed from its row.
#[derive(Debug, Clone, Copy)]
pub struct EventRow<'a> {
    /// Its position in the log.
    pub pos: u64,
    /// Its number in its goal.
    pub seq: u64,
    /// The goal.
    pub goal: &'a str,
    /// When it happened.
    pub at_ms: u64,
    /// Its name.
    pub kind: &'a str,
    /// What clients are told, as JSON.
    pub data: &'a str,
}

/// What a feed makes of events, once for all its followers. Made where the log is read, on a thread that
/// may block.
pub trait Page: Send + Sync + Sized + 'static {
    /// One without events, of this log.
    fn begin(log: &LogIdentity) -> Self;
    /// One more event; their positions rise.
    fn push(&mut self, event: &EventRow<'_>);
    /// How much memory it takes, about.
    fn bytes(&self) -> usize;
    /// Nothing more will be pushed: what was set aside for more is given back. Most pages are small, and many are
    /// kept for a while.
    fn seal(&mut self) {}
}

/// Events without a gap: everything after a position up to another one.
#[derive(Debug)]
pub struct Span<P> {
    /// The position before its first event.
    after: u64,
    /// The position of its last event.
    last: u64,
    events: usize,
    page: P,
}

impl<P: Page> Span<P> {
    pub(crate) fn begin(log: &LogIdentity, after: u64) -> Self {
        Self { after, last: after, events: 0, page: P::begin(log) }
    }

    pub(crate) fn push(&mut self, event: &EventRow<'_>) {
        self.last = event.pos;
        self.events += 1;
        self.page.push(event);
    }

    pub(crate) fn sealed(mut self) -> Self {
        self.page.seal();
        self
    }

    pub(crate) fn is_full(&self, bytes_max: usize) -> bool {
        self.events >= SPAN_EVENTS_MAX || self.page.bytes() >= bytes_max
    }
}

impl<P> Span<P> {
    /// The position before its first event.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// The position of its last event.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many events there are in it.
    pub fn events(&self) -> usize {
        self.events
    }

    /// The events.
    pub fn page(&self) -> &P {
        &self.page
    }
}

/// What a look at the log's end finds.
#[derive(Debug)]
pub(crate) struct Tail<P> {
    /// `PRAGMA data_version` before it was read.
    pub(crate) data_version: u64,
    /// Which history the log is; `None` before its first incarnation.
    pub(crate) identity: Option<LogIdentity>,
    /// What is new, in order.
    pub(crate) spans: Vec<Span<P>>,
    /// Whether there is still more.
    pub(crate) more: bool,
}
