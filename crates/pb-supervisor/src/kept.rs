//! `run/supervisor.json`: what is kept running and with what, for a supervisor that comes after one that was killed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Daemon;

/// What is kept running.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Each of them.
    pub children: BTreeMap<Daemon, KeptChild>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptChild {
    /// Whether it is to run.
    pub wanted: bool,
    /// What it is started with after `pb NAME start`.
    pub arguments: Vec<OsString>,
}

impl Kept {
    /// Writes it in one piece.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, serde_json::to_vec(self)?)?;
        std::fs::rename(beside, path)
    }

    /// What the last supervisor wrote; `None` where it is missing or damaged.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}
