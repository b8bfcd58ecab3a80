//! Backups: a folder with a copy of the log and one of the inbox, each as it was at one moment.
//!
//! The inbox is copied first. So a command that was answered before the copy began is in the inbox's copy,
//! or it was executed and the log's copy, which is made later, tells so.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::contract::{Error, LogIdentity};
use crate::sqlite::{blocking, copy, migrate, open, query};

/// The log's name in a backup.
const LOG: &str = "state.db";
/// The inbox's name in a backup.
const INBOX: &str = "gateway.db";

/// The two databases of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Databases {
    /// The log.
    pub log: PathBuf,
    /// The inbox.
    pub inbox: PathBuf,
}

impl Databases {
    /// Those of the backup in `folder`.
    pub fn in_backup(folder: &Path) -> Self {
        Self { log: folder.join(LOG), inbox: folder.join(INBOX) }
    }
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which history.
    pub identity: LogIdentity,
    /// The position of its last event.
    pub last_pos: u64,
    /// How many goals.
    pub goals: u64,
}

/// Copies both databases, which may be in use, into `folder`, which must be there and empty; each copy is
/// checked and on the disk when this returns. A home without an inbox has a backup without one. `told` hears
/// how many pages of how many were copied, and says whether to go on.
///
/// # Errors
/// A database cannot be read, or the folder not be written to. [`Error::Interrupted`] when `told` said so.
pub async fn back_up(
    from: Databases,
    folder: &Path,
    mut told: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static,
) -> Result<Held, Error> {
    let to = Databases::in_backup(folder);
    let folder = folder.to_owned();
    blocking(move || {
        if from.inbox.exists() {
            copy::copy((&from.inbox, &to.inbox), &migrate::INBOX, &mut told)?;
        }
        copy::copy((&from.log, &to.log), &migrate::STATE, &mut told)?;
        sync_folder(&folder)?;
        held(&to.log)
    })
    .await
}

/// What the log at `path` holds, which may be in use.
pub(crate) fn held(path: &Path) -> Result<Held, Error> {
    let connection = open::reader(path, &migrate::STATE)?;
    let identity = query::identity(&connection)?.ok_or_else(|| Error::Foreign { path: path.to_owned() })?;
    let goals = query::goal_counts(&connection)?.into_iter().map(|(_, count)| count).sum();
    Ok(Held { identity, last_pos: query::last_pos(&connection)?, goals })
}

/// Makes what was made and renamed in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::Io { path: folder.to_owned(), source })
}
