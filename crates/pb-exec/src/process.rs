//! What `/proc` says about processes, and signals that cannot hit the wrong one.

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The one place where a process may be born.
#[expect(clippy::disallowed_methods, reason = "this crate is what the ban points to")]
pub(crate) fn command(program: &Path) -> Command {
    Command::new(program)
}

/// One process at one moment. Pid and start time together name it for ever (until a reboot).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// Clock ticks since boot.
    pub(crate) start_time: u64,
    /// It ended but was not waited for yet.
    pub(crate) zombie: bool,
}

/// Reads one process; `None` when it is gone.
pub(crate) fn read(pid: u32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(pid, &String::from_utf8_lossy(&stat))
}

/// All processes that can be seen.
pub(crate) fn all() -> Vec<Process> {
    pids().filter_map(read).collect()
}

/// The ids of all processes that can be seen.
pub(crate) fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Every process below `roots`, at any depth, without the roots.
pub(crate) fn descendants(roots: &[u32], all: &[Process]) -> Vec<Process> {
    let mut children: HashMap<u32, Vec<Process>> = HashMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(*process);
    }
    let mut found = Vec::new();
    let mut open = roots.to_vec();
    // Taking the children out makes this end even on a list that is inconsistent.
    while let Some(parent) = open.pop() {
        let below = children.remove(&parent).unwrap_or_default();
        open.extend(below.iter().map(|process| process.pid));
        found.extend(below);
    }
    found.retain(|process| !roots.contains(&process.pid));
    found
}

/// Every process below this one, without looking at the rest of the machine where the kernel can
/// list children (most can). A list is incomplete while processes come and go: look again.
pub(crate) fn own_descendants() -> Vec<Process> {
    let own = std::process::id();
    let Some(mut open) = children(own) else {
        return descendants(&[own], &all());
    };
    let mut found = Vec::new();
    while let Some(pid) = open.pop() {
        found.extend(read(pid));
        open.extend(children(pid).unwrap_or_default());
    }
    found
}

/// The children of all threads of a process; `None` when it is gone or the kernel does not say.
fn children(pid: u32) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let list = fs::read_to_string(thread.path().join("children")).ok()?;
        found.extend(list.split_ascii_whitespace().flat_map(str::parse::<u32>));
    }
    Some(found)
}

/// Opens a process, if it is still the one that was seen.
pub(crate) fn open(pid: u32, start_time: u64) -> Option<OwnedFd> {
    let pidfd = pidfd_open(pid_of(pid)?, PidfdFlags::empty()).ok()?;
    // The pid could have been reused before it was opened, but not after.
    (read(pid)?.start_time == start_time).then_some(pidfd)
}

/// Sends a signal to exactly this process; false when it is gone or not ours.
pub(crate) fn signal(process: &Process, signal: Signal) -> bool {
    open(process.pid, process.start_time).is_some_and(|pidfd| pidfd_send_signal(&pidfd, signal).is_ok())
}

pub(crate) fn pid_of(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// The command name stands in brackets and may itself contain brackets and blanks.
fn parse(pid: u32, stat: &str) -> Option<Process> {
    /// Fields after the command name: state, parent, ..., start time.
    const START_TIME_AFTER_PARENT: usize = 17;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let start_time = fields.nth(START_TIME_AFTER_PARENT)?.parse().ok()?;
    Some(Process { pid, parent, start_time, zombie: matches!(state, "Z" | "X") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_command_name_does_not_shift_the_fields() {
        let stat = "7 (a) S 1 (b) R 42 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9876 1 2";
        let process = Process { pid: 7, parent: 42, start_time: 9876, zombie: false };
        assert_eq!(parse(7, stat), Some(process));
    }

    #[test]
    fn descendants_are_found_at_any_depth() {
        let process = |pid, parent| Process { pid, parent, start_time: 1, zombie: false };
        let all = [process(2, 1), process(3, 2), process(4, 3), process(5, 1), process(6, 6)];
        let mut found: Vec<u32> = descendants(&[2], &all).iter().map(|p| p.pid).collect();
        found.sort_unstable();
        assert_eq!(found, [3, 4]);
        assert!(descendants(&[6], &all).is_empty());
    }

    #[test]
    fn we_see_ourselves() {
        let own = read(std::process::id()).unwrap();
        assert!(all().contains(&own));
        assert!(open(own.pid, own.start_time).is_some());
        assert!(open(own.pid, own.start_time + 1).is_none());
    }
}
