//! Being the supervisor: `pb supervise`, which `pb start` and systemd run.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::Context;
use pb_runtime::readiness::Readiness;
use pb_runtime::service_manager;
use pb_runtime::signals::StopSignals;
use pb_runtime::{Clock, Home};
use pb_supervisor::control::Report;
use pb_supervisor::launch::Launch;
use pb_supervisor::{Config, Ended, Supervisor};
use tokio_util::sync::CancellationToken;

use super::background::{self, exit_of};
use super::{Daemon, Ground, foreground};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, wait};

/// The supervisor's name: that of its command and its log.
pub(crate) const NAME: &str = "supervisor";
/// How long both may take until they serve, with all that is tried again.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// What a supervisor is started with.
#[derive(Debug)]
pub(crate) struct Supervising {
    /// After `pb gateway start`.
    pub(crate) gateway: Vec<OsString>,
    /// After `pb scheduler start`.
    pub(crate) scheduler: Vec<OsString>,
    /// Whether to go on with what one kept running that was killed.
    pub(crate) goes_on: bool,
}

/// Keeps both running until asked to stop.
pub(crate) fn supervise(home: &Home, ground: Ground, supervising: Supervising) -> Result<Exit, Failure> {
    foreground::leave_terminal(ground);
    let result = foreground::may_start(NAME).and_then(|()| run(home, ground, supervising));
    match result {
        Ok(exit) => Ok(exit),
        Err(failure) => {
            foreground::tell_failure(ground, &failure);
            Err(failure)
        }
    }
}

fn run(home: &Home, ground: Ground, supervising: Supervising) -> Result<Exit, Failure> {
    home.prepare()?;
    foreground::start_log(NAME, ground)?;
    let config = Config {
        home: home.clone(),
        clock: Clock::System,
        gateway: supervising.gateway,
        scheduler: supervising.scheduler,
        goes_on: supervising.goes_on,
        // A service manager that is told of us starts us again itself, and ends what we leave.
        revive: !service_manager::is_watched(),
    };
    let runtime = wait::small_daemon()?;
    let (stop, at_once) = (CancellationToken::new(), CancellationToken::new());
    let ended = runtime.block_on(async {
        let mut signals =
            StopSignals::of_daemon(foreground::has_terminal(ground)).context("cannot listen to signals")?;
        let supervisor = Supervisor::start(config).map_err(anyhow::Error::from)?;
        let asked = async {
            signals.next().await;
            stop.cancel();
            signals.next().await;
            at_once.cancel();
            std::future::pending::<Infallible>().await
        };
        let running = supervisor.run(stop.clone(), at_once.clone(), |report| began(ground, report));
        tokio::select! {
            ended = Box::pin(running) => Ok::<_, Failure>(ended),
            never = asked => match never {},
        }
    })?;
    runtime.shutdown_background();
    match ended {
        Ended::Stopped => Ok(Exit::Ok),
        // Asked to stop while it stopped both to become another program.
        Ended::Become { .. } if stop.is_cancelled() => Ok(Exit::Ok),
        Ended::Failed(report) => Err(failure(&report)),
        Ended::Become { program, debug, gateway, scheduler } => {
            let error = become_program(home, &program, ground, (debug, &gateway, &scheduler));
            Err(anyhow::Error::from(error).context(format!("cannot run {}", program.display())).into())
        }
    }
}

/// Both serve, or nothing will change that by itself.
fn began(ground: Ground, report: &Report) {
    let about = about(report);
    if ground.report_ready {
        tracing::info!(about, "everything runs");
        Readiness::Ready(about).tell();
    } else {
        output::note(format_args!("supervisor is ready (pid {}): {about}", report.pid));
    }
}

fn about(report: &Report) -> String {
    let one = |daemon: Daemon| {
        let child = report.of(daemon)?;
        let pid = child.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let place = child.about.as_deref().filter(|_| daemon == Daemon::Gateway);
        let place = place.map(|place| format!(" on {place}")).unwrap_or_default();
        Some(format!("{} {}{pid}{place}", daemon.name(), child.state.as_str()))
    };
    Daemon::ALL.into_iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

/// What cannot run, and why.
pub(super) fn failure(report: &Report) -> Failure {
    use pb_supervisor::child::State;
    let failed = report.children.iter().find(|child| matches!(child.state, State::Exited | State::Fatal));
    let Some(child) = failed else {
        return Failure::new(Exit::Unavailable, "gateway and scheduler do not run");
    };
    let name = child.daemon.name();
    let exit = if child.state == State::Exited {
        child.exit_code.map_or(Exit::Failed, exit_of)
    } else {
        Exit::Unavailable
    };
    let why = child.why.as_deref().unwrap_or("it ended");
    let see_log = format!("see what it tells with: pb logs {name}");
    if child.state == State::Exited {
        // What it said itself, with its own hint.
        return Failure::relayed(exit, why);
    }
    let often = pb_supervisor::child::FAILURES_MAX;
    let within = pb_supervisor::child::FAILURES_WITHIN.as_secs();
    let cause = why.strip_prefix("error: ").unwrap_or(why);
    let message =
        format!("the {name} failed {often} times in {within} s and is left alone\ncaused by: {cause}");
    Failure::new(exit, message).hint(see_log)
}

/// Starts both, with a supervisor in the background, and waits until they serve.
pub(super) fn launch(home: &Home, arguments: Vec<OsString>) -> Result<Child, Failure> {
    let start = ["supervise", "--report-ready"].map(OsString::from);
    let launch = Launch {
        name: NAME,
        arguments: start.into_iter().chain(arguments).collect(),
        variables: Vec::new(),
        without: vec![service_manager::NOTIFY_SOCKET, service_manager::WATCHDOG_USEC, "WATCHDOG_PID"],
    };
    Ok(background::launch(home, &launch, READY_LIMIT)?.1)
}

/// Starts a supervisor that goes on with what one kept running that was killed; `None` where there is one already.
pub(super) fn launch_again(home: &Home) -> Result<Option<Child>, Failure> {
    match launch(home, vec!["--goes-on".into()]) {
        // Another process was faster, which is just as well.
        Err(failure) if failure.exit == Exit::Busy => Ok(None),
        started => started.map(Some),
    }
}

/// Becomes another binary: the same process, to whoever watches it. One that cannot be run is no reason to leave
/// everything stopped: then it is this one anew.
#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec runs the commands of goals; this is the next version of us"
)]
fn become_program(
    home: &Home,
    program: &Path,
    ground: Ground,
    (debug, gateway, scheduler): (bool, &[OsString], &[OsString]),
) -> std::io::Error {
    for program in [program, Path::new("/proc/self/exe")] {
        let mut command = Command::new(program);
        command.arg0("pb").arg("supervise").env("PB_HOME", home.root());
        command.args(ground.report_ready.then_some("--report-ready"));
        command.args((ground.debug || debug).then_some("--debug"));
        for (name, arguments) in [("--gateway-argument", gateway), ("--scheduler-argument", scheduler)] {
            command.args(arguments.iter().map(|argument| {
                let mut given = OsString::from(format!("{name}="));
                given.push(argument);
                given
            }));
            let is_told = arguments.iter().any(|argument| argument == "--debug");
            command.args((debug && !arguments.is_empty() && !is_told).then(|| format!("{name}=--debug")));
        }
        tracing::info!(program = %program.display(), "both have stopped; going on as this program");
        let error = command.exec();
        tracing::error!(%error, program = %program.display(), "it cannot be run");
    }
    std::io::ErrorKind::NotFound.into()
}
