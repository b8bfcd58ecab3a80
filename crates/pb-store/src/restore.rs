//! Putting a backup back. Nobody may use the home's databases meanwhile: the caller holds both locks.
//!
//! ```text
//!   backup --copy--> *.restored --new generation, new inbox--> on the disk
//!   old --its WAL moved into it--> linked into a folder beside --> replaced by one rename each
//! ```
//!
//! A crash before the renames leaves the old files; between the two, the new inbox beside the old log: its
//! id is new, so its commands are looked at again, and those that were executed are known by their ids.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::params;

use crate::backup::{Databases, Held, held, sync_folder};
use crate::contract::Error;
use crate::sqlite::{blocking, copy, inbox, migrate, query};

/// What SQLite keeps beside a file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Checks a backup, and tells what it holds.
///
/// # Errors
/// It is none of ours, of a newer version, or damaged.
pub async fn check_backup(folder: &Path) -> Result<Held, Error> {
    let backup = Databases::in_backup(folder);
    blocking(move || {
        if !backup.log.exists() {
            return Err(Error::Foreign { path: backup.log });
        }
        held(&backup.log)
    })
    .await
}

/// What the log at `path` holds, if there is one that can be read.
pub async fn held_now(path: &Path) -> Option<Held> {
    let path = path.to_owned();
    blocking(move || Ok(path.exists().then(|| held(&path).ok()).flatten())).await.ok().flatten()
}

/// Replaces `home` by the backup in `folder`; what was there before is in `aside` afterwards, a folder that is
/// made. The log has a new generation then: higher than the backup's and the old log's, if they are of one
/// history; a new history if there is no old log to compare with. Cursors of before mean nothing in it.
///
/// # Errors
/// Nothing was replaced, or the error names the file that could not be.
pub async fn restore(
    folder: &Path,
    (home, aside): (Databases, PathBuf),
    (fresh_log_id, fresh_inbox_id): (String, String),
    mut told: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static,
) -> Result<Held, Error> {
    let backup = Databases::in_backup(folder);
    blocking(move || {
        let new = Databases { log: beside(&home.log, ".restored"), inbox: beside(&home.inbox, ".restored") };
        for left in [&new.log, &new.inbox] {
            remove(left)?; // Of a restore that was interrupted.
        }
        copy::copy((&backup.log, &new.log), &migrate::STATE, &mut told)?;
        begin_generation(&new.log, &home.log, &fresh_log_id)?;
        if backup.inbox.exists() {
            copy::copy((&backup.inbox, &new.inbox), &migrate::INBOX, &mut told)?;
            begin_inbox(&new, &fresh_inbox_id)?;
        }
        let restored = held(&new.log)?;
        std::fs::create_dir_all(&aside).map_err(|source| Error::Io { path: aside.clone(), source })?;
        put_aside(&home.inbox, &aside)?;
        put_aside(&home.log, &aside)?;
        sync_folder(&aside)?;
        if new.inbox.exists() {
            rename(&new.inbox, &home.inbox)?;
        } else {
            remove(&home.inbox)?;
        }
        rename(&new.log, &home.log)?;
        if let Some(root) = home.log.parent() {
            sync_folder(root)?;
        }
        Ok(restored)
    })
    .await
}

/// Before anything is appended to it.
fn begin_generation(new: &Path, old: &Path, fresh_id: &str) -> Result<(), Error> {
    let connection = copy::alone(new)?;
    let mut identity =
        query::identity(&connection)?.ok_or_else(|| Error::Foreign { path: new.to_owned() })?;
    match held(old).map(|old| old.identity) {
        Ok(old) if old.id == identity.id => {
            identity.generation = identity.generation.max(old.generation) + 1;
            // A claim of before the restore must not look like one of after it.
            identity.incarnation = identity.incarnation.max(old.incarnation);
        }
        Ok(_) => identity.generation += 1,
        Err(_) => fresh_id.clone_into(&mut identity.id),
    }
    connection.execute(
        "UPDATE log SET id = ?1, generation = ?2, incarnation = ?3",
        params![identity.id, identity.generation as i64, identity.incarnation as i64],
    )?;
    Ok(())
}

/// Commands get positions anew, which mean nothing to a log that knows those of before; what was executed
/// is left out, as it would have been soon.
fn begin_inbox(new: &Databases, fresh_id: &str) -> Result<(), Error> {
    let inbox = copy::alone(&new.inbox)?;
    if let Some(id) = inbox::identity(&inbox, None)? {
        inbox::forget(&inbox, query::inbox_read(&copy::alone(&new.log)?, &id)?)?;
    }
    inbox.execute("UPDATE identity SET id = ?1", [fresh_id])?;
    Ok(())
}

/// Links a database into `aside`. Its WAL is moved into it first, for it must not meet the file that takes
/// its place; a WAL that cannot be moved in, because the database is damaged, goes along.
fn put_aside(database: &Path, aside: &Path) -> Result<(), Error> {
    if !database.exists() {
        return Ok(());
    }
    if let Ok(connection) = copy::alone(database) {
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let name = |path: &Path| aside.join(path.file_name().unwrap_or_default());
    let to = name(database);
    std::fs::hard_link(database, &to).map_err(|source| Error::Io { path: to, source })?;
    for file in BESIDE.map(|ending| beside(database, ending)) {
        if file.exists() {
            rename(&file, &name(&file))?;
        }
    }
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).map_err(|source| Error::Io { path: to.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Io { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
