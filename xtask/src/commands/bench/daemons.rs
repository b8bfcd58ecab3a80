//! The two processes under measurement: started, timed, weighed and ended by the `pb` under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::Home;
use pb_runtime::lock::LockHolder;
use pb_runtime::process::private_memory_kib;
use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// How long nothing happens before memory is read.
const SETTLE: Duration = Duration::from_secs(3);

/// A `pb` with a home of its own. Dropped, it leaves no process behind.
#[derive(Debug)]
pub(super) struct Daemons {
    pb: PathBuf,
    home: Home,
    /// Whether what ends is started again by itself, as it is for a person.
    is_supervised: bool,
    /// Held while `pb` runs; set when nothing may be started any more.
    closed: Mutex<bool>,
}

/// Private memory, in KiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) gateway: u64,
    pub(super) scheduler: u64,
}

/// From spawning `pb` to its exit, which is when what it started serves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Starts {
    pub(super) both: Duration,
    pub(super) gateway: Duration,
    pub(super) scheduler: Duration,
}

impl Daemons {
    pub(super) fn new(pb: PathBuf, home: &Path) -> anyhow::Result<Self> {
        Ok(Self { pb, home: Home::at(home)?, is_supervised: false, closed: Mutex::new(false) })
    }

    /// With a supervisor that keeps both running.
    pub(super) fn supervised(pb: PathBuf, home: &Path) -> anyhow::Result<Self> {
        Ok(Self { pb, home: Home::at(home)?, is_supervised: true, closed: Mutex::new(false) })
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    pub(super) fn start_both(&self) -> anyhow::Result<()> {
        self.timed(&["start"]).map(|_| ())
    }

    pub(super) fn start_gateway(&self) -> anyhow::Result<()> {
        self.timed(&["gateway", "start"]).map(|_| ())
    }

    pub(super) fn start_scheduler(&self) -> anyhow::Result<()> {
        self.timed(&["scheduler", "start"]).map(|_| ())
    }

    /// Kills the scheduler as `kill -9` does.
    pub(super) fn kill_scheduler(&self) -> anyhow::Result<()> {
        let holder = LockHolder::alive(&self.home.scheduler_lock()).context("no scheduler runs")?;
        let pid = i32::try_from(holder.pid).ok().and_then(Pid::from_raw).context("no process id")?;
        Ok(kill_process(pid, Signal::KILL)?)
    }

    pub(super) fn stop(&self) -> anyhow::Result<()> {
        self.timed(&["stop"]).map(|_| ())
    }

    /// From spawning `pb` with these words to its exit.
    pub(super) fn time(&self, words: &[&str]) -> anyhow::Result<Duration> {
        self.timed(words)
    }

    /// Times both together, then each alone, and ends with nothing running.
    pub(super) fn time_starts(&self) -> anyhow::Result<Starts> {
        let both = self.timed(&["start"])?;
        self.stop()?;
        let gateway = self.timed(&["gateway", "start"])?;
        let scheduler = self.timed(&["scheduler", "start"])?;
        self.stop()?;
        Ok(Starts { both, gateway, scheduler })
    }

    /// What each holds when nothing happens.
    pub(super) fn idle_memory(&self) -> anyhow::Result<Memory> {
        std::thread::sleep(SETTLE);
        let of = |lock: PathBuf| {
            let holder =
                LockHolder::alive(&lock).with_context(|| format!("nobody holds {}", lock.display()))?;
            private_memory_kib(holder.pid)
                .with_context(|| format!("cannot read the memory of {}", holder.pid))
        };
        Ok(Memory { gateway: of(self.home.gateway_lock())?, scheduler: of(self.home.scheduler_lock())? })
    }

    /// Ends what runs and lets nothing start again, whatever another thread is about to do.
    pub(super) fn close(&self) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = true;
        process::succeeds(&mut self.command(&["stop"]));
    }

    fn timed(&self, words: &[&str]) -> anyhow::Result<Duration> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            bail!("interrupted");
        }
        let mut command = self.command(words);
        let started = Instant::now();
        let output = command.output().context("cannot run pb")?;
        let elapsed = started.elapsed();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed ({}): {}", process::shown(&command), output.status, said.trim());
        }
        Ok(elapsed)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = process::command(&self.pb);
        command
            .args(words)
            .env("PB_HOME", self.home.root())
            // Any free port: the person's own gateway may be running.
            .env("PB_PORT", "0")
            .env_remove("PB_HOST")
            .env("PB_SUPERVISE", if self.is_supervised { "1" } else { "0" })
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        self.close();
    }
}
