//! Writing whole files, so that a reader sees the old or the new one and never a half.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};

use cap_std::fs::{Dir, File, MetadataExt, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};

use super::{Workspace, explain, name};
use crate::ToolError;

/// How often what bears the name of the new file is removed, before it is given up.
const TEMPORARY_TRIES_MAX: u32 = 3;

/// The bits of a mode that a rewritten file keeps: not those that lend somebody's rights.
const KEPT_MODE: u32 = 0o777;

/// The mode bit that lets a file's owner write.
const OWNER_WRITES: u32 = 0o200;

/// Mode of a new file before the umask.
const NEW_FILE_MODE: u32 = 0o666;

/// A new file is called so before it is renamed, with [`TEMPORARY_DIGITS`] hex digits in between.
const TEMPORARY_PREFIX: &str = ".pb-";
/// See above.
const TEMPORARY_SUFFIX: &str = ".tmp";
/// See above.
const TEMPORARY_DIGITS: usize = 16;

/// Where a file is to be written: a folder that is open, so that nothing can change what the
/// path means, and a name in it.
#[derive(Debug)]
struct Target {
    parent: Dir,
    file_name: OsString,
    /// The mode of the file that is there.
    mode: Option<u32>,
}

impl Workspace {
    /// Writes the whole file at `path` and says whether it is new. Folders above it are made, its
    /// mode is kept, and if it is a link inside of the workspace, what it leads to is written.
    pub(crate) fn write_file(&self, path: &str, content: &[u8]) -> Result<bool, ToolError> {
        let target = self.target(path)?;
        target.write(content).map_err(|error| explain(path, &error))?;
        Ok(target.mode.is_none())
    }

    fn target(&self, path: &str) -> Result<Target, ToolError> {
        let relative = self.resolve(path)?;
        let refuse = |why: &str| ToolError::Model(format!("{}: {why}", name(path)));
        let wrong = |error: io::Error| explain(path, &error);
        if path.ends_with('/') {
            return Err(refuse("a path to a folder, not to a file"));
        }
        let real = match self.dir.canonicalize(&relative) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.dir.symlink_metadata(&relative).is_ok() {
                    return Err(refuse("a link that leads nowhere"));
                }
                relative
            }
            Err(error) => return Err(wrong(error)),
        };
        let Some(file_name) = real.file_name() else {
            return Err(refuse("a path to a folder, not to a file"));
        };
        let parent = match real.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => {
                self.dir.create_dir_all(parent).map_err(wrong)?;
                self.dir.open_dir(parent).map_err(wrong)?
            }
            _ => self.dir.try_clone().map_err(wrong)?,
        };
        let mode = match parent.symlink_metadata(file_name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(error)),
            Ok(metadata) if metadata.is_dir() => return Err(refuse("is a folder")),
            Ok(metadata) if !metadata.is_file() => return Err(refuse("not a regular file")),
            // Replacing it would work, but whoever took the right away meant something by it.
            Ok(metadata) if metadata.mode() & OWNER_WRITES == 0 => {
                return Err(refuse("is read-only; if you must, make it writable with run_command"));
            }
            Ok(metadata) => Some(metadata.mode() & KEPT_MODE),
        };
        Ok(Target { parent, file_name: file_name.to_owned(), mode })
    }
}

impl Target {
    fn write(&self, content: &[u8]) -> io::Result<()> {
        let temporary = self.temporary();
        let file = self.create(&temporary)?;
        let written = self.fill(&file, content).and_then(|()| {
            let inode = file.metadata()?.ino();
            if self.parent.symlink_metadata(&temporary)?.ino() != inode {
                return Err(io::Error::other("somebody else writes it at the same time"));
            }
            // A rename replaces the name itself, even if it became a link in the meantime.
            self.parent.rename(&temporary, &self.parent, &self.file_name)
        });
        if written.is_err() {
            // What cannot be removed either is a stray file; the first error says more.
            let _ = self.parent.remove_file(&temporary);
        }
        written
    }

    /// The name of the new file until it is renamed: always the same for a target, so that what a crash
    /// left is replaced when the same call is made again, and not delivered as somebody's work.
    fn temporary(&self) -> OsString {
        let mut hasher = DefaultHasher::new();
        self.file_name.hash(&mut hasher);
        let digest = hasher.finish();
        format!("{TEMPORARY_PREFIX}{digest:0TEMPORARY_DIGITS$x}{TEMPORARY_SUFFIX}").into()
    }

    fn create(&self, temporary: &OsString) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(self.mode.unwrap_or(NEW_FILE_MODE));
        let mut tries_left = TEMPORARY_TRIES_MAX;
        loop {
            match self.parent.open_with(temporary, &options) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries_left > 0 => {
                    tries_left -= 1;
                    self.parent.remove_file(temporary)?;
                }
                opened => return opened,
            }
        }
    }

    fn fill(&self, mut file: &File, content: &[u8]) -> io::Result<()> {
        file.write_all(content)?;
        if let Some(mode) = self.mode {
            // The umask took bits away that the old file had.
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        // The step is recorded as done after this; a power failure must not leave an empty file.
        file.sync_all()
    }
}

/// Whether a file of this name is one that a file tool is writing, or was when its process was killed:
/// it belongs to nobody's work.
pub fn is_unfinished(file_name: &OsStr) -> bool {
    let name = file_name.to_str().and_then(|name| name.strip_prefix(TEMPORARY_PREFIX));
    let digits = name.and_then(|name| name.strip_suffix(TEMPORARY_SUFFIX));
    digits.is_some_and(|digits| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digits.len() == TEMPORARY_DIGITS && digits.bytes().all(is_hex)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_files_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        for path in ["a.txt", "文.txt", "b", "c", "d"] {
            let name = workspace.target(path).unwrap().temporary();
            assert!(is_unfinished(&name), "{name:?}");
        }
        assert!(is_unfinished(OsStr::new(".pb-0000000000000000.tmp")));
        for name in [
            "",
            ".tmp",
            ".pb-.tmp",
            ".pb-notes.tmp",
            ".pb-123456789abcdef.tmp",
            ".pb-0123456789abcdef0.tmp",
            ".pb-0123456789ABCDEF.tmp",
            ".pb-0123456789abcdeg.tmp",
            "pb-0123456789abcdef.tmp",
            ".pb-0123456789abcdef.tmp~",
            ".pb-0123456789abcdef",
        ] {
            assert!(!is_unfinished(OsStr::new(name)), "{name}");
        }
    }
}
