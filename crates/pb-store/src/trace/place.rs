//! Which file a path names: somebody may delete the trace, or put another one in its place, while it
//! is open.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A path, and the file that it named when it was opened.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: PathBuf,
    file: Option<(u64, u64)>,
}

impl Place {
    /// The file that is there now.
    pub(super) fn of(path: PathBuf) -> Self {
        let file = file_at(&path);
        Self { path, file }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there was a file, and the path still names it.
    pub(super) fn is_same(&self) -> bool {
        self.file.is_some() && self.file == file_at(&self.path)
    }
}

/// Removes what a deleted file has left beside it. Another process may still have the old file open: its
/// WAL index must not be taken for that of the new one.
pub(super) fn clear_if_gone(path: &Path) -> std::io::Result<()> {
    if file_at(path).is_some() {
        return Ok(());
    }
    for end in ["-wal", "-shm"] {
        let mut beside = path.to_owned().into_os_string();
        beside.push(end);
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// A look, not an open: closing a descriptor of the live file would drop SQLite's locks.
fn file_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}
