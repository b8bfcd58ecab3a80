//! `pb reset`: begin anew, with the settings of before.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::{self, BufRead, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_runtime::lock::LockError;
use pb_runtime::{Clock, Home, ProcessLock};
use pb_store::Databases;
use serde::Serialize;

use super::backup;
use crate::daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output};

/// Remove all goals, their history and what they left in the home; settings, keys and personas stay
///
/// Stops gateway and scheduler. A backup of goals and history is made first, in `backups` in the home. Workspaces that
/// were made for goals are removed with the files in them; folders of yours in which goals worked are not touched.
/// Devices that were paired have to be paired again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb reset\n  pb reset --yes --no-backup")]
pub(crate) struct Args {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Make no backup: what is removed is gone
    #[arg(long)]
    no_backup: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    /// What was removed, relative to the home.
    removed: Vec<String>,
    /// Where the backup is; absent when none was made.
    backup: Option<&'a Path>,
}

/// What SQLite keeps beside a database, before the database: what is left of a WAL must not meet a new file.
const BESIDE: [&str; 3] = ["-wal", "-shm", ""];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    if !home.root().is_dir() {
        output::note(format_args!("there is nothing to reset: {} does not exist", home.root().display()));
        return Ok(Exit::Ok);
    }
    home.prepare()?;
    if !args.yes && !agreed(&home, args)? {
        output::note("nothing was changed");
        return Ok(Exit::Failed);
    }
    daemon::stop_both(&home)?;
    // Nobody may start while it is removed, however that is tried.
    let supervisor = home.root().join("supervisor.lock");
    let _locks = [
        take(&supervisor, "supervisor")?,
        take(&home.scheduler_lock(), "scheduler")?,
        take(&home.gateway_lock(), "gateway")?,
    ];
    let backup = if args.no_backup { None } else { put_aside(&home)? };
    let removed = remove(&home)?;
    if args.json {
        output::json(&Told { removed, backup: backup.as_deref() })?;
        return Ok(Exit::Ok);
    }
    if removed.is_empty() {
        output::note("there was nothing to remove");
    } else {
        output::note(format_args!("removed from {}: {}", home.root().display(), removed.join(", ")));
    }
    if let Some(backup) = backup {
        output::note(format_args!("put the goals back with: pb restore {}", backup.display()));
    }
    output::note("begin anew with: pb start");
    Ok(Exit::Ok)
}

/// Asks, where somebody can answer.
fn agreed(home: &Home, args: &Args) -> Result<bool, Failure> {
    let kept = if args.no_backup { "and makes no backup" } else { "after a backup of the goals" };
    let question = format!(
        "this removes all goals in {} with {} and their files, {kept}",
        home.root().display(),
        format::count(entries(&home.workspaces())?.len() as u64, "workspace")
    );
    if !io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, question).hint("if that is meant: pb reset --yes"));
    }
    output::note(format_args!("{question}; go on? [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn take(lock: &Path, name: &str) -> Result<ProcessLock, Failure> {
    ProcessLock::acquire(lock, Clock::System.now_ms()).map_err(|error| match error {
        LockError::Held { holder } => {
            let pid = holder.map(|holder| format!(" (pid {})", holder.pid)).unwrap_or_default();
            let message = format!("the {name} was started meanwhile{pid}; nothing was removed");
            Failure::new(Exit::Busy, message).hint("stop it, and try again: pb stop")
        }
        error @ LockError::Io { .. } => anyhow::Error::from(error).into(),
    })
}

/// The backup, where there is something to back up.
fn put_aside(home: &Home) -> Result<Option<PathBuf>, Failure> {
    let from = Databases { log: home.state_db(), inbox: home.gateway_db() };
    if !from.log.exists() {
        return Ok(None);
    }
    let backups = home.backups();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&backups);
    made.with_context(|| format!("cannot make {}", backups.display()))?;
    let folder = backups.join(format!("before-reset-{}", Clock::System.now_ms()));
    backup::copy(from, &folder)
        .map_err(|failure| failure.hint("nothing was removed; without a backup: pb reset --no-backup"))?;
    Ok(Some(folder))
}

/// Removes everything that goals left; what, for people.
fn remove(home: &Home) -> Result<Vec<String>, Failure> {
    let mut removed = Vec::new();
    // The mark first: it is about a log that will be gone.
    let mut files = vec![home.state_mark()];
    for database in [home.gateway_db(), home.trace_db(), home.state_db()] {
        files.extend(BESIDE.map(|ending| beside(&database, ending)));
    }
    for file in files {
        if remove_file(&file)? {
            removed.push(name(&file));
        }
    }
    if remove_file(&home.gateway_socket())? {
        removed.push(name(&home.gateway_socket()));
    }
    for folder in [home.workspaces(), home.artifacts(), home.kept(), home.run(), home.temporary()] {
        let entries = entries(&folder)?;
        for entry in &entries {
            let done = if entry.is_dir() && !entry.is_symlink() {
                fs::remove_dir_all(entry)
            } else {
                fs::remove_file(entry)
            };
            done.with_context(|| format!("cannot remove {}", entry.display()))?;
        }
        if !entries.is_empty() {
            removed.push(format!("{}/ ({})", name(&folder), entries.len()));
        }
    }
    Ok(removed)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn name(path: &Path) -> String {
    path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned()
}

fn remove_file(path: &Path) -> anyhow::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot remove {}", path.display())),
    }
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    match read() {
        Ok(entries) => Ok(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot look into {}", folder.display())),
    }
}
