//! Ends everything below the keeper, also what left its session, its group and its parent: the
//! kernel gives every orphan to the nearest subreaper, which is the keeper.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions, wait};

use super::signals::Signals;
use crate::process;

/// How long processes may take to end by themselves after SIGTERM.
const TERM_GRACE: Duration = Duration::from_millis(300);

/// How long SIGKILL is repeated before the scheduler is told, for those that are born meanwhile.
const KILL_LIMIT: Duration = Duration::from_millis(1500);

/// How long it is repeated after that.
const PERSIST_LIMIT: Duration = Duration::from_mins(1);

/// How long to wait for those that got SIGKILL to die of it.
const KILL_PAUSE: Duration = Duration::from_millis(10);

/// What the sweep did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Processes besides the tool that got a signal.
    pub(super) killed: u32,
    /// Processes that are still there.
    pub(super) remaining: u32,
}

/// Ends all descendants of this process; takes no time when there are none.
pub(super) fn end_descendants(tool: u32, signals: &Signals) -> Swept {
    let mut signalled = BTreeSet::new();
    if children_left() {
        signal_descendants(Signal::TERM, &mut signalled);
        wait_until_gone(signals, TERM_GRACE);
    }
    kill_descendants(signals, KILL_LIMIT, &mut signalled);
    let remaining = if children_left() {
        // At least one, also when it was too quick to be listed.
        alive().len().max(1)
    } else {
        0
    };
    signalled.retain(|(pid, _)| *pid != tool);
    Swept {
        killed: u32::try_from(signalled.len()).unwrap_or(u32::MAX),
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
    }
}

/// Goes on after the scheduler was told that some remain.
pub(super) fn persist(signals: &Signals) {
    kill_descendants(signals, PERSIST_LIMIT, &mut BTreeSet::new());
}

fn kill_descendants(signals: &Signals, limit: Duration, signalled: &mut BTreeSet<(u32, u64)>) {
    let deadline = Instant::now() + limit;
    while children_left() && Instant::now() < deadline {
        // While there are new ones every time, there is a race to be won, and no time to wait.
        if signal_descendants(Signal::KILL, signalled) == 0 {
            wait_until_gone(signals, KILL_PAUSE);
        }
    }
}

/// Waits for the children that ended; false when there are no others.
fn children_left() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn alive() -> Vec<process::Process> {
    let mut below = process::own_descendants();
    below.retain(|process| !process.zombie);
    below
}

/// Returns how many of them had not got a signal before.
fn signal_descendants(signal: Signal, signalled: &mut BTreeSet<(u32, u64)>) -> usize {
    let before = signalled.len();
    for process in alive() {
        if process::signal(&process, signal) {
            signalled.insert((process.pid, process.start_time));
        }
    }
    signalled.len() - before
}

/// Waits until no child is left, at most this long.
fn wait_until_gone(signals: &Signals, limit: Duration) {
    let deadline = Instant::now() + limit;
    loop {
        signals.clear_children();
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !children_left() {
            return;
        }
        let mut fds = [PollFd::new(&signals.children, PollFlags::IN)];
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
    }
}
