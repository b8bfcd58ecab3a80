//! What processes that are dead left behind. All of it may be removed: what counts is in the databases.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use pb_exec::leftovers::{self, Leftover};
use pb_runtime::{Clock, Home, LockHolder, ProcessLock};

use super::check::{Check, Level};
use crate::daemon::Daemon;
use crate::format;

/// How long processes have to end.
const END_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn look(home: &Home) -> Vec<Check> {
    if !home.root().is_dir() {
        return Vec::new();
    }
    let mut checks: Vec<Check> =
        [sockets(home), notes(home), processes(home), folders(home)].into_iter().flatten().collect();
    if checks.is_empty() {
        checks.push(Check::ok("leftovers", "none"));
    }
    checks
}

/// What a process has while it holds its lock, and leaves when it is killed.
struct Owned {
    path: PathBuf,
    lock: PathBuf,
}

impl Owned {
    fn is_stale(&self) -> bool {
        self.path.symlink_metadata().is_ok() && LockHolder::alive(&self.lock).is_none()
    }

    /// Removes it while nobody can start: who starts makes it anew.
    fn remove(&self) -> anyhow::Result<()> {
        let _lock = ProcessLock::acquire(&self.lock, Clock::System.now_ms())?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn stale(name: &str, what: Vec<Owned>) -> Option<Check> {
    let stale: Vec<Owned> = what.into_iter().filter(Owned::is_stale).collect();
    if stale.is_empty() {
        return None;
    }
    let shown = stale.iter().map(|owned| owned.path.display().to_string()).collect::<Vec<_>>().join(", ");
    let found = format!("of a process that is gone: {shown}");
    Some(Check::mendable(Level::Warning, name, found, move || {
        for owned in &stale {
            owned.remove()?;
        }
        Ok(format!("removed {shown}"))
    }))
}

fn sockets(home: &Home) -> Option<Check> {
    let gateway = Owned { path: home.gateway_socket(), lock: home.gateway_lock() };
    let of_supervisor = ["supervisor.sock", "gateway.heard", "scheduler.heard"]
        .map(|name| Owned { path: home.run().join(name), lock: home.root().join("supervisor.lock") });
    stale("stale sockets", [gateway].into_iter().chain(of_supervisor).collect())
}

/// What running processes tell about themselves, of ones that are gone. `notified.json` is none of it: it says up to
/// where a person was told.
fn notes(home: &Home) -> Option<Check> {
    let named = [(home.gateway_json(), home.gateway_lock()), (home.scheduler_json(), home.scheduler_lock())];
    let mut what: Vec<Owned> = Vec::new();
    for (path, lock) in named {
        // Half of a file that was being written.
        let fresh = path.with_extension("json.new");
        what.extend([path, fresh].map(|path| Owned { path, lock: lock.clone() }));
    }
    stale("stale notes", what)
}

/// Processes of steps that no scheduler watches.
fn processes(home: &Home) -> Option<Check> {
    let found = unwatched(home);
    if found.is_empty() {
        return None;
    }
    let pids: Vec<String> = found.iter().map(|process| process.pid.to_string()).collect();
    let shown = format!("{} of steps without a scheduler: {}", processes_of(found.len()), pids.join(", "));
    Some(Check::mendable(Level::Problem, "leftover processes", shown, move || {
        let left = leftovers::end(&found, END_LIMIT);
        ensure!(left == 0, "{} do not end", processes_of(left));
        Ok(format!("ended {}", processes_of(found.len())))
    }))
}

/// Each step has a folder in the home while it runs, and its processes carry the folder's name.
fn unwatched(home: &Home) -> Vec<Leftover> {
    let temporary = home.temporary();
    let scheduler = Daemon::Scheduler.holder(home);
    let mut found = leftovers::find(|step| !step.is_empty() && temporary.join(step).is_dir());
    if let Some(scheduler) = scheduler {
        let watched = leftovers::below(scheduler.pid, scheduler.start_time);
        found.retain(|process| !watched.iter().any(|one| one.pid == process.pid));
        // One that began between the two looks is below it now.
        let watched = leftovers::below(scheduler.pid, scheduler.start_time);
        found.retain(|process| !watched.iter().any(|one| one.pid == process.pid));
    }
    leftovers::still_there(found)
}

fn processes_of(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

/// Folders of steps that ended. While a scheduler runs they are its own; it removed those of before when it started.
fn folders(home: &Home) -> Option<Check> {
    if Daemon::Scheduler.holder(home).is_some() {
        return None;
    }
    let lock = home.scheduler_lock();
    let mut found = entries(&home.temporary());
    let running = leftovers::find(|_| true);
    found.retain(|folder| {
        let name = folder.file_name().unwrap_or_default();
        !running.iter().any(|process| process.step.as_str() == name)
    });
    found.extend(own_leavings(&home.run()));
    if found.is_empty() {
        return None;
    }
    let shown = format!("{} of steps that ended", format::count(found.len() as u64, "temporary folder"));
    Some(Check::mendable(Level::Warning, "temporary folders", shown, move || {
        let _lock = ProcessLock::acquire(&lock, Clock::System.now_ms())?;
        for path in &found {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(format!("removed {}", format::count(found.len() as u64, "temporary folder")))
    }))
}

/// What a doctor that was killed left of its measure.
fn own_leavings(run: &Path) -> Vec<PathBuf> {
    let own = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let pid = name.and_then(|name| name.strip_prefix("doctor-")?.strip_suffix(".tmp")?.parse().ok());
        pid.is_some_and(|pid: u32| pb_runtime::process::start_time(pid).is_none())
    };
    entries(run).into_iter().filter(own).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}
