//! What goes out: frames of our own and pieces of pages, written many at once.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::metrics::Sent;
use crate::page::{Dress, EventSpan, Layout};
use crate::socket::WriteHalf;

/// Most pieces in one write.
const PIECES_MAX: usize = 64;

/// What waits for the socket.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pieces: VecDeque<Piece>,
    /// How much of the first piece has left.
    written: usize,
    /// How much waits.
    bytes: usize,
    /// What has left since it was last asked.
    sent: Sent,
}

#[derive(Debug)]
enum Piece {
    Own(Bytes),
    /// What is left of an event's frame, which is counted already.
    Rest(Bytes),
    Events(Events),
}

/// Events of a page, for a subscription.
#[derive(Debug)]
struct Events {
    span: EventSpan,
    /// Which of its events.
    range: Range<usize>,
    dress: Dress,
    /// The frames, if they are not those that the page shares.
    own: Option<Layout>,
}

/// How far a write came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Everything has left.
    All,
    /// The socket takes no more now; whether it took anything.
    Blocked { some: bool },
}

impl Outgoing {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What has left since this was last asked.
    pub(crate) fn take_sent(&mut self) -> Sent {
        std::mem::take(&mut self.sent)
    }

    /// A frame of our own.
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.pieces.push_back(Piece::Own(frame));
    }

    /// Events of a page.
    pub(crate) fn push_events(&mut self, span: EventSpan, range: Range<usize>, dress: Dress) {
        let own = match &dress {
            Dress::Bare | Dress::First => None,
            Dress::Other(name) => Some(span.page().frames_for(range.clone(), name)),
        };
        let events = Events { span, range, dress, own };
        self.bytes += events.bytes().len();
        self.pieces.push_back(Piece::Events(events));
    }

    /// Writes as much as the socket takes.
    pub(crate) fn write(&mut self, socket: &WriteHalf) -> io::Result<Written> {
        let mut some = false;
        while !self.pieces.is_empty() {
            match self.write_once(socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    some = true;
                    self.advance(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Written::Blocked { some });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Written::All)
    }

    fn write_once(&self, socket: &WriteHalf) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            let skip = if count == 0 { self.written } else { 0 };
            *slice = IoSlice::new(piece.bytes().get(skip..).unwrap_or_default());
            count += 1;
        }
        socket.try_write_vectored(slices.get(..count).unwrap_or_default())
    }

    fn advance(&mut self, count: usize) {
        self.bytes -= count;
        self.written += count;
        self.sent.bytes += count as u64;
        while let Some(first) = self.pieces.front().map(|piece| piece.bytes().len())
            && self.written >= first
        {
            self.written -= first;
            match self.pieces.pop_front() {
                Some(Piece::Own(_)) => self.sent.frames += 1,
                Some(Piece::Events(events)) => self.sent.count_events(events.range.len()),
                Some(Piece::Rest(_)) | None => {}
            }
        }
    }

    /// Whether a page is held that nobody else holds: memory that is only for this client.
    pub(crate) fn holds_alone(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Own(_) | Piece::Rest(_) => false,
            Piece::Events(events) => events.own.is_some() || Arc::strong_count(&events.span) == 1,
        })
    }

    /// Lets go of the pages, but for the rest of a frame that has begun. For each subscription whose events
    /// are let go of: the position of the last event that was sent, or has begun to be.
    pub(crate) fn release(&mut self) -> Vec<(Dress, u64)> {
        let mut unsent: Vec<(Dress, u64)> = Vec::new();
        let mut kept = VecDeque::new();
        for (index, piece) in std::mem::take(&mut self.pieces).into_iter().enumerate() {
            let written = if index == 0 { std::mem::take(&mut self.written) } else { 0 };
            match piece {
                Piece::Own(frame) => kept.push_back(Piece::Own(frame.slice(written..))),
                Piece::Rest(rest) => kept.push_back(Piece::Rest(rest.slice(written..))),
                Piece::Events(events) => {
                    let (begun, pos, rest) = events.release(written);
                    self.sent.count_events(begun);
                    if !rest.is_empty() {
                        kept.push_back(Piece::Rest(rest));
                    }
                    // The first piece of a subscription says where it has to go on.
                    if !unsent.iter().any(|(dress, _)| *dress == events.dress) {
                        unsent.push((events.dress, pos));
                    }
                }
            }
        }
        self.bytes = kept.iter().map(|piece| piece.bytes().len()).sum();
        self.pieces = kept;
        unsent
    }
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(frame) | Self::Rest(frame) => frame,
            Self::Events(events) => events.bytes(),
        }
    }
}

impl Events {
    fn bytes(&self) -> &[u8] {
        match &self.own {
            Some(own) => own.all(),
            None => self.span.page().frames(&self.dress).map_or(&[], |frames| frames.of(&self.range)),
        }
    }

    /// Of how many events something was written, the position of the last of them, and the rest of its frame.
    fn release(&self, written: usize) -> (usize, u64, Bytes) {
        let (event, rest) = if written == 0 { (self.range.start, 0..0) } else { self.rest_of_frame(written) };
        let page = self.span.page();
        let before = event.checked_sub(1).and_then(|before| page.events().get(before));
        let pos = before.map_or(self.span.after(), |event| event.pos);
        let rest = Bytes::copy_from_slice(self.bytes().get(rest).unwrap_or_default());
        (event - self.range.start, pos, rest)
    }

    /// The first event of which nothing was written, and where the rest of the frame before it lies.
    fn rest_of_frame(&self, written: usize) -> (usize, Range<usize>) {
        let (layout, from) = match (&self.own, self.span.page().frames(&self.dress)) {
            (Some(own), _) => (own, 0),
            (None, Some(shared)) => (shared, self.range.start),
            (None, None) => return (self.range.end, 0..0),
        };
        let (frame, start, end) = layout.frame_at(from, written);
        let event = self.range.start + (frame - from);
        if start == written { (event, 0..0) } else { (event + 1, written..end) }
    }
}
