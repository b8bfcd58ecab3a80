//! Cursors: where a reader is, opaque to it, the same for one goal, all goals and any filter.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::contract::LogIdentity;

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
        let plain = format!("{}\n{}\n{}", self.log_id, self.generation, self.pos);
        write!(f, "c1.{}", URL_SAFE_NO_PAD.encode(plain))
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
}
