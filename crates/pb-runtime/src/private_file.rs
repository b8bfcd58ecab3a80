//! Files that hold secrets: read only when nobody else can read or change them.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Longest file, in bytes.
pub const PRIVATE_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a private file is not read.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// It is a folder, a link, a pipe.
    #[error("{path} is not a regular file")]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// Its owner could change it.
    #[error("{path} belongs to another user")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Others may read or write it.
    #[error("others may read or write {path} (mode {mode:03o}); run: chmod 600 {path}")]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is too long.
    #[error("{path} is longer than {PRIVATE_FILE_BYTES_MAX} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read, or is not UTF-8.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Reads the file at `path`; `None` when there is none.
///
/// # Errors
/// It is no regular file of ours that only we can read, or it cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, PrivateFileError> {
    let at = || path.to_owned();
    let io = |source| PrivateFileError::Io { path: at(), source };
    // A link is refused rather than followed, and a pipe must not block us.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(PrivateFileError::NotRegular { path: at() });
        }
        Err(error) => return Err(io(error)),
    };
    // What is open is asked, not the path: it cannot be exchanged in between.
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() {
        return Err(PrivateFileError::NotRegular { path: at() });
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(PrivateFileError::NotOurs { path: at() });
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PrivateFileError::NotPrivate { path: at(), mode });
    }
    let mut text = String::new();
    file.take(PRIVATE_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > PRIVATE_FILE_BYTES_MAX {
        return Err(PrivateFileError::TooLong { path: at() });
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_what_nobody_else_can_read_is_read() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("密钥.toml");
        assert!(read(&path).unwrap().is_none());

        fs::write(&path, "secret").unwrap();
        for (mode, private) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(text) => assert!(private && text.as_deref() == Some("secret"), "{mode:o}"),
                Err(PrivateFileError::NotPrivate { .. }) => assert!(!private, "{mode:o}"),
                Err(error) => panic!("{error}"),
            }
        }
        let shown = read(&path).unwrap_err().to_string();
        let path_shown = path.display();
        assert_eq!(
            shown,
            format!("others may read or write {path_shown} (mode 620); run: chmod 600 {path_shown}")
        );
    }

    #[test]
    fn links_folders_and_long_files_are_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("file");
        let long = "x".repeat(usize::try_from(PRIVATE_FILE_BYTES_MAX).unwrap() + 1);
        fs::write(&file, long).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read(&file), Err(PrivateFileError::TooLong { .. })));

        let link = temporary.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(matches!(read(&link), Err(PrivateFileError::NotRegular { .. })));
        assert!(matches!(read(temporary.path()), Err(PrivateFileError::NotRegular { .. })));
    }
}
