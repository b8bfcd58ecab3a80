//! What is in a workspace: every file that the `ignore` crate walks, with its digest.
//!
//! `.gitignore` files inside the workspace are honoured; `.git` itself and anything above the
//! workspace are not looked at. Files that our own tools are writing, or were when they were killed, are
//! nobody's work.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::walk::{walk, walk_all};

/// Most files in one manifest.
const FILES_MAX: usize = 100_000;
/// Files above this size are told apart by size and times, not by content, in bytes.
const CONTENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The files of a workspace at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// By path relative to the workspace.
    pub(crate) files: BTreeMap<String, FileMark>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileMark {
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Digest of its content (blake3, hex); of a link, of its target's name.
    pub(crate) digest: String,
    /// Inode, and change and modification time in nanoseconds: unchanged, so is the content.
    stamp: (u64, i128, i128),
}

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    /// Too many files to look at.
    #[error("the workspace has more than {FILES_MAX} files")]
    TooMany,
    /// A file could not be read, or changed under the eyes.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The walk failed.
    #[error("cannot walk the workspace")]
    Walk(#[from] ignore::Error),
}

impl Manifest {
    /// Looks at every file. Those with the same stamp as in `before` are not read again.
    pub(crate) fn take(workspace: &Path, before: Option<&Self>) -> Result<Self, ManifestError> {
        Self::of_walk(workspace, walk(workspace), before)
    }

    /// Looks at those that `.gitignore` files leave out as well.
    pub(crate) fn take_all(workspace: &Path, before: Option<&Self>) -> Result<Self, ManifestError> {
        Self::of_walk(workspace, walk_all(workspace), before)
    }

    fn of_walk(workspace: &Path, walk: ignore::Walk, before: Option<&Self>) -> Result<Self, ManifestError> {
        let mut manifest = Self::default();
        for entry in walk {
            let entry = entry?;
            let is_folder = entry.file_type().is_none_or(|kind| kind.is_dir());
            if is_folder || pb_tools::is_unfinished(entry.file_name()) {
                continue;
            }
            if manifest.files.len() == FILES_MAX {
                return Err(ManifestError::TooMany);
            }
            let path = entry.path();
            let name = path.strip_prefix(workspace).unwrap_or(path).to_string_lossy().into_owned();
            let known = before.and_then(|before| before.files.get(&name));
            let mark = FileMark::of(path, known)
                .map_err(|source| ManifestError::Io { path: path.to_owned(), source })?;
            manifest.files.insert(name, mark);
        }
        Ok(manifest)
    }

    /// One digest for the whole (blake3, hex): names and contents, nothing else.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, mark) in &self.files {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(mark.digest.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The files that are new or different since `before`; `true` for those that were there.
    pub(crate) fn since<'a>(
        &'a self,
        before: &'a Self,
    ) -> impl Iterator<Item = (&'a String, &'a FileMark, bool)> {
        self.files.iter().filter_map(|(name, mark)| match before.files.get(name) {
            Some(old) if old.digest == mark.digest => None,
            old => Some((name, mark, old.is_some())),
        })
    }
}

impl FileMark {
    /// When its inode last changed, in nanoseconds since 1970; nobody can set that back.
    pub(crate) fn changed_ns(&self) -> i128 {
        self.stamp.1
    }

    /// Looks at a file; one with the same stamp as `known` is not read again.
    pub(crate) fn of(path: &Path, known: Option<&Self>) -> io::Result<Self> {
        let meta = path.symlink_metadata()?;
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let stamp =
            (meta.ino(), nanos(meta.ctime(), meta.ctime_nsec()), nanos(meta.mtime(), meta.mtime_nsec()));
        if let Some(known) = known.filter(|known| known.stamp == stamp && known.size == meta.len()) {
            return Ok(known.clone());
        }
        let digest = if meta.is_symlink() {
            blake3::hash(path.read_link()?.as_os_str().as_bytes()).to_hex().to_string()
        } else if !meta.is_file() {
            "special".to_owned()
        } else if meta.len() > CONTENT_BYTES_MAX {
            format!("stamp:{stamp:?}")
        } else {
            file_digest(path)?
        };
        Ok(Self { size: meta.len(), digest, stamp })
    }
}

/// The digest of a file's content (blake3, hex).
pub(crate) fn file_digest(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(std::fs::File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_digest_covers_names_and_contents_and_honours_gitignore() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("文件夹/.git")).unwrap();
        fs::write(at("文件夹/a.txt"), "one").unwrap();
        fs::write(at(".gitignore"), "target/\n").unwrap();
        let first = Manifest::take(folder.path(), None).unwrap();
        assert_eq!(first.files.keys().collect::<Vec<_>>(), [".gitignore", "文件夹/a.txt"]);

        fs::create_dir(at("target")).unwrap();
        fs::write(at("target/built"), "x").unwrap();
        fs::write(at("文件夹/.git/index"), "x").unwrap();
        let ignored = Manifest::take(folder.path(), Some(&first)).unwrap();
        assert_eq!(ignored.digest(), first.digest());

        fs::write(at("文件夹/a.txt"), "two").unwrap();
        fs::write(at("b"), "new").unwrap();
        let changed = Manifest::take(folder.path(), Some(&first)).unwrap();
        assert_ne!(changed.digest(), first.digest());
        let since: Vec<_> = changed.since(&first).map(|(name, _, was)| (name.as_str(), was)).collect();
        assert_eq!(since, [("b", false), ("文件夹/a.txt", true)]);
    }

    #[test]
    fn what_a_killed_tool_left_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("文")).unwrap();
        fs::write(at("文/a.txt"), "one").unwrap();
        let clean = Manifest::take(folder.path(), None).unwrap();

        fs::write(at(".pb-0000000000002ee0.tmp"), "half of a fi").unwrap();
        fs::write(at("文/.pb-0000000000002ee1.tmp"), "").unwrap();
        let left = Manifest::take(folder.path(), Some(&clean)).unwrap();
        assert_eq!((left.digest(), left.since(&clean).count()), (clean.digest(), 0));

        // A person's file that only looks like one.
        fs::write(at(".pb-notes.tmp"), "x").unwrap();
        let changed = Manifest::take(folder.path(), Some(&clean)).unwrap();
        let since: Vec<_> = changed.since(&clean).map(|(name, ..)| name.as_str()).collect();
        assert_eq!(since, [".pb-notes.tmp"]);
    }
}
