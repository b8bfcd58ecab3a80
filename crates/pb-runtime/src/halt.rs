//! The kill switch (`durability.md` §5): while `$PB_HOME/halt` exists nothing is started, by anybody.
//!
//! It is a file so that it needs no process, no socket and no database, and outlives a restart of the
//! machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use crate::Home;

/// Has nothing start from now on. It is on the disk, with its folder, before this returns.
///
/// # Errors
/// The file cannot be written or synced.
pub fn set(home: &Home, now_ms: u64) -> io::Result<()> {
    let path = home.halt();
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "pb stop --all, at {now_ms} ms since 1970; pb start removes this file")?;
    file.sync_all()?;
    File::open(home.root())?.sync_all()
}

/// Whether nothing may start. What cannot be looked at counts as halted: a stop is never overlooked.
pub fn is_set(home: &Home) -> bool {
    !matches!(fs::symlink_metadata(home.halt()), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Lets things start again; whether they could not before.
///
/// # Errors
/// The file cannot be removed.
pub fn clear(home: &Home) -> io::Result<bool> {
    match fs::remove_file(home.halt()) {
        Ok(()) => File::open(home.root())?.sync_all().map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_set_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path()).unwrap();
        assert!(!is_set(&home) && !clear(&home).unwrap());
        set(&home, 7).unwrap();
        set(&home, 8).unwrap();
        assert!(is_set(&home));
        assert!(clear(&home).unwrap() && !is_set(&home));
    }

    #[test]
    fn what_cannot_be_looked_at_is_halted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        fs::create_dir(&path).unwrap();
        let home = Home::at(&path).unwrap();
        fs::remove_dir(&path).unwrap();
        assert!(!is_set(&home), "no home, no stop");
        fs::write(&path, "").unwrap();
        assert!(is_set(&home), "a file in the place of the folder");
    }
}
