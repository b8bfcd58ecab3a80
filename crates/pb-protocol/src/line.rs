//! One JSON object a line, bounded (`wire.md` §1.1).
//!
//! Bytes are framed before they are decoded, so a character that straddles two reads stays whole.
//! A line that is too long or not UTF-8 is skipped without being buffered, and the connection goes on.
//! Lines are handed out where they lie: nothing is copied or allocated for each.

use std::io;
use std::ops::Range;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest line, in bytes, without its end.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// A buffer that grew beyond this for a long line is let go of when it is empty, in bytes.
const KEPT_BYTES: usize = 4 * READ_BYTES;

/// A line that was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("a line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("a line is not UTF-8")]
    NotUtf8,
}

/// What of a stream is not handed out yet.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: BytesMut,
    /// Where the next line begins.
    taken: usize,
    /// Before this, and after `taken`, there is no line end.
    searched: usize,
    /// Whether the rest of a line that is too long is being skipped.
    skipping: bool,
}

impl LineBuffer {
    /// Adds what came.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.room();
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line, if its end is there: without that end, and without a `\r` before it.
    pub fn line(&mut self) -> Option<Result<&str, BadLine>> {
        let found = self.find()?;
        Some(found.and_then(|line| self.text(line)))
    }

    /// What stands there without an end, as the stream's last line.
    pub fn last_line(&mut self) -> Option<Result<&str, BadLine>> {
        let line = self.taken..self.bytes.len();
        (self.taken, self.searched) = (line.end, line.end);
        (!line.is_empty() && !self.skipping).then(|| self.text(line))
    }

    /// How many bytes are held for lines that are not handed out.
    pub fn held(&self) -> usize {
        self.bytes.len() - self.taken
    }

    fn find(&mut self) -> Option<Result<Range<usize>, BadLine>> {
        loop {
            let fresh = self.bytes.get(self.searched..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', fresh).map(|at| self.searched + at) else {
                self.searched = self.bytes.len();
                return self.skip_what_is_too_long();
            };
            let line = self.taken..end;
            (self.taken, self.searched) = (end + 1, end + 1);
            if std::mem::take(&mut self.skipping) {
                continue; // It was told of when it became too long.
            }
            let is_too_long = line.len() > LINE_BYTES_MAX;
            return Some(if is_too_long { Err(BadLine::TooLong) } else { Ok(line) });
        }
    }

    /// Lets go of a line that has no end yet and is too long already; told of once.
    fn skip_what_is_too_long(&mut self) -> Option<Result<Range<usize>, BadLine>> {
        if !self.skipping && self.held() <= LINE_BYTES_MAX {
            return None;
        }
        self.taken = self.bytes.len();
        let is_told = std::mem::replace(&mut self.skipping, true);
        (!is_told).then_some(Err(BadLine::TooLong))
    }

    fn text(&self, line: Range<usize>) -> Result<&str, BadLine> {
        let line = self.bytes.get(line).unwrap_or_default();
        std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| BadLine::NotUtf8)
    }

    /// Makes room for more, where what was handed out lay.
    fn room(&mut self) -> &mut BytesMut {
        self.bytes.advance(self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES {
            self.bytes = BytesMut::new();
        }
        self.bytes.reserve(READ_BYTES);
        &mut self.bytes
    }
}

/// Reads a stream line by line. A bad line is an item, not the end of the stream.
#[derive(Debug)]
pub struct LineReader<R> {
    stream: R,
    buffer: LineBuffer,
    has_ended: bool,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// Reads `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: LineBuffer::default(), has_ended: false }
    }

    /// The next line; `None` at the end. Waits for it; dropping the future loses nothing.
    ///
    /// # Errors
    /// The stream cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Result<&str, BadLine>>> {
        loop {
            if let Some(found) = self.buffer.find() {
                return Ok(Some(found.and_then(|line| self.buffer.text(line))));
            }
            if self.has_ended {
                return Ok(self.buffer.last_line());
            }
            self.has_ended = self.stream.read_buf(self.buffer.room()).await? == 0;
        }
    }

    /// The next line, if it was read already.
    pub fn next_read(&mut self) -> Option<Result<&str, BadLine>> {
        self.buffer.line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Line = Result<String, BadLine>;

    /// Feeds `bytes` in pieces of `step` and returns what came out.
    fn lines(bytes: &[u8], step: usize) -> Vec<Line> {
        let mut buffer = LineBuffer::default();
        let mut out = Vec::new();
        for piece in bytes.chunks(step.max(1)) {
            buffer.extend(piece);
            while let Some(line) = buffer.line() {
                out.push(line.map(str::to_owned));
            }
            assert!(buffer.held() <= LINE_BYTES_MAX);
        }
        out
    }

    #[test]
    fn characters_that_straddle_reads_stay_whole() {
        let text = "{\"title\":\"帮我创建一个测试文件\"}\r\n";
        for step in 1..text.len() {
            assert_eq!(lines(text.as_bytes(), step), [Ok(text.trim_end().to_owned())]);
        }
    }

    #[test]
    fn a_bad_line_is_skipped_and_the_next_one_read() {
        let longest = "y".repeat(LINE_BYTES_MAX);
        let mut bytes = vec![b'x'; 2 * LINE_BYTES_MAX + 10];
        bytes.extend_from_slice(b"\nok\n\xff\xfe\nfine\n");
        bytes.extend_from_slice(longest.as_bytes());
        bytes.extend_from_slice(b"\n");
        let ok = |text: &str| Ok(text.to_owned());
        let expect = [Err(BadLine::TooLong), ok("ok"), Err(BadLine::NotUtf8), ok("fine"), ok(&longest)];
        assert_eq!(lines(&bytes, 4096), expect);
        assert_eq!(lines(&bytes, bytes.len()), expect);
    }

    #[tokio::test]
    async fn a_stream_is_read_to_its_last_line_which_needs_no_end() {
        let stream = "一\n\n三".as_bytes();
        let mut reader = LineReader::new(stream);
        assert_eq!(reader.next_read(), None, "nothing was read");
        assert_eq!(reader.next().await.unwrap(), Some(Ok("一")));
        assert_eq!(reader.next_read(), Some(Ok("")));
        assert_eq!(reader.next_read(), None, "it has no end yet");
        assert_eq!(reader.next().await.unwrap(), Some(Ok("三")));
        assert_eq!(reader.next().await.unwrap(), None);
        assert_eq!(reader.next().await.unwrap(), None);
    }

    /// What the lines of some bytes are, told in the plainest way.
    fn plainly(bytes: &[u8]) -> Vec<Line> {
        let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
        lines.pop(); // It has no end.
        let text = |line: &[u8]| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            String::from_utf8(line.to_vec()).map_err(|_| BadLine::NotUtf8)
        };
        lines.into_iter().map(text).collect()
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_lines(bytes: Vec<u8>, step in 1_usize..9) {
            prop_assert_eq!(lines(&bytes, step), plainly(&bytes));
        }
    }
}
