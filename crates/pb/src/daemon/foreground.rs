//! Being a daemon: log, start, say so, serve until asked to stop, drain.

use std::future::Future;
use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context;
use pb_runtime::log_file::LogFile;
use pb_runtime::logging::journal::{self, Journal};
use pb_runtime::logging::{self, To};
use pb_runtime::readiness::Readiness;
use pb_runtime::service_manager::{self, Heartbeat, Told};
use pb_runtime::signals::StopSignals;
use pb_runtime::{Home, Tasks, halt};
use tokio_util::sync::CancellationToken;

use super::{Daemon, revive};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::wait;

/// How long what tells others of this process has to end.
const TELLING_ENDS_MAX: Duration = Duration::from_millis(100);

/// How a daemon was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground {
    /// Whether it tells more about what it does.
    pub(crate) debug: bool,
    /// Whether another process of ours waits for its word.
    pub(crate) report_ready: bool,
}

/// A daemon that serves.
#[derive(Debug)]
pub(crate) struct Serving<R, H> {
    /// What people are told.
    pub(crate) about: String,
    /// What runs until the token is cancelled.
    pub(crate) run: R,
    /// Whether it lives.
    pub(crate) heart: H,
}

/// Serves until asked to stop.
pub(crate) fn serve<S, R, H>(
    daemon: Daemon,
    ground: Ground,
    start: impl FnOnce(CancellationToken) -> S,
) -> Result<Exit, Failure>
where
    S: Future<Output = Result<Serving<R, H>, Failure>>,
    R: Future<Output = Result<(), Failure>>,
    H: Heartbeat,
{
    leave_terminal(ground);
    let result = may_start(daemon.name()).and_then(|()| run(daemon, ground, start));
    result.inspect_err(|failure| tell_failure(ground, failure))
}

/// A terminal's Ctrl-C and hang-up are not for what runs in the background.
pub(super) fn leave_terminal(ground: Ground) {
    if ground.report_ready {
        // We never lead a group yet, so this succeeds; but for one that became another program, which left it before.
        let _ = rustix::process::setsid();
    }
}

/// Whether there is a terminal that may hang up.
pub(super) fn has_terminal(ground: Ground) -> bool {
    !ground.report_ready && std::io::stdin().is_terminal()
}

/// Tells whoever waits for a word.
pub(super) fn tell_failure(ground: Ground, failure: &Failure) {
    if ground.report_ready {
        Readiness::Failed { error: failure.to_string(), exit_code: failure.exit.code() }.tell();
    }
}

fn run<S, R, H>(
    daemon: Daemon,
    ground: Ground,
    start: impl FnOnce(CancellationToken) -> S,
) -> Result<Exit, Failure>
where
    S: Future<Output = Result<Serving<R, H>, Failure>>,
    R: Future<Output = Result<(), Failure>>,
    H: Heartbeat,
{
    start_log(daemon.name(), ground)?;
    let home = Home::from_environment()?;
    let runtime = wait::daemon()?;
    let ended: Result<(), Failure> = runtime.block_on(async {
        let mut signals = StopSignals::of_daemon(has_terminal(ground)).context("cannot listen to signals")?;
        let stop = CancellationToken::new();
        let starting = Tasks::new();
        starting.spawn("starting", service_manager::keep_telling_start());
        let Serving { about, run, heart } = tokio::select! {
            started = Box::pin(start(stop.clone())) => started?,
            () = signals.next() => return Ok(()),
        };
        starting.stop(TELLING_ENDS_MAX).await;
        ready(daemon, ground, about);
        let telling = Tasks::new();
        telling.spawn("watched", async {
            service_manager::tell(Told::Ready).await;
            service_manager::keep_telling(heart).await;
        });
        if revive::is_asked_for() {
            telling.spawn("supervisor", revive::watch(home, stop.clone()));
        }
        let mut serving = Box::pin(run);
        tokio::select! {
            ended = &mut serving => return ended,
            () = signals.next() => stop.cancel(),
        }
        telling.stop(TELLING_ENDS_MAX).await;
        // Who listens may read nothing.
        let _ = tokio::time::timeout(TELLING_ENDS_MAX, service_manager::tell(Told::Stopping)).await;
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

/// In the background, a process has its log in a file; where a service manager gave it the journal, there.
pub(super) fn start_log(name: &'static str, ground: Ground) -> Result<(), Failure> {
    let home = Home::from_environment()?;
    let journal = if journal::is_stderr() { Journal::of_machine(name).ok() } else { None };
    let to = match journal {
        Some(journal) => To::Journal(journal),
        None if ground.report_ready => {
            home.prepare()?;
            let path = home.logs().join(format!("{name}.log"));
            To::File(LogFile::open(&path).with_context(|| format!("cannot open {}", path.display()))?)
        }
        None => To::Terminal,
    };
    logging::start(ground.debug, to, Some(logging::kept_path(&home, name)));
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
pub(super) fn may_start(name: &str) -> Result<(), Failure> {
    let home = Home::from_environment()?;
    home.check()?; // Before anything in it is asked for.
    if !halt::is_set(&home) {
        return Ok(());
    }
    let message = format!("the {name} does not start: everything was stopped with pb stop --all");
    Err(Failure::new(Exit::Busy, message).hint("when it may go on: pb start"))
}
