//! Being a daemon: log, start, say so, serve until asked to stop, drain.

use std::future::Future;

use anyhow::Context;
use pb_runtime::log_file::LogFile;
use pb_runtime::logging::journal::{self, Journal};
use pb_runtime::logging::{self, To};
use pb_runtime::readiness::Readiness;
use pb_runtime::signals::StopSignals;
use pb_runtime::{Home, halt};
use tokio_util::sync::CancellationToken;

use super::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::wait;

/// How a daemon was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground {
    /// Whether it tells more about what it does.
    pub(crate) debug: bool,
    /// Whether another process of ours waits for its word.
    pub(crate) report_ready: bool,
}

/// Serves until asked to stop. `start` gives what people are told and what runs until the token
/// is cancelled.
pub(crate) fn serve<S, R>(
    daemon: Daemon,
    ground: Ground,
    start: impl FnOnce(CancellationToken) -> S,
) -> Result<Exit, Failure>
where
    S: Future<Output = Result<(String, R), Failure>>,
    R: Future<Output = Result<(), Failure>>,
{
    if ground.report_ready {
        // A terminal's Ctrl-C and hang-up are not for us. We never lead a group yet, so this succeeds.
        let _ = rustix::process::setsid();
    }
    let result = may_start(daemon).and_then(|()| run(daemon, ground, start));
    if let Err(failure) = &result
        && ground.report_ready
    {
        let failed = Readiness::Failed { error: failure.to_string(), exit_code: failure.exit.code() };
        failed.tell();
    }
    result
}

fn run<S, R>(
    daemon: Daemon,
    ground: Ground,
    start: impl FnOnce(CancellationToken) -> S,
) -> Result<Exit, Failure>
where
    S: Future<Output = Result<(String, R), Failure>>,
    R: Future<Output = Result<(), Failure>>,
{
    start_log(daemon, ground)?;
    let runtime = wait::daemon()?;
    let ended: Result<(), Failure> = runtime.block_on(async {
        let mut signals = StopSignals::listen().context("cannot listen to signals")?;
        let stop = CancellationToken::new();
        let (about, serving) = tokio::select! {
            started = Box::pin(start(stop.clone())) => started?,
            () = signals.next() => return Ok(()),
        };
        ready(daemon, ground, about);
        let mut serving = Box::pin(serving);
        tokio::select! {
            ended = &mut serving => return ended,
            () = signals.next() => stop.cancel(),
        }
        tokio::select! {
            ended = serving => ended,
            () = signals.next() => {
                output::note("asked twice: ending at once");
                Ok(())
            }
        }
    });
    // What still works in the background has had its time; what counts is on the disk.
    runtime.shutdown_background();
    ended.map(|()| Exit::Ok)
}

/// In the background, a daemon has its log in a file; where a service manager gave it the journal, there.
fn start_log(daemon: Daemon, ground: Ground) -> Result<(), Failure> {
    let home = Home::from_environment()?;
    let journal = if journal::is_stderr() { Journal::of_machine(daemon.name()).ok() } else { None };
    let to = match journal {
        Some(journal) => To::Journal(journal),
        None if ground.report_ready => {
            home.prepare()?;
            let path = daemon.log(&home);
            To::File(LogFile::open(&path).with_context(|| format!("cannot open {}", path.display()))?)
        }
        None => To::Terminal,
    };
    logging::start(ground.debug, to, Some(logging::kept_path(&home, daemon.name())));
    Ok(())
}

fn ready(daemon: Daemon, ground: Ground, about: String) {
    let (name, pid) = (daemon.name(), std::process::id());
    if ground.report_ready {
        tracing::info!(pid, about, "the {name} is ready");
        Readiness::Ready(about).tell();
    } else {
        output::note(format_args!("{name} is ready (pid {pid}): {about}"));
    }
}

/// The kill switch holds until a person says `pb start`.
fn may_start(daemon: Daemon) -> Result<(), Failure> {
    let home = Home::from_environment()?;
    home.check()?; // Before anything in it is asked for.
    if !halt::is_set(&home) {
        return Ok(());
    }
    let message = format!("the {} does not start: everything was stopped with pb stop --all", daemon.name());
    Err(Failure::new(Exit::Busy, message).hint("when it may go on: pb start"))
}
