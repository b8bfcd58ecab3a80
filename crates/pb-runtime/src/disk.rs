//! How much room a disk has left.

use std::io;
use std::path::{Path, PathBuf};

/// A disk with less room than it should have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the disk of {path} has {} MiB left, and new goals need {} MiB", .free_bytes >> 20, .needed_bytes >> 20)]
pub struct LowDisk {
    /// A place on it.
    pub path: PathBuf,
    /// What is left for us, in bytes.
    pub free_bytes: u64,
    /// What has to be left, in bytes.
    pub needed_bytes: u64,
}

impl LowDisk {
    /// What to do about it.
    pub const HINT: &'static str = "free some space, or drop the history of old goals with: pb gc";
}

/// How many bytes are left for us on the disk of `path`, which has to exist.
///
/// # Errors
/// The system does not tell.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Refuses a disk with less than `needed_bytes` left. One that does not tell has enough: it says so itself
/// when it is full.
///
/// # Errors
/// It has less.
pub fn refuse_low(path: &Path, needed_bytes: u64) -> Result<(), LowDisk> {
    match free_bytes(path) {
        Ok(free_bytes) if free_bytes < needed_bytes => {
            Err(LowDisk { path: path.to_owned(), free_bytes, needed_bytes })
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_less_than_is_needed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(free_bytes(path).unwrap() > 0);
        assert_eq!(refuse_low(path, 1), Ok(()));
        let low = refuse_low(path, u64::MAX).unwrap_err();
        assert_eq!((low.path.as_path(), low.needed_bytes), (path, u64::MAX));
        assert_eq!(refuse_low(Path::new("/no/such/folder"), u64::MAX), Ok(()), "nobody knows");
    }
}
