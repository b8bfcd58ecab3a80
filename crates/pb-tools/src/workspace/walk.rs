//! Walking the workspace, level by level and in order of names, without following links.
//!
//! The `ignore` crate gives the rules and not the walk: its walk opens folders and `.gitignore`
//! files by path, so a swapped link would lead it out, and a named pipe would hold it for ever.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cap_std::fs::{Dir, DirEntry, FileType};

use super::Workspace;
use super::rules::Rules;

/// Most entries of folders that one walk looks at.
const WALKED_ENTRIES_MAX: usize = 200_000;

/// The folder that no walk enters, nor shows.
const GIT_FOLDER: &str = ".git";

/// One file, folder or link.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Relative to the workspace.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) kind: Kind,
    /// Bytes of a file; 0 for others.
    pub(crate) bytes: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, which is not followed.
    Link,
    /// A pipe, socket or device.
    Other,
}

/// How far a walk goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Levels of folders; 1 is the folder itself.
    pub(crate) depth: u32,
    /// When it gives up.
    pub(crate) deadline: Instant,
}

/// What a walk left out.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Entries that rules leave out.
    pub(crate) ignored: usize,
    /// Folders that could not be read.
    pub(crate) unreadable: usize,
    /// Whether a limit ended it, or the visitor.
    pub(crate) cut: bool,
}

struct Folder {
    path: PathBuf,
    depth: u32,
    rules: Arc<Rules>,
}

impl Workspace {
    /// Shows `visit` everything below `start` (from [`Self::folder`]) that rules do not leave out.
    pub(crate) fn walk(
        &self,
        start: PathBuf,
        limits: Limits,
        visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Walked {
        let mut walked = Walked::default();
        let mut entries_left = WALKED_ENTRIES_MAX;
        let rules = Rules::read(self, &start);
        // Folders wait as paths, not as descriptors, of which there are few.
        let mut open = VecDeque::from([Folder { path: start, depth: 1, rules }]);
        while let Some(folder) = open.pop_front() {
            let Some(entries) = self.entries(&folder, &mut entries_left) else {
                walked.unreadable += 1;
                continue;
            };
            for entry in entries {
                if folder.rules.ignores(&entry.path, entry.kind == Kind::Folder) {
                    walked.ignored += 1;
                    continue;
                }
                if entry.kind == Kind::Folder && folder.depth < limits.depth {
                    let rules = Rules::below(Arc::clone(&folder.rules), self, &entry.path);
                    open.push_back(Folder { path: entry.path.clone(), depth: folder.depth + 1, rules });
                }
                if visit(entry).is_break() || Instant::now() >= limits.deadline {
                    walked.cut = true;
                    return walked;
                }
            }
            if entries_left == 0 {
                walked.cut = true;
                return walked;
            }
        }
        walked
    }

    /// The entries of a folder by name; `None` when it cannot be read, or is gone.
    fn entries(&self, folder: &Folder, entries_left: &mut usize) -> Option<Vec<Entry>> {
        let dir: Dir = if folder.path.as_os_str().is_empty() {
            self.dir.try_clone().ok()?
        } else {
            self.dir.open_dir(&folder.path).ok()?
        };
        let mut entries: Vec<Entry> = dir
            .entries()
            .ok()?
            .take(*entries_left)
            .flatten()
            .filter(|entry| entry.file_name() != GIT_FOLDER)
            .filter_map(|entry| Entry::of(&entry, folder))
            .collect();
        *entries_left = entries_left.saturating_sub(entries.len());
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Some(entries)
    }
}

impl Entry {
    fn of(entry: &DirEntry, folder: &Folder) -> Option<Self> {
        let kind = Kind::of(entry.file_type().ok()?);
        let bytes = if kind == Kind::File { entry.metadata().ok()?.len() } else { 0 };
        Some(Self { path: folder.path.join(entry.file_name()), kind, bytes })
    }
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        if file_type.is_file() {
            Self::File
        } else if file_type.is_dir() {
            Self::Folder
        } else if file_type.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}
