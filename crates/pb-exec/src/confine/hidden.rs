//! The hidden paths, under every name by which the walk could meet them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Resolved hidden paths.
#[derive(Debug)]
pub(super) struct Hidden {
    /// As given, and with symbolic links resolved. A path that does not exist yet is hidden too:
    /// it could appear while the tool runs.
    paths: Vec<PathBuf>,
    /// Device and inode of those that are there now: a hard link beside the way is the same file.
    inodes: Vec<(u64, u64)>,
    /// The resolved paths of those that are there now.
    existing: Vec<PathBuf>,
}

impl Hidden {
    pub(super) fn resolve(given: &[PathBuf]) -> Self {
        let mut hidden = Self { paths: given.to_vec(), inodes: Vec::new(), existing: Vec::new() };
        for path in given {
            let real = resolve_existing_part(path);
            if let Ok(metadata) = fs::metadata(&real) {
                hidden.inodes.push((metadata.dev(), metadata.ino()));
                hidden.existing.push(real.clone());
            }
            hidden.paths.push(real);
        }
        hidden
    }

    /// True when something hidden is at this path, or below it.
    pub(super) fn touches(&self, path: &Path) -> bool {
        self.paths.iter().any(|hidden| hidden.starts_with(path))
    }

    /// True when this path is hidden, by itself or by a folder above it.
    pub(super) fn covers(&self, path: &Path) -> bool {
        self.paths.iter().any(|hidden| path.starts_with(hidden))
    }

    /// True when this file is a hidden one, whatever its name.
    pub(super) fn is_inode(&self, device: u64, inode: u64) -> bool {
        self.inodes.contains(&(device, inode))
    }

    /// A hidden path that is there now, at or below this one.
    pub(super) fn existing_at_or_below(&self, path: &Path) -> Option<&Path> {
        self.existing.iter().map(PathBuf::as_path).find(|hidden| hidden.starts_with(path))
    }
}

/// Resolves the links in as much of the path as there is, and keeps the rest as it is.
fn resolve_existing_part(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            // Joining an empty rest would add a slash at the end, which makes a file a folder.
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_above_a_missing_path_are_resolved() {
        let home = tempfile::tempdir().unwrap();
        let real = home.path().canonicalize().unwrap();
        fs::create_dir(real.join("data")).unwrap();
        std::os::unix::fs::symlink("data", real.join("link")).unwrap();
        let hidden = Hidden::resolve(&[real.join("link/.aws/keys")]);
        assert!(hidden.touches(&real.join("data")));
        assert!(hidden.touches(&real.join("data/.aws")));
        assert!(hidden.covers(&real.join("data/.aws/keys/one")));
        assert!(!hidden.covers(&real.join("data/.aws/keysmith")));
        assert_eq!(hidden.existing_at_or_below(&real), None);
    }
}
