//! The mark: how far the log was seen, kept beside it, to notice a file that was put back by hand.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::contract::Error;

/// How far a log was seen, and when its writer was last alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The log's id.
    pub log_id: String,
    /// The position of its last event.
    pub pos: u64,
    /// When this was written.
    pub at_ms: u64,
}

impl Mark {
    /// Reads the mark. A missing or damaged one says nothing.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Writes the mark, whole or not at all. Not synced: it is a hint, and a lost one is an old one.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let text = serde_json::to_string(self).map_err(|source| Error::Corrupt { what: "mark", source })?;
        let fresh = path.with_extension("mark.new");
        std::fs::write(&fresh, text).map_err(io)?;
        std::fs::rename(&fresh, path).map_err(io)
    }
}
