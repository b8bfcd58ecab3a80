//! One JSON object a line, bounded (`wire.md` §1.1).
//!
//! Bytes are framed before they are decoded, so a character that straddles two reads stays whole.
//! A line that is too long or not UTF-8 is skipped without being buffered, and the connection goes on.

use bytes::BytesMut;
use tokio_util::codec::{Decoder, LinesCodec, LinesCodecError};

/// Longest line, in bytes, without its end.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

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

/// Splits a byte stream into lines. A bad line is an item, not the end of the stream.
#[derive(Debug)]
pub struct LineDecoder(LinesCodec);

impl Default for LineDecoder {
    fn default() -> Self {
        Self(LinesCodec::new_with_max_length(LINE_BYTES_MAX))
    }
}

impl LineDecoder {
    fn item(
        decoded: Result<Option<String>, LinesCodecError>,
    ) -> Result<Option<Result<String, BadLine>>, std::io::Error> {
        match decoded {
            Ok(line) => Ok(line.map(Ok)),
            Err(LinesCodecError::MaxLineLengthExceeded) => Ok(Some(Err(BadLine::TooLong))),
            Err(LinesCodecError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                Ok(Some(Err(BadLine::NotUtf8)))
            }
            Err(LinesCodecError::Io(error)) => Err(error),
        }
    }
}

impl Decoder for LineDecoder {
    type Item = Result<String, BadLine>;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        Self::item(self.0.decode(bytes))
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        Self::item(self.0.decode_eof(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `bytes` in pieces of `step` and returns what came out.
    fn lines(bytes: &[u8], step: usize) -> Vec<Result<String, BadLine>> {
        let mut decoder = LineDecoder::default();
        let mut buffer = BytesMut::new();
        let mut out = Vec::new();
        for piece in bytes.chunks(step.max(1)) {
            buffer.extend_from_slice(piece);
            while let Some(line) = decoder.decode(&mut buffer).unwrap() {
                out.push(line);
            }
        }
        out
    }

    #[test]
    fn characters_that_straddle_reads_stay_whole() {
        let text = "{\"title\":\"帮我创建一个测试文件\"}\n";
        for step in 1..text.len() {
            assert_eq!(lines(text.as_bytes(), step), [Ok(text.trim_end().to_owned())]);
        }
    }

    #[test]
    fn a_bad_line_is_skipped_and_the_next_one_read() {
        let mut bytes = vec![b'x'; LINE_BYTES_MAX + 10];
        bytes.extend_from_slice(b"\nok\n\xff\xfe\nfine\n");
        let expect =
            [Err(BadLine::TooLong), Ok("ok".to_owned()), Err(BadLine::NotUtf8), Ok("fine".to_owned())];
        assert_eq!(lines(&bytes, 4096), expect);
        assert_eq!(lines(&bytes, bytes.len()), expect);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_lines(bytes: Vec<u8>, step in 1_usize..9) {
            prop_assert_eq!(lines(&bytes, step), lines(&bytes, bytes.len()));
        }
    }
}
