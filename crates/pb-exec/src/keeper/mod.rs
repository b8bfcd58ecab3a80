//! The keeper: one small process above each tool, which outlives the scheduler for as long as it
//! takes to leave nothing behind.
//!
//! ```text
//!   job ──▶ starting ──step says "confined", then closes──▶ running ──tool ends──┐
//!              │                                               │                 ▼
//!              └── step error, stop, signal, scheduler gone, time limit ──▶ sweeping ──▶ report, exit
//! ```
//!
//! It is single-threaded and has no async runtime: it must be ready within a millisecond or two.

mod signals;
mod sweep;
mod watch;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{getpid, set_child_subreaper};
use rustix::thread::set_name;

use crate::message::{JOB_BYTES_MAX, KeeperReport, LineReader, send, stdin_socket, write_all};
use crate::{Enforced, Job, Outcome, STEP_VARIABLE, STEP_WORD, process};
use signals::Signals;
use sweep::Swept;
use watch::Watch;

/// How long a write to the step or to the scheduler may block.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// The keeper. Call it from `main`, before any thread exists, when the first argument is
/// [`crate::KEEPER_WORD`].
pub fn keeper_main() -> ExitCode {
    let Ok(control) = stdin_socket() else {
        return ExitCode::FAILURE;
    };
    // For people who look at the list of processes.
    let _ = set_name(c"pb-keeper");
    let mut lines = LineReader::new(JOB_BYTES_MAX);
    // No job means that the scheduler died before it could send one.
    let Some(line) = lines.wait_line(&control) else {
        return ExitCode::FAILURE;
    };
    match Signals::install().and_then(|signals| keep(&control, lines, &line, &signals)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(
                &control,
                &KeeperReport::Ended {
                    outcome: Outcome::NotStarted(format!("the keeper failed: {error}")),
                    enforced: Enforced::None,
                    duration_us: 0,
                    leftovers_killed: 0,
                    remaining: 0,
                },
            );
            ExitCode::FAILURE
        }
    }
}

/// Sends the last report; the scheduler may not be there to read it.
fn tell(control: &UnixStream, ended: &KeeperReport) {
    let _ = control
        .set_nonblocking(false)
        .and_then(|()| control.set_write_timeout(Some(SEND_LIMIT)))
        .and_then(|()| send(control, ended));
}

/// Starts the step, watches it, sweeps up after it, and reports.
fn keep(control: &UnixStream, lines: LineReader, line: &[u8], signals: &Signals) -> io::Result<()> {
    let job: Job = serde_json::from_slice(line)?;
    set_child_subreaper(Some(getpid()))?;
    control.set_nonblocking(true)?;

    let started = Instant::now();
    let (tool, step) = start_step(&job.step)?;
    // A step that does not take the job ends without a word, which the watch notices.
    let _ = step.set_write_timeout(Some(SEND_LIMIT)).and_then(|()| write_all(&step, line));
    step.set_nonblocking(true)?;

    let deadline = started.checked_add(job.time_limit);
    let mut watch = Watch::new(control, lines, signals, tool, step);
    let outcome = watch.run(deadline);
    let duration = started.elapsed();
    let Swept { killed, remaining } = sweep::end_descendants(tool, signals);
    let ended = KeeperReport::Ended {
        outcome,
        enforced: watch.into_enforced(),
        duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        leftovers_killed: killed,
        remaining,
    };
    tell(control, &ended);
    if remaining > 0 {
        sweep::persist(signals);
    }
    Ok(())
}

/// Starts this same binary as a step, with one end of a socket.
fn start_step(step: &str) -> io::Result<(u32, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    // Standard output and error are inherited: the tool writes straight to the scheduler's pipe.
    let child = process::command("/proc/self/exe".as_ref())
        .arg(STEP_WORD)
        .env_clear()
        .env(STEP_VARIABLE, step)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    // The handle is dropped: `sweep` waits for all children, whoever started them.
    Ok((child.id(), ours))
}
