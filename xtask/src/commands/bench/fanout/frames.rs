//! Counting frames of a server (RFC 6455 §5.2) by their headers, in whatever pieces they come.

/// The first byte of a whole text message.
pub(super) const TEXT: u8 = 0x81;
/// The same of a binary one.
pub(super) const BINARY: u8 = 0x82;
/// Longer texts are events; a cursor is shorter.
const EVENT_BYTES_MIN: u64 = 200;
/// Longest header of a frame without a mask, in bytes.
const HEADER_BYTES_MAX: usize = 10;

/// Where in a stream of frames a reader is.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// What is left of the frame.
    skip: u64,
    /// What came of the next header.
    header: Vec<u8>,
}

impl Frames {
    /// How many events begin in this piece.
    pub(super) fn events(&mut self, piece: &[u8]) -> u64 {
        let mut events = 0;
        self.each(piece, |first, length| events += u64::from(first == TEXT && length >= EVENT_BYTES_MIN));
        events
    }

    /// How many bytes there are in binary messages that begin in this piece.
    pub(super) fn binary_bytes(&mut self, piece: &[u8]) -> u64 {
        let mut bytes = 0;
        self.each(piece, |first, length| bytes += if first == BINARY { length } else { 0 });
        bytes
    }

    /// Tells of each frame that begins in this piece: its first byte, and how long what follows is.
    fn each(&mut self, mut piece: &[u8], mut tell: impl FnMut(u8, u64)) {
        loop {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
            self.skip -= skipped as u64;
            piece = piece.get(skipped..).unwrap_or_default();
            let Some((first, length, used)) = self.next_header(piece) else { return };
            piece = piece.get(used..).unwrap_or_default();
            tell(first, length);
            self.skip = length;
        }
    }

    /// Its first byte, the length of what follows it, and how much of the piece belongs to it. Keeps what is
    /// there when it is not whole.
    fn next_header(&mut self, piece: &[u8]) -> Option<(u8, u64, usize)> {
        if self.header.is_empty()
            && let Some((first, length, size)) = header(piece)
        {
            return Some((first, length, size));
        }
        let before = self.header.len();
        self.header.extend_from_slice(piece.get(..HEADER_BYTES_MAX).unwrap_or(piece));
        let (first, length, size) = header(&self.header)?;
        self.header.clear();
        Some((first, length, size - before))
    }
}

fn header(bytes: &[u8]) -> Option<(u8, u64, usize)> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    Some(match length {
        126 => (*first, u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (*first, u64::from_be_bytes(*rest.first_chunk()?), HEADER_BYTES_MAX),
        short => (*first, u64::from(*short), 2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_in_whatever_pieces_they_come() {
        let mut stream = Vec::new();
        for (first, length) in [(TEXT, 300_u64), (0x89, 0), (TEXT, 100), (TEXT, 70_000), (TEXT, 200)] {
            stream.push(first);
            match (u8::try_from(length), u16::try_from(length)) {
                (Ok(short), _) if short < 126 => stream.push(short),
                (_, Ok(medium)) => stream.extend([&[126], medium.to_be_bytes().as_slice()].concat()),
                _ => stream.extend([&[127], length.to_be_bytes().as_slice()].concat()),
            }
            stream.resize(stream.len() + usize::try_from(length).unwrap(), TEXT);
        }
        for step in [1, 2, 3, 7, 299, 65_536, stream.len()] {
            let mut frames = Frames::default();
            let counted: u64 = stream.chunks(step).map(|piece| frames.events(piece)).sum();
            assert_eq!((counted, frames.skip), (3, 0), "in pieces of {step}");
        }
    }
}
