//! `pb scheduler`: the daemon that executes goals.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;
use pb_runtime::{Clock, Home, Ids};
use pb_scheduler::Scheduler;
use tokio_util::sync::CancellationToken;

use super::gateway::{BothArgs, path_argument};
use crate::commands;
use crate::daemon::{self, Daemon, Ground, Serving};
use crate::exit::Exit;
use crate::failure::Failure;

/// Start, stop and look at the scheduler: the daemon that executes goals
///
/// Stopped or killed at any moment, it goes on from its journal when it is started again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb scheduler start\n  pb scheduler start --foreground --debug\n  pb scheduler status --json"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the scheduler in the background; its log is logs/scheduler.log
    Start(commands::service::OrAgain<StartArgs>),
    /// Stop the scheduler; its goals wait until it is started again
    Stop(commands::service::StopArgs),
    /// Stop the scheduler if it runs, and start it: as it was started before, if nothing else is said
    Restart(StartArgs),
    /// Show whether the scheduler runs; exits 3 if it does not
    #[command(visible_alias = "ps")]
    Status(commands::status::DaemonArgs),
    /// The same as `pb logs scheduler`
    Logs(commands::service::Words),
}

/// How to start a scheduler.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct StartArgs {
    /// Stay in the foreground and write to this terminal; Ctrl-C stops it
    #[arg(long)]
    foreground: bool,
    /// Tell more about what goes on
    #[arg(long)]
    debug: bool,
    /// The log of everything that happens [default: state.db in the home]
    #[arg(short, long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// The gateway's Unix socket [default: gateway.sock in the home]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Tell the process that holds the other end of standard input when it serves
    #[arg(long, hide = true)]
    report_ready: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    match args.action {
        Action::Start(args) => start(&home, args.ready(&home, Daemon::Scheduler)?),
        Action::Stop(args) => {
            args.hurry(&home, &[Daemon::Scheduler]);
            commands::stop::one(&home, Daemon::Scheduler)
        }
        Action::Restart(args) => {
            let by_default = StartArgs::by_default(false).forwarded()?;
            commands::start::one_anew(&home, Daemon::Scheduler, (args.forwarded()?, &by_default))
        }
        Action::Status(args) => commands::status::daemon(&home, Daemon::Scheduler, &args),
        Action::Logs(words) => words.logs_of(Daemon::Scheduler.name()),
    }
}

fn start(home: &Home, args: StartArgs) -> Result<Exit, Failure> {
    if args.foreground {
        let ground = Ground { debug: args.debug, report_ready: args.report_ready };
        return daemon::serve(Daemon::Scheduler, ground, |stop| serving(home.clone(), args, stop));
    }
    commands::start::one(home, Daemon::Scheduler, &args.forwarded()?)
}

async fn serving(
    home: Home,
    args: StartArgs,
    stop: CancellationToken,
) -> Result<Serving<impl Future<Output = Result<(), Failure>>, pb_scheduler::Heart>, Failure> {
    home.prepare()?;
    let clock = Clock::System;
    let db = args.db.unwrap_or_else(|| home.state_db());
    let about = db.display().to_string();
    let config = pb_scheduler::Config {
        db,
        socket: args.socket.unwrap_or_else(|| home.gateway_socket()),
        // After an upgrade the path that we were started by is another version.
        exe: PathBuf::from("/proc/self/exe"),
        ids: Ids::random(clock.clone()),
        clock,
        home: home.clone(),
    };
    let scheduler = Scheduler::start(config)
        .await
        .map_err(|error| daemon::not_started(Daemon::Scheduler, error.into()))?;
    let heart = scheduler.heart();
    let run = async { scheduler.run(stop).await.map_err(|error| anyhow::Error::from(error).into()) };
    Ok(Serving { about, run, heart })
}

impl StartArgs {
    /// What a plain `pb scheduler start` would use.
    pub(crate) fn by_default(debug: bool) -> Self {
        Self { debug, ..Self::default() }
    }

    /// What goes with a gateway that is started so.
    pub(super) fn beside(both: &BothArgs) -> Self {
        let (db, socket) = (both.db.clone(), both.socket.clone());
        Self { debug: both.debug, db, socket, ..Self::default() }
    }

    /// The same as arguments for a background process, which has another working folder.
    pub(crate) fn forwarded(&self) -> Result<Vec<OsString>, Failure> {
        let mut arguments = Vec::new();
        arguments.extend(self.debug.then(|| "--debug".into()));
        path_argument(&mut arguments, "--db", self.db.as_deref())?;
        path_argument(&mut arguments, "--socket", self.socket.as_deref())?;
        Ok(arguments)
    }
}
