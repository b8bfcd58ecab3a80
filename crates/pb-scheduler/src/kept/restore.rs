//! Putting files back as they were kept.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path};

use pb_model::goal::Kept;

use super::changes::{Change, Changes, What};
use super::record::{FileRecord, Mode, content};
use super::{KeptError, Which, keep};
use crate::workspace::Manifest;

/// What was put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files that are as they were.
    pub put_back: usize,
    /// Files that were not there before, and are gone.
    pub removed: usize,
}

/// Keeps what is there now, so that putting back what was there before can be undone too.
///
/// # Errors
/// [`KeptError::NoWayBack`] when it cannot be kept.
pub fn keep_present(changes: &Changes) -> Result<(), KeptError> {
    let now =
        Manifest::take(&changes.folder, None).map_err(|error| KeptError::Workspace(super::chain(&error)))?;
    match keep(&changes.home, (changes.of.0, Which::Undone), &changes.folder, &now) {
        Kept::Not { why } => Err(KeptError::NoWayBack(why)),
        Kept::Empty | Kept::Git { .. } | Kept::Copy { .. } => Ok(()),
    }
}

/// Puts `chosen` back, all of `changes`.
///
/// # Errors
/// A file cannot be written; those before it are put back, and it can be tried again.
pub fn restore(changes: &Changes, chosen: &[&Change]) -> Result<Restored, KeptError> {
    let mut restored = Restored::default();
    for change in chosen {
        let path = changes.folder.join(&change.path);
        let Some(file) = changes.record.files.get(&change.path) else {
            debug_assert_eq!(change.what, What::Added);
            remove(&path).map_err(KeptError::io("cannot remove", &path))?;
            remove_empty(&changes.folder, &path);
            restored.removed += 1;
            continue;
        };
        let content = content(&changes.home, changes.of, &changes.folder, file)?;
        make_way(&changes.folder, &change.path)?;
        put(&path, file, content).map_err(KeptError::io("cannot write", &path))?;
        restored.put_back += 1;
    }
    Ok(restored)
}

/// Makes the folders above a file. What stands there instead of one goes: it could lead out of the workspace.
fn make_way(folder: &Path, path: &str) -> Result<(), KeptError> {
    let mut at = folder.to_owned();
    let above = Path::new(path).parent().map(Path::components).into_iter().flatten();
    for part in above {
        let Component::Normal(part) = part else { continue };
        at.push(part);
        match at.symlink_metadata() {
            Ok(meta) if meta.is_dir() => continue,
            Ok(_) => fs::remove_file(&at).map_err(KeptError::io("cannot remove", &at))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(KeptError::io("cannot look at", &at)(error)),
        }
        fs::create_dir(&at).map_err(KeptError::io("cannot make", &at))?;
    }
    Ok(())
}

/// Writes a file beside its place and moves it there.
fn put(path: &Path, file: &FileRecord, content: Vec<u8>) -> std::io::Result<()> {
    if path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        fs::remove_dir_all(path)?;
    }
    // A name that no manifest counts, should this be killed.
    let new = path.with_file_name(format!(".pb-{}.tmp", file.digest.get(..16).unwrap_or_default()));
    remove(&new)?;
    match file.mode {
        Mode::Link => symlink(OsString::from_vec(content), &new)?,
        Mode::File | Mode::Executable => {
            fs::write(&new, content)?;
            let mode = if file.mode == Mode::Executable { 0o755 } else { 0o644 };
            fs::set_permissions(&new, Permissions::from_mode(mode))?;
        }
    }
    fs::rename(&new, path)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes the folders that a removed file leaves empty.
fn remove_empty(folder: &Path, path: &Path) {
    for above in path.ancestors().skip(1).take_while(|above| *above != folder) {
        if fs::remove_dir(above).is_err() {
            return; // Something else is in it.
        }
    }
}
