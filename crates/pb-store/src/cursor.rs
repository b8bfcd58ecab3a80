//! Cursors: where a reader is, opaque to it, the same for one goal, all goals and any filter.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::contract::LogIdentity;

/// Two bytes that fill no group, and the digits of the highest position.
const LAST_BYTES_MAX: usize = 2 + 20;

/// A position in one history. Printed as `c1.` + base64url(log id, generation, position).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The log's id.
    pub log_id: String,
    /// Its generation.
    pub generation: u64,
    /// The last event that the reader has.
    pub pos: u64,
}

/// A text that is no cursor of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct BadCursor;

impl Cursor {
    /// The cursor at `pos` of this log.
    pub fn at(log: &LogIdentity, pos: u64) -> Self {
        Self { log_id: log.id.clone(), generation: log.generation, pos }
    }

    /// Whether this log can serve the cursor, as far as its identity goes.
    pub fn is_of(&self, log: &LogIdentity) -> bool {
        self.log_id == log.id && self.generation == log.generation
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        CursorWriter::new(&self.log_id, self.generation).write(self.pos, &mut text);
        f.write_str(&text)
    }
}

/// Writes cursors of one history: what is the same in all of them is encoded once.
#[derive(Debug, Clone)]
pub struct CursorWriter {
    /// How each begins.
    head: String,
    /// What comes before the position and fills no group of base64.
    rest: Vec<u8>,
}

impl CursorWriter {
    /// For the log of this id and generation.
    pub fn new(log_id: &str, generation: u64) -> Self {
        let plain = format!("{log_id}\n{generation}\n");
        let (whole, rest) = plain.as_bytes().split_at(plain.len() / 3 * 3);
        Self { head: format!("c1.{}", URL_SAFE_NO_PAD.encode(whole)), rest: rest.to_owned() }
    }

    /// Appends the cursor at `pos`.
    pub fn write(&self, pos: u64, out: &mut String) {
        out.push_str(&self.head);
        let mut last = [0; LAST_BYTES_MAX];
        let mut end = 0;
        for part in [self.rest.as_slice(), itoa::Buffer::new().format(pos).as_bytes()] {
            // There is room for both.
            last.get_mut(end..end + part.len()).unwrap_or_default().copy_from_slice(part);
            end += part.len();
        }
        URL_SAFE_NO_PAD.encode_string(last.get(..end).unwrap_or_default(), out);
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let encoded = text.strip_prefix("c1.").filter(|rest| rest.len() <= 256).ok_or(BadCursor)?;
        let plain = URL_SAFE_NO_PAD
            .decode(encoded)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(BadCursor)?;
        let mut parts = plain.split('\n');
        let (Some(log_id), Some(generation), Some(pos), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadCursor);
        };
        Ok(Self {
            log_id: log_id.to_owned(),
            generation: generation.parse().map_err(|_| BadCursor)?,
            pos: pos.parse().map_err(|_| BadCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_wire_and_nonsense_is_refused() {
        let cursor = Cursor { log_id: "a1b2".to_owned(), generation: 3, pos: 12_345 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for nonsense in ["", "start", "c1.", "c1.!!!", "c2.YTEKMwox", &format!("c1.{}", "A".repeat(300))] {
            assert_eq!(nonsense.parse::<Cursor>(), Err(BadCursor), "{nonsense}");
        }
    }

    #[test]
    fn a_cursor_is_the_base64_of_its_parts_however_long_they_are() {
        for log_id in ["", "a", "ab", "日志", "a1b2c3d4"] {
            for pos in [0, 7, 99, 123_456, u64::MAX] {
                let cursor = Cursor { log_id: log_id.to_owned(), generation: 12, pos };
                let plain = format!("{log_id}\n12\n{pos}");
                assert_eq!(cursor.to_string(), format!("c1.{}", URL_SAFE_NO_PAD.encode(plain)));
            }
        }
    }
}
