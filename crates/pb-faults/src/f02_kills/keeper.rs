//! Who starts again what was killed: the suite, one process after the other, or the supervisor of `pb start`.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::{Home, LockHolder, halt};
use pb_supervisor::child::State;
use pb_supervisor::control::{self, Ask};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::processes::{self, Process, READY_MAX};
use crate::{Run, Tally};

/// Pause between two looks at processes, which ring no bell.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Who starts again what was killed.
pub(super) enum Keeper {
    /// The suite.
    Suite { gateway: Option<Process>, scheduler: Option<Process> },
    /// A supervisor, which is killed too.
    Supervisor(Supervised),
}

/// What `pb start` started, ended when it is dropped.
pub(super) struct Supervised {
    home: Home,
    is_started: bool,
}

impl Keeper {
    pub(super) fn suite() -> Self {
        Self::Suite { gateway: None, scheduler: None }
    }

    pub(super) fn supervisor(home: &Home) -> Self {
        Self::Supervisor(Supervised { home: home.clone(), is_started: false })
    }

    /// Kills one or more, by chance.
    pub(super) fn kill(&mut self, rng: &mut StdRng, tally: &mut Tally) -> anyhow::Result<()> {
        match self {
            Self::Suite { gateway, scheduler } => {
                let what = rng.random_range(0..4);
                if what != 0
                    && let Some(scheduler) = scheduler.take()
                {
                    scheduler.kill9()?;
                    tally.count("scheduler_kills", 1);
                }
                if what < 2
                    && let Some(gateway) = gateway.take()
                {
                    gateway.kill9()?;
                    tally.count("gateway_kills", 1);
                }
            }
            Self::Supervisor(supervised) => supervised.kill(rng, tally),
        }
        Ok(())
    }

    /// Has everything serve, and tells each process that had to be started with the time that it took.
    pub(super) fn start(
        &mut self,
        run: &Run,
        home: &Home,
        mut took: impl FnMut(&str, Duration),
    ) -> anyhow::Result<()> {
        match self {
            Self::Suite { gateway, scheduler } => {
                if gateway.is_none() {
                    let started = gateway.insert(processes::gateway(run, home)?);
                    took("gateway", processes::gateway_ready(started, home)?);
                }
                if scheduler.is_none() {
                    let pb = run.pb.as_deref().context("there is no `pb`")?;
                    let start = ["scheduler", "start", "--foreground"];
                    let started = scheduler.insert(Process::start("scheduler", pb, start, home)?);
                    took("scheduler", processes::says_ready(started, home)?);
                }
            }
            Self::Supervisor(supervised) => took("supervised", supervised.back(run)?),
        }
        Ok(())
    }
}

impl Supervised {
    /// One or two of the three, in any order, one right after the other.
    fn kill(&self, rng: &mut StdRng, tally: &mut Tally) {
        let mut all = self.all();
        all.shuffle(rng);
        for (name, holder) in all.into_iter().take(rng.random_range(1..=2)) {
            if let Some(process) = holder.and_then(|holder| holder.process()) {
                process.kill();
                process.wait(READY_MAX);
                tally.count(name, 1);
            }
        }
    }

    fn all(&self) -> [(&'static str, Option<LockHolder>); 3] {
        let home = &self.home;
        [
            ("supervisor_kills", home.supervisor_lock()),
            ("gateway_kills", home.gateway_lock()),
            ("scheduler_kills", home.scheduler_lock()),
        ]
        .map(|(name, lock)| (name, LockHolder::alive(&lock)))
    }

    /// Waits until all three are there and serve, which nobody helps them with.
    fn back(&mut self, run: &Run) -> anyhow::Result<Duration> {
        let began = Instant::now();
        if !self.is_started {
            let pb = run.pb.as_deref().context("there is no `pb`")?;
            let mut start = Process::start("start", pb, ["start"], &self.home)?;
            self.is_started = true;
            while start.ended()?.is_none() {
                std::thread::sleep(LOOK_AGAIN);
            }
        }
        loop {
            let is_there = self.all().iter().all(|(_, holder)| holder.is_some());
            let serves = || {
                let report = control::ask(&self.home, &Ask::Report).ok()?;
                Some(report.children.iter().all(|child| child.state == State::Running))
            };
            if is_there && serves() == Some(true) {
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
