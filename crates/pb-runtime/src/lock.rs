//! Single instance: a lock held for life on a file that is never unlinked (`durability.md` §5).
//!
//! The lock is the truth; the file's content tells people, and the other process, who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::process;

/// How long a lock outlives a holder that was killed, at most: a process that it was just starting has the
/// descriptor from its fork to its exec.
const ORPHANED_MAX: Duration = Duration::from_secs(2);
/// How long one that only looks whether a lock is held may have it, at most.
const LOOKED_AT_MAX: Duration = Duration::from_millis(20);
/// Pause between two tries.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Its process id.
    pub pid: u32,
    /// The boot in which that pid means something.
    pub boot_id: String,
    /// When the process started, in clock ticks since boot.
    pub start_time: u64,
    /// Its version.
    pub version: String,
    /// When it took the lock, in milliseconds since 1970.
    pub started_at_ms: u64,
}

/// A lock that is held until the process ends.
#[derive(Debug)]
pub struct ProcessLock {
    _file: File,
    /// What the file says.
    pub holder: LockHolder,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another one is running{}", .holder.as_ref().map(|holder| format!(" (pid {})", holder.pid)).unwrap_or_default())]
    Held {
        /// Who, if the file says so.
        holder: Option<LockHolder>,
    },
    /// The file cannot be used.
    #[error("cannot lock {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl ProcessLock {
    /// Takes the lock at `path`, or says who holds it.
    pub fn acquire(path: &Path, now_ms: u64) -> Result<Self, LockError> {
        let io = |source| LockError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
            file.rewind().map_err(io)?;
            let holder = read(&mut file);
            // One that has just taken it has not written who it is yet; and a process that became another program
            // wrote itself.
            let is_ours = |holder: &LockHolder| holder.pid == std::process::id();
            let is_orphaned = holder.as_ref().is_none_or(|holder| is_ours(holder) || !holder.is_alive());
            let at_most = if is_orphaned { ORPHANED_MAX } else { LOOKED_AT_MAX };
            if began.elapsed() >= at_most {
                return Err(LockError::Held { holder });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        let pid = std::process::id();
        let holder = LockHolder {
            pid,
            boot_id: process::boot_id(),
            start_time: process::start_time(pid).unwrap_or_default(),
            version: crate::VERSION.to_owned(),
            started_at_ms: now_ms,
        };
        let text = serde_json::to_string(&holder).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(io)?;
        Ok(Self { _file: file, holder })
    }
}

impl LockHolder {
    /// Who holds the lock at `path` and is alive. The file alone proves nothing: the process must
    /// be the very one that wrote it, and the lock must be held.
    pub fn alive(path: &Path) -> Option<Self> {
        let holder = read(&mut File::open(path).ok()?)?;
        (holder.is_alive() && is_held(path)).then_some(holder)
    }

    /// Whether the process that wrote this is running.
    pub fn is_alive(&self) -> bool {
        self.boot_id == process::boot_id() && process::start_time(self.pid) == Some(self.start_time)
    }

    /// The process itself, to end it or to wait for its end.
    pub fn process(&self) -> Option<process::Process> {
        (self.boot_id == process::boot_id())
            .then(|| process::Process::open(self.pid, self.start_time))
            .flatten()
    }
}

/// Whether a process holds the lock at `path`, whoever its file names. It is tried for a moment: who wants to take it
/// just then tries again.
pub fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn read(file: &mut File) -> Option<LockHolder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_and_the_second_is_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        assert_eq!(LockHolder::alive(&path), None);
        let lock = ProcessLock::acquire(&path, 7).unwrap();
        assert_eq!(LockHolder::alive(&path).as_ref(), Some(&lock.holder));
        let Err(LockError::Held { holder: Some(holder) }) = ProcessLock::acquire(&path, 8) else {
            panic!("not held")
        };
        assert_eq!(holder.pid, std::process::id());
        assert!(is_held(&path) && !is_held(&folder.path().join("none.lock")));
        drop(lock);
        assert!(!is_held(&path));
        ProcessLock::acquire(&path, 9).unwrap();
    }

    /// `kill -9` found this: the next scheduler said that another one was running.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test starts what a holder that died left behind")]
    fn what_a_dead_holder_was_just_starting_delays_the_next_one_and_does_not_refuse_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let mut dead = ProcessLock::acquire(&path, 7).unwrap().holder;
        dead.start_time += 1;
        std::fs::write(&path, serde_json::to_string(&dead).unwrap()).unwrap();
        let file = File::open(&path).unwrap();
        file.try_lock().unwrap();
        let left = std::process::Command::new("sleep").arg("0.2").stdin(file).spawn().unwrap();
        assert!(File::open(&path).unwrap().try_lock().is_err(), "nothing was left behind");
        ProcessLock::acquire(&path, 8).unwrap();
        left.wait_with_output().unwrap();
    }

    /// Who only looks must not be taken for a holder, not even where the one before has just let go and still lives.
    #[test]
    fn who_looks_at_a_lock_keeps_nobody_from_taking_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        drop(ProcessLock::acquire(&path, 7).unwrap());
        let looks = File::open(&path).unwrap();
        looks.try_lock_shared().unwrap();
        let looking = std::thread::spawn(move || {
            std::thread::sleep(LOOK_AGAIN); // It is what a look takes, and more.
            drop(looks);
        });
        ProcessLock::acquire(&path, 8).unwrap();
        looking.join().unwrap();
    }

    #[test]
    fn a_process_that_is_named_and_holds_nothing_is_not_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        drop(ProcessLock::acquire(&path, 7).unwrap());
        let named = read(&mut File::open(&path).unwrap()).unwrap();
        assert!(named.is_alive(), "this process lives");
        assert_eq!(LockHolder::alive(&path), None);
    }

    #[test]
    fn a_reused_pid_is_not_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let mut holder = ProcessLock::acquire(&path, 7).unwrap().holder;
        holder.start_time += 1;
        assert!(!holder.is_alive());
        assert!(holder.process().is_none());
    }
}
