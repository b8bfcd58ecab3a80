//! The storm: both processes are killed and started again, until enough was killed and all is written.

use std::time::Duration;

use anyhow::ensure;
use pb_runtime::Home;
use pb_store::LogReader;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::Run;
use crate::processes::{self, Process};

/// Between two kills, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 20..600;
/// How long the writer may take for its next commit; one that needs longer hangs.
const PROGRESS_MAX: Duration = Duration::from_mins(1);

/// The processes, and what was done to them.
pub(super) struct Storm<'a> {
    run: &'a Run,
    home: &'a Home,
    rng: StdRng,
    /// The position at which the log will end, and the writer's pause after each commit.
    extent: (u64, u64),
    gateway: Option<Process>,
    writer: Option<Process>,
    pub(super) gateway_kills: u64,
    pub(super) writer_kills: u64,
}

impl<'a> Storm<'a> {
    pub(super) fn begin(run: &'a Run, home: &'a Home, extent: (u64, u64), seed: u64) -> anyhow::Result<Self> {
        let mut storm = Self {
            run,
            home,
            rng: StdRng::seed_from_u64(seed),
            extent,
            gateway: None,
            writer: None,
            gateway_kills: 0,
            writer_kills: 0,
        };
        storm.start()?;
        Ok(storm)
    }

    /// Kills, until it has done so `kills` times and the writer has written all. Leaves both running.
    pub(super) async fn rage(&mut self, kills: u64) -> anyhow::Result<()> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let pause = Duration::from_millis(self.rng.random_range(PAUSE_MS));
            tokio::time::sleep(pause).await; // The very moment of a kill.
            let pos = self.written().await;
            if pos > last {
                (last, moved) = (pos, Instant::now());
            }
            let is_written = last >= self.extent.0;
            ensure!(is_written || moved.elapsed() < PROGRESS_MAX, "the writer stands at {last}");
            if is_written && self.gateway_kills + self.writer_kills >= kills {
                return Ok(());
            }
            // Both at first, so that no storm is too short for either.
            let is_first = self.gateway_kills + self.writer_kills == 0;
            match self.rng.random_range(0..5) {
                _ if is_first => {
                    self.kill_gateway()?;
                    self.kill_writer()?;
                }
                0 | 1 => self.kill_gateway()?,
                2 | 3 => self.kill_writer()?,
                _ => {
                    self.kill_gateway()?;
                    self.kill_writer()?;
                }
            }
            if self.rng.random_range(0..4) == 0 {
                let outage = Duration::from_millis(self.rng.random_range(PAUSE_MS));
                tokio::time::sleep(outage).await; // The other one goes on alone meanwhile.
            }
            self.start()?;
        }
    }

    fn kill_gateway(&mut self) -> anyhow::Result<()> {
        self.gateway_kills += 1;
        self.gateway.take().map_or(Ok(()), Process::kill9)
    }

    fn kill_writer(&mut self) -> anyhow::Result<()> {
        self.writer_kills += 1;
        self.writer.take().map_or(Ok(()), Process::kill9)
    }

    fn start(&mut self) -> anyhow::Result<()> {
        if self.gateway.is_none() {
            self.gateway = Some(processes::gateway(self.run, self.home)?);
        }
        if self.writer.is_none() {
            let (events, pause_ms) = self.extent;
            let seed = self.run.seed.to_string();
            let arguments = [
                "child",
                "writer",
                "--seed",
                &seed,
                "--events",
                &events.to_string(),
                "--pause-ms",
                &pause_ms.to_string(),
            ];
            self.writer = Some(Process::start("writer", &self.run.exe, arguments, self.home)?);
        }
        Ok(())
    }

    async fn written(&self) -> u64 {
        // Until the writer has made its file there is nothing to read.
        match LogReader::open(&self.home.state_db()).await {
            Ok(log) => log.last_pos().await.unwrap_or_default(),
            Err(_) => 0,
        }
    }
}
