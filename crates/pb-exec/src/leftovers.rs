//! Finds and ends the processes that a scheduler left behind when it was killed.
//!
//! Every keeper and every tool carries [`STEP_VARIABLE`] in the environment it was started with,
//! and so does what a tool starts. A keeper ends its own tool when the scheduler dies, so in most
//! cases there is nothing here, or it is ending already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, geteuid, pidfd_send_signal};

use crate::process::{self, Process};
use crate::{KEEPER_WORD, STEP_VARIABLE};

/// How long tools without a keeper may take to end by themselves after SIGTERM.
const TERM_GRACE: Duration = Duration::from_millis(300);

/// How often SIGKILL is repeated for processes that were born meanwhile.
const KILL_PAUSE: Duration = Duration::from_millis(20);

/// A process of a step that is no longer watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot; together with `pid` this names it for ever.
    pub start_time: u64,
    /// The value of [`STEP_VARIABLE`] that it carries.
    pub step: String,
    /// It is the keeper, which will end the rest when it is asked to.
    pub keeper: bool,
}

/// All processes of our own user, but this one, whose step is ours. A process whose environment
/// was emptied is not found here, but [`end`] finds it below one that is.
pub fn find(is_ours: impl Fn(&str) -> bool) -> Vec<Leftover> {
    let user = geteuid().as_raw();
    process::pids()
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| fs::metadata(format!("/proc/{pid}")).is_ok_and(|found| found.uid() == user))
        .filter_map(read)
        .filter(|leftover| is_ours(&leftover.step))
        .collect()
}

/// Everything that runs below the scheduler with this pid and start time: its keepers, and what they watch.
pub fn below(scheduler: u32, start_time: u64) -> Vec<Leftover> {
    if process::read(scheduler).is_none_or(|found| found.start_time != start_time) {
        return Vec::new();
    }
    let below = process::descendants(&[scheduler], &process::all());
    let bare = |process: &Process| Leftover {
        pid: process.pid,
        start_time: process.start_time,
        step: String::new(),
        keeper: false,
    };
    let running = below.iter().filter(|process| !process.zombie);
    // A tool may have emptied its environment; it is ours all the same.
    running.map(|process| read(process.pid).unwrap_or_else(|| bare(process))).collect()
}

/// Those of them that still run.
pub fn still_there(leftovers: Vec<Leftover>) -> Vec<Leftover> {
    let runs = |found: &Leftover| {
        process::read(found.pid).is_some_and(|now| now.start_time == found.start_time && !now.zombie)
    };
    leftovers.into_iter().filter(runs).collect()
}

/// Ends them and everything below them, within about `deadline`; says how many are still there.
///
/// Keepers are asked first and get up to half of the time, for they know best what is theirs.
pub fn end(leftovers: &[Leftover], deadline: Duration) -> usize {
    let end_by = Instant::now() + deadline;
    let steps: BTreeSet<String> = leftovers.iter().map(|found| found.step.clone()).collect();
    let mut targets = Targets::default();
    targets.add_all(leftovers);
    targets.signal(Signal::TERM, |target| target.keeper);
    targets.wait(Instant::now() + deadline / 2, |target| target.keeper);

    targets.add_descendants();
    targets.signal(Signal::TERM, |target| !target.keeper);
    targets.wait(end_by.min(Instant::now() + TERM_GRACE), |_| true);

    while !targets.open.is_empty() && Instant::now() < end_by {
        // Those that were born meanwhile are below one that is known, or carry its mark.
        targets.add_descendants();
        targets.add_all(&find(|step| steps.contains(step)));
        targets.signal(Signal::KILL, |_| true);
        targets.wait(end_by.min(Instant::now() + KILL_PAUSE), |_| true);
    }
    targets.open.len()
}

/// One process, held by a descriptor so that its pid cannot come to mean another.
struct Target {
    pidfd: OwnedFd,
    keeper: bool,
}

/// The processes that have not ended yet, by pid and start time.
#[derive(Default)]
struct Targets {
    open: BTreeMap<(u32, u64), Target>,
}

impl Targets {
    fn add_all(&mut self, leftovers: &[Leftover]) {
        for leftover in leftovers {
            self.add(leftover.pid, leftover.start_time, leftover.keeper);
        }
    }

    fn add(&mut self, pid: u32, start_time: u64, keeper: bool) {
        if let Some(pidfd) = process::open(pid, start_time) {
            let target = Target { pidfd, keeper };
            self.open.entry((pid, start_time)).or_insert(target);
        }
    }

    fn add_descendants(&mut self) {
        let roots: Vec<u32> = self.open.keys().map(|(pid, _)| *pid).collect();
        for Process { pid, start_time, zombie, .. } in process::descendants(&roots, &process::all()) {
            if !zombie {
                self.add(pid, start_time, false);
            }
        }
    }

    fn signal(&self, signal: Signal, which: impl Fn(&Target) -> bool) {
        for target in self.open.values().filter(|target| which(target)) {
            // It may have ended since; `wait` will notice.
            let _ = pidfd_send_signal(&target.pidfd, signal);
        }
    }

    /// Waits until those have ended, and forgets the ones that did.
    fn wait(&mut self, end_by: Instant, which: impl Fn(&Target) -> bool) {
        loop {
            let left = end_by.saturating_duration_since(Instant::now());
            self.open.retain(|_, target| !has_ended(target));
            let mut fds: Vec<PollFd<'_>> = self
                .open
                .values()
                .filter(|target| which(target))
                .map(|target| PollFd::new(&target.pidfd, PollFlags::IN))
                .collect();
            if fds.is_empty() || left.is_zero() {
                return;
            }
            let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
        }
    }
}

/// The descriptor of a process can be read once it has ended.
fn has_ended(target: &Target) -> bool {
    let mut fds = [PollFd::new(&target.pidfd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

fn read(pid: u32) -> Option<Leftover> {
    let found = process::read(pid).filter(|found| !found.zombie)?;
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let step = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(STEP_VARIABLE.as_bytes())?.strip_prefix(b"="))?;
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let first = arguments.split(|byte| *byte == 0).nth(1);
    Some(Leftover {
        pid,
        start_time: found.start_time,
        step: String::from_utf8_lossy(step).into_owned(),
        keeper: first == Some(KEEPER_WORD.as_bytes()),
    })
}
