//! Events as clients get them: written and framed once, shared by all.
//!
//! ```text
//!   row of the log --> first    for the first subscription of each, as nearly all are
//!                        +--> bare       for sessions that never subscribed     (made of it when one comes)
//!                        +--> lines      for event streams                      (the same)
//! ```

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use pb_protocol::event_text::{self, EventText, Places};
use pb_runtime::faultpoints::{self, Bug};
use pb_store::{CursorWriter, EventRow, LogIdentity, Page, Span};

use crate::methods::FIRST_SUBSCRIPTION;
use crate::sse;
use crate::websocket::{frame_around, frame_header};

/// The log, read in the form in which it is sent.
pub(crate) type Feed = pb_store::Feed<EventPage>;
/// One reader of it.
pub(crate) type Follower = pb_store::Follower<EventPage>;
/// Events without a gap.
pub(crate) type EventSpan = Arc<Span<EventPage>>;

/// What an event takes beside its text, in bytes, about.
const EVENT_BYTES: usize = 128;

/// Among how many events a word is looked for.
const WORDS_SOUGHT_MAX: usize = 8;

/// Events as they are sent.
#[derive(Debug)]
pub(crate) struct EventPage {
    generation: u64,
    cursors: CursorWriter,
    /// The cursor of the last event.
    cursor: String,
    events: Vec<Event>,
    first: Layout,
    /// What ends a frame of it.
    end: Vec<u8>,
    bare: OnceLock<Layout>,
    lines: OnceLock<Layout>,
}

/// An event of a page.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) pos: u64,
    pub(crate) goal: Arc<str>,
    pub(crate) kind: Arc<str>,
    /// Where its text without an end lies in the first layout, and where parts of that do.
    text: Range<usize>,
    places: Places,
}

/// For whom the frames are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dress {
    /// A session that never subscribed.
    Bare,
    /// The first subscription of a connection, which has the same name on all.
    First,
    /// A further one.
    Other(Arc<str>),
}

impl Dress {
    pub(crate) fn of(subscription: Option<&str>) -> Self {
        match subscription {
            None => Self::Bare,
            Some(FIRST_SUBSCRIPTION) => Self::First,
            Some(other) => Self::Other(other.into()),
        }
    }
}

/// All events of a page, one after the other, as they go into a socket.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Layout {
    /// The bytes of all its events.
    pub(crate) fn all(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of these events.
    pub(crate) fn of(&self, events: &Range<usize>) -> &[u8] {
        self.bytes.get(self.start(events.start)..self.start(events.end)).unwrap_or_default()
    }

    /// As many of these events as fit into so many bytes, but at least one.
    pub(crate) fn first_bytes(&self, events: &Range<usize>, bytes: usize) -> Range<usize> {
        let end = self.ends.partition_point(|end| *end <= self.start(events.start) + bytes);
        events.start..end.clamp(events.start + 1, events.end)
    }

    /// The frame to which the byte at `offset` after the start of frame `from` belongs, and where that frame
    /// begins and ends, from there too.
    pub(crate) fn frame_at(&self, from: usize, offset: usize) -> (usize, usize, usize) {
        let start = self.start(from);
        let frame = self.ends.partition_point(|end| *end <= start + offset);
        (frame, self.start(frame) - start, self.start(frame + 1) - start)
    }

    fn start(&self, event: usize) -> usize {
        event.checked_sub(1).and_then(|before| self.ends.get(before).copied()).unwrap_or_default()
    }
}

impl EventPage {
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The frames of the WebSocket; `None` for those that are not shared.
    pub(crate) fn frames(&self, dress: &Dress) -> Option<&Layout> {
        match dress {
            Dress::Bare => Some(self.bare.get_or_init(|| self.framed(&event_text::end(None)))),
            Dress::First => Some(&self.first),
            Dress::Other(_) => None,
        }
    }

    /// The frames of these events for a subscription with this name.
    pub(crate) fn frames_for(&self, events: Range<usize>, name: &str) -> Layout {
        let end = event_text::end(Some(name));
        let mut layout = Layout::default();
        for index in events {
            frame(&mut layout.bytes, self.text_of(index), &end);
            layout.ends.push(layout.bytes.len());
        }
        layout
    }

    /// The lines of an event stream.
    pub(crate) fn lines(&self) -> &Layout {
        self.lines.get_or_init(|| {
            let mut layout = self.empty_layout();
            for event in &self.events {
                let Places { data, cursor } = event.places.clone();
                let [data, cursor] =
                    [data, cursor].map(|place| self.first.bytes.get(place).unwrap_or_default());
                sse::write_event(&mut layout.bytes, Some(cursor), &event.kind, data);
                layout.ends.push(layout.bytes.len());
            }
            layout
        })
    }

    fn framed(&self, end: &[u8]) -> Layout {
        let mut layout = self.empty_layout();
        for index in 0..self.events.len() {
            frame(&mut layout.bytes, self.text_of(index), end);
            layout.ends.push(layout.bytes.len());
        }
        layout
    }

    /// A word of an event. Most are words of one of the last events, and are kept once.
    fn shared(&self, word: &str, of: impl Fn(&Event) -> &Arc<str>) -> Arc<str> {
        let recent = self.events.iter().rev().take(WORDS_SOUGHT_MAX).map(of).find(|known| ***known == *word);
        recent.map_or_else(|| word.into(), Arc::clone)
    }

    fn empty_layout(&self) -> Layout {
        let (bytes, ends) = (self.first.bytes.len(), self.first.ends.len());
        Layout { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(ends) }
    }

    fn text_of(&self, index: usize) -> &[u8] {
        let text = self.events.get(index).map(|event| event.text.clone());
        text.and_then(|text| self.first.bytes.get(text)).unwrap_or_default()
    }
}

fn frame(out: &mut Vec<u8>, text: &[u8], end: &[u8]) {
    frame_header(out, text.len() + end.len());
    out.extend_from_slice(text);
    out.extend_from_slice(end);
}

impl Page for EventPage {
    fn begin(log: &LogIdentity) -> Self {
        Self {
            generation: log.generation,
            cursors: CursorWriter::new(&log.id, log.generation),
            cursor: String::new(),
            events: Vec::new(),
            first: Layout::default(),
            end: event_text::end(Some(FIRST_SUBSCRIPTION)),
            bare: OnceLock::new(),
            lines: OnceLock::new(),
        }
    }

    fn push(&mut self, event: &EventRow<'_>) {
        // The bug is that of the first implementation: a count of what was got.
        let counts = faultpoints::planted(Bug::CursorPerConnection);
        let pos = if counts { self.events.len() as u64 + 1 } else { event.pos };
        self.cursor.clear();
        self.cursors.write(pos, &mut self.cursor);
        let text = EventText {
            event: event.kind,
            data: event.data,
            cursor: &self.cursor,
            seq: event.seq,
            generation: self.generation,
            at: event.at_ms,
        };
        let goal = self.shared(event.goal, |event| &event.goal);
        let kind = self.shared(event.kind, |event| &event.kind);
        let Layout { bytes, ends } = &mut self.first;
        let (begin, places) = frame_around(bytes, |out| {
            let places = text.open(out);
            out.extend_from_slice(&self.end);
            places
        });
        ends.push(bytes.len());
        let place = |place: Range<usize>| begin + place.start..begin + place.end;
        self.events.push(Event {
            pos: event.pos,
            goal,
            kind,
            text: begin..bytes.len() - self.end.len(),
            places: Places { data: place(places.data), cursor: place(places.cursor) },
        });
    }

    fn bytes(&self) -> usize {
        // Another layout is made of few of them.
        self.first.bytes.len() + self.events.len() * EVENT_BYTES
    }

    fn seal(&mut self) {
        let Layout { bytes, ends } = &mut self.first;
        bytes.shrink_to_fit();
        ends.shrink_to_fit();
        self.events.shrink_to_fit();
        self.cursor = String::new();
    }
}
