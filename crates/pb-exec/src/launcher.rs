//! The scheduler's side: start a keeper, listen to it, take the output in.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as ControlStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use crate::message::{JOB_BYTES_MAX, KeeperReport, REPORT_BYTES_MAX, STOP_LINE, write_all};
use crate::output::Collector;
use crate::{Enforced, Finished, Job, KEEPER_WORD, Outcome, STEP_VARIABLE, leftovers, process};

/// How long handing a job over may block. The keeper reads it within a few milliseconds.
const HAND_OVER_LIMIT: Duration = Duration::from_secs(2);

/// How long ending what a dead keeper left behind may take.
const LOST_SWEEP_LIMIT: Duration = Duration::from_secs(2);

/// How much output is read at once, in bytes: the size of a pipe.
const READ_BYTES: usize = 64 * 1024;

/// How often the pipe is read after the end: more than the largest pipe holds, 1 MiB by default.
const DRAIN_READS_MAX: usize = 64;

/// Starts jobs.
#[derive(Clone, Debug)]
pub struct Launcher {
    exe: PathBuf,
}

/// Why a job could not be handed to a keeper. What goes wrong later is an [`Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A path in the job is not UTF-8.
    #[error("encode the job")]
    Encode(#[source] serde_json::Error),
    /// Arguments, environment and paths together are too long.
    #[error("hand over a job of {bytes} bytes: the limit is {JOB_BYTES_MAX}")]
    TooLarge {
        /// Its encoded length.
        bytes: usize,
    },
    /// The process is out of descriptors, most likely.
    #[error("open a pipe to the keeper")]
    Pipe(#[source] io::Error),
    /// The binary is missing, or the machine is out of processes.
    #[error("start the keeper {}", exe.display())]
    Keeper {
        /// The binary.
        exe: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The keeper died before it read the job.
    #[error("hand the job to the keeper")]
    HandOver(#[source] io::Error),
}

/// A job in the hands of its keeper. Dropping it ends the tool and all it started.
#[derive(Debug)]
pub struct Running {
    step: String,
    started: Instant,
    keeper: Child,
    keeper_pid: u32,
    /// The same socket as `reports`; alive only as long as this value, see [`Stopper`].
    control: Arc<ControlStream>,
    reports: UnixStream,
    output: pipe::Receiver,
}

/// Stops one job; does nothing once the job is over.
#[derive(Clone, Debug)]
pub struct Stopper {
    // Weak, for the keeper must see the socket close when `Running` is dropped.
    control: Weak<ControlStream>,
}

impl Launcher {
    /// `exe` is the binary that calls [`crate::keeper_main`] and [`crate::step_main`]:
    /// `/proc/self/exe`, outside of tests.
    pub fn new(exe: impl Into<PathBuf>) -> Self {
        Self { exe: exe.into() }
    }

    /// Starts a keeper and hands it the job. Quick; needs a tokio runtime around it.
    pub fn spawn(&self, job: &Job) -> Result<Running, SpawnError> {
        let mut line = serde_json::to_vec(job).map_err(SpawnError::Encode)?;
        line.push(b'\n');
        if line.len() + STOP_LINE.len() > JOB_BYTES_MAX {
            return Err(SpawnError::TooLarge { bytes: line.len() });
        }
        let started = Instant::now();
        let (control, theirs) = ControlStream::pair().map_err(SpawnError::Pipe)?;
        let (output, keeper) = self.start_keeper(job, theirs)?;
        hand_over(&control, &line).map_err(SpawnError::HandOver)?;
        let reports = control.try_clone().and_then(UnixStream::from_std).map_err(SpawnError::Pipe)?;
        Ok(Running {
            step: job.step.clone(),
            started,
            keeper_pid: keeper.id().unwrap_or_default(),
            keeper,
            control: Arc::new(control),
            reports,
            output,
        })
    }

    fn start_keeper(&self, job: &Job, control: ControlStream) -> Result<(pipe::Receiver, Child), SpawnError> {
        let (reader, writer) = io::pipe().map_err(SpawnError::Pipe)?;
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(SpawnError::Pipe)?;
        let errors = writer.try_clone().map_err(SpawnError::Pipe)?;
        let keeper = Command::from(process::command(&self.exe))
            .arg(KEEPER_WORD)
            // The keeper needs nothing of ours, and what it does not have it cannot leak.
            .env_clear()
            .env(STEP_VARIABLE, &job.step)
            .stdin(Stdio::from(OwnedFd::from(control)))
            .stdout(Stdio::from(writer))
            .stderr(Stdio::from(errors))
            // Set before it runs, so that there is no moment when a Ctrl-C could reach it.
            .process_group(0)
            .spawn()
            .map_err(|source| SpawnError::Keeper { exe: self.exe.clone(), source })?;
        Ok((output, keeper))
    }
}

/// Writes the job while the socket still blocks, then makes it ready for tokio.
fn hand_over(control: &ControlStream, line: &[u8]) -> io::Result<()> {
    control.set_write_timeout(Some(HAND_OVER_LIMIT))?;
    write_all(control, line)?;
    control.set_nonblocking(true)
}

impl Stopper {
    /// Asks the keeper to end the tool and all it started. Returns at once; the outcome will be
    /// [`Outcome::Stopped`], unless the tool was quicker.
    pub fn stop(&self) {
        if let Some(control) = self.control.upgrade() {
            // Should the line not fit, a stop is waiting there already; a keeper that is gone
            // has nothing left to stop.
            let _ = write_all(&control, STOP_LINE);
        }
    }
}

impl Running {
    /// The pid of the keeper, which is the parent of the tool.
    pub fn keeper_pid(&self) -> u32 {
        self.keeper_pid
    }

    /// A handle to stop the job with while [`Self::wait`] runs.
    pub fn stopper(&self) -> Stopper {
        Stopper { control: Arc::downgrade(&self.control) }
    }

    /// Takes the output in until the tool and all it started are gone.
    pub async fn wait(self) -> Finished {
        self.wait_hearing(&mut |_| {}).await
    }

    /// The same; `listener` hears the output as it comes, in pieces that may end inside a character.
    pub async fn wait_hearing(mut self, listener: &mut (dyn FnMut(&[u8]) + Send)) -> Finished {
        let mut collector = Collector::default();
        let keeper = &mut self.keeper;
        let reports = &mut self.reports;
        let mut started = None;
        let over = async {
            let report = last_report(reports, &mut started).await;
            match &report {
                // It stays to end these; tokio will reap it. The job must not wait for them.
                Some(ended) if ended.remaining > 0 => return report,
                Some(_) => {}
                // Most likely it is dead already; if it only lost its mind, this ends it.
                None => drop(keeper.start_kill()),
            }
            // Once the keeper is reaped, nothing more can be written.
            let _ = keeper.wait().await;
            report
        };
        let report = tokio::select! {
            report = over => report,
            never = pump(&mut self.output, &mut collector, listener) => match never {},
        };
        let ended = if let Some(ended) = report {
            ended
        } else {
            tracing::warn!(step = self.step, keeper = self.keeper_pid, "keeper lost");
            let (tool, enforced) = started.unwrap_or((0, Enforced::None));
            Ended {
                outcome: Outcome::Lost,
                enforced,
                duration: self.started.elapsed(),
                remaining: 0,
                leftovers_killed: sweep_after_lost_keeper(self.step, tool).await,
            }
        };
        drain(self.output, &mut collector);
        Finished {
            outcome: ended.outcome,
            duration: ended.duration,
            output: collector.finish(),
            enforced: ended.enforced,
            leftovers_killed: ended.leftovers_killed,
        }
    }
}

/// What the keeper's last report says.
struct Ended {
    outcome: Outcome,
    enforced: Enforced,
    duration: Duration,
    leftovers_killed: u32,
    remaining: u32,
}

/// Reads reports until the last one; `None` when the keeper dies without it. `started` gets the
/// tool's pid and confinement as soon as they are known.
async fn last_report(reports: &mut UnixStream, started: &mut Option<(u32, Enforced)>) -> Option<Ended> {
    let mut reports = BufReader::new(reports.take(2 * REPORT_BYTES_MAX as u64));
    let mut line = String::new();
    loop {
        line.clear();
        if reports.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match serde_json::from_str(&line).ok()? {
            KeeperReport::Started { pid, enforced } => {
                tracing::debug!(pid, ?enforced, "tool started");
                *started = Some((pid, enforced));
            }
            KeeperReport::Ended { outcome, enforced, duration_us, leftovers_killed, remaining } => {
                if remaining > 0 {
                    tracing::warn!(remaining, "processes of a tool do not end");
                }
                return Some(Ended {
                    outcome,
                    enforced,
                    duration: Duration::from_micros(duration_us),
                    leftovers_killed,
                    remaining,
                });
            }
        }
    }
}

/// Reads output for as long as it is polled; at the end of the pipe it waits to be dropped.
async fn pump(
    output: &mut pipe::Receiver,
    collector: &mut Collector,
    listener: &mut (dyn FnMut(&[u8]) + Send),
) -> std::convert::Infallible {
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(count @ 1..) = output.read(&mut buffer).await {
        let piece = buffer.get(..count).unwrap_or_default();
        collector.push(piece);
        listener(piece);
    }
    std::future::pending().await
}

/// Takes what is still in the pipe. A writer that survived everything cannot hold this up.
fn drain(output: pipe::Receiver, collector: &mut Collector) {
    let Ok(fd) = output.into_nonblocking_fd() else {
        return;
    };
    let mut output = io::PipeReader::from(fd);
    let mut buffer = vec![0; READ_BYTES];
    for _ in 0..DRAIN_READS_MAX {
        match output.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => collector.push(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Mostly because there is nothing left now.
            Err(_) => return,
        }
    }
}

/// A keeper that was killed leaves its tool running; the mark in the environment finds it.
/// Returns how many others than the tool there were.
async fn sweep_after_lost_keeper(step: String, tool: u32) -> u32 {
    let sweep = tokio::task::spawn_blocking(move || {
        let found = leftovers::find(|id| id == step);
        let remaining = leftovers::end(&found, LOST_SWEEP_LIMIT);
        let others = found.iter().filter(|found| found.pid != tool).count();
        others.saturating_sub(remaining)
    });
    let killed = sweep.await.unwrap_or_default();
    u32::try_from(killed).unwrap_or(u32::MAX)
}
