//! Other processes: which one a pid names, and ending one for sure.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A process, told apart from a later one with the same pid by when it started.
#[derive(Debug)]
pub struct Process {
    pidfd: OwnedFd,
}

/// When the process started, in clock ticks since boot (`/proc/PID/stat`, field 22).
pub fn start_time(pid: u32) -> Option<u64> {
    stat_number(pid, 22)
}

/// When the process started, in milliseconds since boot; to a hundredth of a second.
pub fn started_ms(pid: u32) -> Option<u64> {
    let ticks_a_second = rustix::param::clock_ticks_per_second().max(1);
    Some(start_time(pid)?.saturating_mul(1000) / ticks_a_second)
}

/// The short name of a process (`/proc/PID/comm`).
pub fn name(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The processor time of a process in the program and in the kernel (`/proc/PID/stat`, fields 14 and 15).
pub fn cpu_times(pid: u32) -> Option<(Duration, Duration)> {
    let ticks_a_second = rustix::param::clock_ticks_per_second().max(1);
    let time =
        |field| Some(Duration::from_millis(stat_number(pid, field)?.saturating_mul(1000) / ticks_a_second));
    Some((time(14)?, time(15)?))
}

/// A field of `/proc/PID/stat`, counted from 1 as `proc(5)` does, of a process that has not ended.
fn stat_number(pid: u32, field: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything; the fields after it, from the third on, hold no space.
    let (_, fields) = stat.rsplit_once(") ")?;
    let state = fields.split(' ').next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.split(' ').nth(field.checked_sub(3)?)?.parse().ok()
}

/// The kernel's id of this boot.
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// The private memory of a process, in KiB (`Pss_Anon`-like: `Private_Clean` + `Private_Dirty`).
pub fn private_memory_kib(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let of = |name: &str| {
        rollup
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
    };
    Some(of("Private_Clean:")? + of("Private_Dirty:")?)
}

/// The resident memory of a process, in KiB.
pub fn resident_memory_kib(pid: u32) -> Option<u64> {
    Some(memory(pid)?.resident_kib)
}

/// The memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// What is in the machine's memory (`VmRSS` in `proc(5)`).
    pub resident_kib: u64,
    /// Of that, what belongs to no file (`RssAnon`).
    pub anonymous_kib: u64,
    /// Of that, what does (`RssFile`).
    pub of_files_kib: u64,
    /// What was asked for as data (`VmData`).
    pub data_kib: u64,
}

/// The memory of a process.
pub fn memory(pid: u32) -> Option<MemoryUse> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(MemoryUse {
        resident_kib: of("VmRSS")?,
        anonymous_kib: of("RssAnon")?,
        of_files_kib: of("RssFile")?,
        data_kib: of("VmData")?,
    })
}

/// How many descriptors a process has open. Takes some milliseconds where there are thousands.
pub fn open_descriptors(pid: u32) -> Option<u64> {
    Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64)
}

impl Process {
    /// The process with this pid, if it is the one that started then.
    pub fn open(pid: u32, started: u64) -> Option<Self> {
        let pid_t = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let pidfd = pidfd_open(pid_t, PidfdFlags::empty()).ok()?;
        // Looked at after the descriptor was opened: the pid cannot be reused under it any more.
        (start_time(pid) == Some(started)).then_some(Self { pidfd })
    }

    /// A child that was not waited for yet, so its pid means nothing else.
    ///
    /// # Errors
    /// There are too many descriptors.
    pub fn of_child(child: &std::process::Child) -> std::io::Result<Self> {
        Ok(Self { pidfd: pidfd_open(Pid::from_child(child), PidfdFlags::empty())? })
    }

    /// A second handle on it.
    ///
    /// # Errors
    /// There are too many descriptors.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self { pidfd: self.pidfd.try_clone()? })
    }

    /// Returns when it has ended, without a thread that waits.
    ///
    /// # Errors
    /// The runtime cannot wait for it.
    #[expect(
        deprecated,
        reason = "its successor is `unsafe`, for types whose descriptor changes while it is waited for; a borrowed one cannot"
    )]
    pub async fn ended(&self) -> std::io::Result<()> {
        let pidfd = AsyncFd::with_interest(self.pidfd.as_fd(), Interest::READABLE)?;
        let _ready = pidfd.readable().await?;
        Ok(())
    }

    /// Asks it to end. One that is stopped (SIGSTOP, Ctrl-Z) goes on, or it would not hear of it.
    pub fn terminate(&self) {
        for signal in [Signal::TERM, Signal::CONT] {
            let _ = pidfd_send_signal(&self.pidfd, signal); // It may have ended.
        }
    }

    /// Ends it.
    pub fn kill(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL); // It may have ended.
    }

    /// Waits until it ended; whether it did. Blocks the thread.
    pub fn wait(&self, at_most: Duration) -> bool {
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(at_most.subsec_nanos()),
        };
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&timeout)), Ok(ready) if ready > 0)
    }
}
