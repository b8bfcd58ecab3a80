//! Bugs on purpose, and deaths at an exact place: what the fault suite plants to show that it would see them.
//!
//! Without the feature `faultpoints`, which only the suite turns on, nothing here does anything and the
//! compiler removes it.

use std::sync::{Mutex, PoisonError};

/// A bug that the suite can plant, by `PB_PLANTED_BUG` in the environment of the process that is to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Late results of an earlier incarnation are written.
    EpochUnchecked,
    /// A command is answered before it is on the disk.
    AnswerBeforeCommit,
    /// SQLite does not sync.
    SyncOff,
    /// The position of the inbox moves outside of the transaction that executes the command.
    InboxReadOutside,
    /// Cursors count what a connection got, not where the log is.
    CursorPerConnection,
    /// What ran when the last scheduler died is taken for failed.
    StartsOver,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 6] = [
        Self::EpochUnchecked,
        Self::AnswerBeforeCommit,
        Self::SyncOff,
        Self::InboxReadOutside,
        Self::CursorPerConnection,
        Self::StartsOver,
    ];

    /// Its name in [`PLANTED_BUG`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EpochUnchecked => "epoch-unchecked",
            Self::AnswerBeforeCommit => "answer-before-commit",
            Self::SyncOff => "sync-off",
            Self::InboxReadOutside => "inbox-read-outside",
            Self::CursorPerConnection => "cursor-per-connection",
            Self::StartsOver => "starts-over",
        }
    }
}

/// The variable that plants a bug.
pub const PLANTED_BUG: &str = "PB_PLANTED_BUG";
/// The variable that kills the process at a place: `place:n`, the n-th time that it comes there.
pub const KILL_AT: &str = "PB_KILL_AT";

/// The place before each commit of the scheduler's log.
pub const COMMIT_BEFORE: &str = "commit-before";
/// The place after it.
pub const COMMIT_AFTER: &str = "commit-after";
/// The places around each step of a migration.
pub const MIGRATION: &str = "migration";

/// Whether this process has the bug.
#[cfg(not(feature = "faultpoints"))]
#[inline]
pub fn planted(_: Bug) -> bool {
    false
}

/// Whether this process has the bug.
#[cfg(feature = "faultpoints")]
pub fn planted(bug: Bug) -> bool {
    static BY_ENVIRONMENT: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let by_environment = BY_ENVIRONMENT.get_or_init(|| crate::environment::text(PLANTED_BUG));
    by_environment.as_deref() == Some(bug.as_str()) || planted_here() == Some(bug)
}

/// Which bug was planted in this process by [`plant`].
pub fn planted_here() -> Option<Bug> {
    *PLANTED_HERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plants a bug in this process, or takes it out. Without the feature nobody has it all the same.
pub fn plant(bug: Option<Bug>) {
    *PLANTED_HERE.lock().unwrap_or_else(PoisonError::into_inner) = bug;
}

static PLANTED_HERE: Mutex<Option<Bug>> = Mutex::new(None);

/// A place where the process may be killed on purpose.
#[cfg(not(feature = "faultpoints"))]
#[inline]
pub fn place(_: &'static str) {}

/// A place where the process may be killed on purpose: as if by `kill -9`, nothing is cleaned up.
#[cfg(feature = "faultpoints")]
pub fn place(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static KILL: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static CAME: AtomicU64 = AtomicU64::new(0);
    let kill = KILL.get_or_init(|| {
        let text = crate::environment::text(KILL_AT)?;
        let (place, count) = text.rsplit_once(':')?;
        Some((place.to_owned(), count.parse().ok()?))
    });
    if let Some((place, count)) = kill
        && place == name
        && CAME.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
