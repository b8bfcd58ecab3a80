//! `run/notified.json`: up to where in the log a person was told, and whether telling works.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Up to where a person was told. Names of programs only: their arguments may hold secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notified {
    /// The log's id.
    pub log: String,
    /// Its generation.
    pub generation: u64,
    /// What is after this position has not been told.
    pub pos: u64,
    /// The scheduler that tells.
    pub pid: u32,
    /// The programs by which it does.
    pub programs: Vec<String>,
    /// What went wrong the last time, if it did.
    pub problem: Option<String>,
}

impl Notified {
    /// Writes it in one piece.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, serde_json::to_vec(self)?)?;
        std::fs::rename(beside, path)
    }

    /// What was written last; `None` where nothing was, or it is damaged.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}
