//! Keeping the person's files: before a goal first writes, its workspace is kept as it is, so that what
//! the goal did can be looked at and undone.
//!
//! ```text
//!   goal starts --> every file that counts --> git: a commit under refs/ponybunny/<goal> (git.rs)
//!                                         \--> else: a copy in $PB_HOME/kept, up to 1 GiB (record.rs)
//!   pb goal diff, pb goal undo <-- what is different now (changes.rs) --> put back (restore.rs)
//! ```
//!
//! Files that a `.gitignore` of the workspace leaves out do not count: they are not kept and not undone.

mod changes;
mod git;
mod record;
mod restore;

use std::path::Path;

use pb_model::GoalId;
use pb_model::goal::Kept;
use pb_runtime::Home;

use crate::workspace::Manifest;

pub use changes::{Change, Changes, What, changes};
pub use restore::{Restored, keep_present, restore};

use record::Record;

/// Largest copy of a workspace, in bytes.
const COPY_BYTES_MAX: u64 = 1 << 30;

/// Why kept files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// There is no record.
    #[error("the files of {0} were not kept, or are kept no more")]
    NotKept(String),
    /// A file cannot be read or written.
    #[error("{what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// git failed.
    #[error("git {command} failed: {said}")]
    Git {
        /// The subcommand.
        command: &'static str,
        /// What it said.
        said: String,
    },
    /// The record cannot be read.
    #[error("the record of kept files is damaged")]
    Damaged(#[from] serde_json::Error),
    /// What is there now cannot be kept.
    #[error("the files as they are now cannot be kept, so putting the others back could not be undone: {0}")]
    NoWayBack(String),
    /// The workspace cannot be looked at.
    #[error("the workspace cannot be looked at: {0}")]
    Workspace(String),
}

impl KeptError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// Which of a goal's two records: as it was when the goal started, or as it was when the goal was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// When the goal started.
    Start,
    /// When it was undone.
    Undone,
}

impl Which {
    fn name(self, goal: GoalId) -> String {
        match self {
            Self::Start => goal.to_string(),
            Self::Undone => format!("{goal}.undone"),
        }
    }
}

/// Keeps the files of a workspace. A failure is no reason not to start: it is said, and a person can decide.
pub(crate) fn keep(home: &Home, (goal, which): (GoalId, Which), folder: &Path, now: &Manifest) -> Kept {
    if now.files.is_empty() && which == Which::Start {
        return Kept::Empty;
    }
    let kept = if git::is_repository(folder) {
        // A repository that git itself will not touch is copied as any other folder.
        match git::keep(home, (goal, which), folder, now) {
            Ok(record) => Ok(record),
            Err(error) => {
                tracing::warn!(%goal, %error, "git does not keep the workspace; copying it");
                record::copy(home, (goal, which), folder, now)
            }
        }
    } else {
        record::copy(home, (goal, which), folder, now)
    };
    let written = kept.and_then(|record| record.write(home, (goal, which)).map(|()| record.kept));
    written.unwrap_or_else(|error| Kept::Not { why: chain(&error) })
}

/// How the files were kept when the goal was undone.
///
/// # Errors
/// It was not.
pub fn undone(home: &Home, goal: GoalId) -> Result<Kept, KeptError> {
    Ok(Record::read(home, (goal, Which::Undone))?.kept)
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Forgets what was kept for a goal.
pub(crate) fn forget(home: &Home, goal: GoalId, folder: Option<&Path>) {
    for which in [Which::Start, Which::Undone] {
        let Ok(record) = Record::read(home, (goal, which)) else { continue }; // Nothing was kept.
        if let (Kept::Git { .. }, Some(folder)) = (&record.kept, folder)
            && let Err(error) = git::forget((goal, which), folder)
        {
            tracing::warn!(%goal, %error, "the kept commit stays");
        }
        record::remove(home, (goal, which));
    }
}

#[cfg(test)]
mod tests;
