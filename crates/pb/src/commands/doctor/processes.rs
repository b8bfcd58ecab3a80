//! Gateway and scheduler: do they run, and in the version of this command.

use std::path::Path;

use pb_runtime::{Home, LockHolder, VERSION, lock};

use super::check::Check;
use crate::daemon::Daemon;

pub(super) fn look(home: &Home) -> Vec<Check> {
    let daemons = [Daemon::Gateway, Daemon::Scheduler].map(|daemon| (daemon.name(), daemon.lock(home)));
    let mut checks: Vec<Check> = daemons.into_iter().map(|(name, path)| process(name, &path)).collect();
    let supervisor = home.root().join("supervisor.lock");
    if lock::is_held(&supervisor) {
        checks.push(process("supervisor", &supervisor));
    }
    checks
}

fn process(name: &'static str, path: &Path) -> Check {
    match LockHolder::alive(path) {
        Some(holder) if holder.version == VERSION => {
            Check::ok(name, format_args!("runs (pid {}, version {VERSION})", holder.pid))
        }
        Some(holder) => {
            let found = format!("runs in version {} (pid {}); this is {VERSION}", holder.version, holder.pid);
            Check::warning(name, found, "after an upgrade: pb restart")
        }
        None if lock::is_held(path) => {
            let found = format!("{} is held by a process that it does not name", path.display());
            let advice = format!("find it with: fuser -v {}", path.display());
            Check::problem(name, found, advice)
        }
        None => Check::ok(name, "does not run"),
    }
}
