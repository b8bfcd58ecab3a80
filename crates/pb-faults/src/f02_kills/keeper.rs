//! Who starts again what was killed: the suite, one process after the other, or the supervisor of `pb start`.

use std::time::Duration;

use anyhow::Context;
use pb_runtime::Home;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::processes::{self, Process, READY_MAX};
use crate::supervised::Supervised;
use crate::{Run, Tally};

/// Who starts again what was killed.
pub(super) enum Keeper {
    /// The suite.
    Suite { gateway: Option<Process>, scheduler: Option<Process> },
    /// A supervisor, which is killed too.
    Supervisor { supervised: Supervised, is_started: bool },
}

impl Keeper {
    pub(super) fn suite() -> Self {
        Self::Suite { gateway: None, scheduler: None }
    }

    pub(super) fn supervisor(run: &Run, home: &Home) -> anyhow::Result<Self> {
        Ok(Self::Supervisor { supervised: Supervised::at(run, home.clone())?, is_started: false })
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
            Self::Supervisor { supervised, .. } => kill_some(supervised, rng, tally),
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
            Self::Supervisor { supervised, is_started } => {
                if !std::mem::replace(is_started, true) {
                    supervised.done(&["start"])?;
                }
                took("supervised", supervised.back()?);
            }
        }
        Ok(())
    }
}

/// One or two of the three, in any order, one right after the other.
fn kill_some(supervised: &Supervised, rng: &mut StdRng, tally: &mut Tally) {
    let mut all = supervised.all();
    all.shuffle(rng);
    for (name, holder) in all.into_iter().take(rng.random_range(1..=2)) {
        if let Some(process) = holder.and_then(|holder| holder.process()) {
            process.kill();
            process.wait(READY_MAX);
            tally.count(&format!("{name}_kills"), 1);
        }
    }
}
