//! What is different from what was kept.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pb_model::GoalId;
use pb_model::goal::Kept;
use pb_runtime::Home;
use similar::TextDiff;

use super::record::{FileRecord, Mode, Record, content, files};
use super::{KeptError, Which};
use crate::workspace::Manifest;

/// Larger files are not shown line by line, in bytes.
const SHOWN_BYTES_MAX: usize = 1 << 20;
/// Lines around a change that are shown.
const CONTEXT_LINES: usize = 3;

/// A workspace compared with what was kept of it.
#[derive(Debug)]
pub struct Changes {
    pub(super) home: Home,
    pub(super) of: (GoalId, Which),
    pub(super) folder: PathBuf,
    pub(super) record: Record,
    /// What is different, by path.
    pub all: Vec<Change>,
}

/// A file that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path, relative to the workspace.
    pub path: String,
    /// What happened to it since.
    pub what: What,
    /// Digest of what is there now, as in an artifact; none if nothing is.
    pub digest_now: Option<String>,
}

/// What happened to a file since it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It was not there.
    Added,
    /// Its content is another one.
    Changed,
    /// It is the same, but may now be run, or not any more.
    Mode,
    /// It is gone.
    Deleted,
}

impl What {
    /// The word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Mode => "mode",
            Self::Deleted => "deleted",
        }
    }
}

/// Compares a workspace with what was kept of it.
///
/// # Errors
/// Nothing was kept, or something cannot be read.
pub fn changes(home: &Home, of: (GoalId, Which), kept: &Kept, folder: &Path) -> Result<Changes, KeptError> {
    let record = match kept {
        Kept::Empty => Record { kept: Kept::Empty, files: std::collections::BTreeMap::new() },
        Kept::Git { .. } | Kept::Copy { .. } => Record::read(home, of)?,
        Kept::Not { why } => return Err(KeptError::NotKept(format!("{} ({why})", of.0))),
    };
    let now = Manifest::take(folder, None).map_err(|error| KeptError::Workspace(super::chain(&error)))?;
    let now = files(folder, &now)?;
    let mut all = Vec::new();
    for (path, file) in &now {
        let what = match record.files.get(path) {
            None => What::Added,
            Some(kept) if kept.digest != file.digest || is_link(kept) != is_link(file) => What::Changed,
            Some(kept) if kept.mode != file.mode => What::Mode,
            Some(_) => continue,
        };
        all.push(Change { path: path.clone(), what, digest_now: Some(file.digest.clone()) });
    }
    let gone = record.files.keys().filter(|path| !now.contains_key(*path));
    all.extend(gone.map(|path| Change { path: path.clone(), what: What::Deleted, digest_now: None }));
    all.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Changes { home: home.clone(), of, folder: folder.to_owned(), record, all })
}

fn is_link(file: &FileRecord) -> bool {
    file.mode == Mode::Link
}

impl Changes {
    /// A change as a unified diff.
    ///
    /// # Errors
    /// One of the two contents cannot be read.
    pub fn unified(&self, change: &Change) -> Result<String, KeptError> {
        let path = &change.path;
        let before = match self.record.files.get(path) {
            Some(file) => content(&self.home, self.of, &self.folder, file)?,
            None => Vec::new(),
        };
        let now = match change.what {
            What::Deleted => Vec::new(),
            What::Added | What::Changed | What::Mode => read(&self.folder.join(path))?,
        };
        let (from, to) = match change.what {
            What::Added => ("/dev/null".to_owned(), format!("b/{path}")),
            What::Deleted => (format!("a/{path}"), "/dev/null".to_owned()),
            What::Changed | What::Mode => (format!("a/{path}"), format!("b/{path}")),
        };
        if change.what == What::Mode {
            return Ok(format!("--- {from}\n+++ {to}\nonly its mode is another one\n"));
        }
        let shown = |content: &[u8]| content.len() <= SHOWN_BYTES_MAX && !content.contains(&0);
        match (String::from_utf8(before), String::from_utf8(now)) {
            (Ok(before), Ok(now)) if shown(before.as_bytes()) && shown(now.as_bytes()) => {
                let diff = TextDiff::from_lines(&before, &now);
                Ok(diff.unified_diff().context_radius(CONTEXT_LINES).header(&from, &to).to_string())
            }
            _ => Ok(format!("--- {from}\n+++ {to}\nbinary files, or too large to be shown\n")),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeptError> {
    let read = match Mode::of(path) {
        Ok(Some(Mode::Link)) => fs::read_link(path).map(|target| target.as_os_str().as_bytes().to_vec()),
        _ => fs::read(path),
    };
    read.map_err(KeptError::io("cannot read", path))
}
