//! A home whose processes a supervisor keeps running, as `pb start` leaves it. They are gone when it is dropped.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::{Home, LockHolder, halt};
use pb_supervisor::child::State;
use pb_supervisor::control::{self, Ask, Report};

use crate::Run;
use crate::processes::{self, READY_MAX};

/// Pause between two looks at processes, which ring no bell.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A home in which a person starts and stops everything.
#[derive(Debug)]
pub struct Supervised {
    /// The home.
    pub home: Home,
    pb: PathBuf,
}

impl Supervised {
    /// An empty home below the run's folder.
    ///
    /// # Errors
    /// It cannot be made, or there is no `pb`.
    pub fn empty(run: &Run, name: &str) -> anyhow::Result<Self> {
        Self::at(run, processes::home(run, name)?)
    }

    /// This home.
    ///
    /// # Errors
    /// There is no `pb`.
    pub fn at(run: &Run, home: Home) -> anyhow::Result<Self> {
        Ok(Self { home, pb: run.pb.clone().context("this fault needs the `pb` under test: --pb PATH")? })
    }

    /// A command of a person, ready to be run.
    #[expect(clippy::disallowed_methods, reason = "the suite is the person who types the command")]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.pb);
        command.args(arguments).env("PB_HOME", self.home.root()).env("PB_PORT", "0");
        command.env("PB_LOCAL_MODEL_PORTS", "none").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn pb(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments).output().with_context(|| format!("cannot run {}", self.pb.display()))
    }

    /// The same, which is to succeed.
    ///
    /// # Errors
    /// It does not.
    pub fn done(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.pb(arguments)?;
        if !output.status.success() {
            bail!("pb {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Who holds the three locks.
    pub fn all(&self) -> [(&'static str, Option<LockHolder>); 3] {
        let home = &self.home;
        [
            ("supervisor", home.supervisor_lock()),
            ("gateway", home.gateway_lock()),
            ("scheduler", home.scheduler_lock()),
        ]
        .map(|(name, lock)| (name, LockHolder::alive(&lock)))
    }

    /// How the supervisor sees both, if one answers.
    pub fn report(&self) -> Option<Report> {
        control::ask(&self.home, &Ask::Report).ok()
    }

    /// Waits until all three are there and serve, which nobody helps them with; how long that took.
    ///
    /// # Errors
    /// They are not within [`READY_MAX`].
    pub fn back(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            let is_there = self.all().iter().all(|(_, holder)| holder.is_some());
            let serve = |report: Report| report.children.iter().all(|child| child.state == State::Running);
            if is_there && self.report().is_some_and(serve) {
                return Ok(began.elapsed());
            }
            if began.elapsed() > READY_MAX {
                bail!("not all were back within {} s: {:?}", READY_MAX.as_secs(), self.all());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // From here on nobody starts anything again.
        let _ = halt::set(&self.home, 0);
        for (_, holder) in self.all() {
            if let Some(process) = holder.and_then(|holder| holder.process()) {
                process.kill();
                process.wait(READY_MAX);
            }
        }
    }
}
