//! `pb gateway`: the hub that clients talk to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use pb_gateway::{Gateway, Remote, TlsSettings};
use pb_runtime::config::{self, Config as Settings};
use pb_runtime::{Clock, Home, Ids};
use tokio_util::sync::CancellationToken;

use super::tokens;
use crate::daemon::{self, Daemon, Ground, Serving};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{cli, commands};

/// Where who works on the console has its files read from.
const WEB_DIR: &str = "PB_WEB_DIR";

/// Start, stop and look at the gateway: the hub that clients talk to
///
/// It takes goals in, also while no scheduler runs, and shows every client what happens.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb gateway start\n  pb gateway start --foreground --debug\n  pb gateway status --json"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the gateway in the background; its log is logs/gateway.log
    Start(commands::service::OrAgain<StartArgs>),
    /// Stop the gateway; goals go on
    Stop(commands::service::StopArgs),
    /// Stop the gateway if it runs, and start it: as it was started before, if nothing else is said
    Restart(StartArgs),
    /// Show whether the gateway runs, and where; exits 3 if it does not
    #[command(visible_alias = "ps")]
    Status(commands::status::DaemonArgs),
    /// The same as `pb logs gateway`
    Logs(commands::service::Words),
    Pair(tokens::PairArgs),
    Tokens(tokens::TokensArgs),
    Revoke(tokens::RevokeArgs),
}

/// How to start a gateway.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
pub(crate) struct StartArgs {
    /// Stay in the foreground and write to this terminal; Ctrl-C stops it
    #[arg(long)]
    foreground: bool,
    /// Tell more about what goes on
    #[arg(long)]
    debug: bool,
    /// The address to listen on; one that other machines reach needs `[gateway.tls]` in config.toml
    #[arg(long, env = "PB_HOST", default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 takes a free one
    #[arg(short, long, env = "PB_PORT", default_value_t = 18789)]
    pub(super) port: u16,
    /// The port of the debug server, on this machine only; 0 takes a free one [default: as config.toml says, else one
    /// above --port]
    #[arg(long, env = "PB_DEBUG_PORT", value_name = "PORT")]
    debug_port: Option<u16>,
    /// The scheduler's log, which the gateway reads [default: state.db in the home]
    #[arg(short, long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// The Unix socket for the scheduler [default: gateway.sock in the home]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Tell the process that holds the other end of standard input when it serves
    #[arg(long, hide = true)]
    report_ready: bool,
}

/// How to start both.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BothArgs {
    /// Tell more about what goes on, in the logs
    #[arg(long)]
    pub(super) debug: bool,
    /// The address to listen on; one that other machines reach needs `[gateway.tls]` in config.toml
    #[arg(long, env = "PB_HOST", default_value = "127.0.0.1")]
    host: String,
    /// The port to listen on; 0 takes a free one
    #[arg(short, long, env = "PB_PORT", default_value_t = 18789)]
    port: u16,
    /// The port of the debug server, on this machine only; 0 takes a free one [default: as config.toml says, else one
    /// above --port]
    #[arg(long, env = "PB_DEBUG_PORT", value_name = "PORT")]
    debug_port: Option<u16>,
    /// The log of everything that happens [default: state.db in the home]
    #[arg(long, value_name = "PATH")]
    pub(super) db: Option<PathBuf>,
    /// The Unix socket between the two [default: gateway.sock in the home]
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
}

impl BothArgs {
    /// How the gateway is started.
    pub(super) fn gateway(&self) -> StartArgs {
        let Self { debug, host, port, debug_port, db, socket } = self.clone();
        StartArgs { foreground: false, debug, host, port, debug_port, db, socket, report_ready: false }
    }
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    match args.action {
        Action::Start(args) => start(&home, args.ready(&home, Daemon::Gateway)?),
        Action::Stop(args) => {
            args.hurry(&home, &[Daemon::Gateway]);
            commands::stop::one(&home, Daemon::Gateway)
        }
        Action::Restart(args) => {
            let by_default = StartArgs::by_default(false)?.forwarded()?;
            commands::start::one_anew(&home, Daemon::Gateway, (args.forwarded()?, &by_default))
        }
        Action::Status(args) => commands::status::daemon(&home, Daemon::Gateway, &args),
        Action::Logs(words) => words.logs_of(Daemon::Gateway.name()),
        Action::Pair(args) => tokens::pair(&home, &args),
        Action::Tokens(args) => tokens::list(&home, &args),
        Action::Revoke(args) => tokens::revoke(&home, &args),
    }
}

fn start(home: &Home, args: StartArgs) -> Result<Exit, Failure> {
    if args.foreground {
        let ground = Ground { debug: args.debug, report_ready: args.report_ready };
        return daemon::serve(Daemon::Gateway, ground, |stop| serving(home.clone(), args, stop));
    }
    commands::start::one(home, Daemon::Gateway, &args.forwarded()?)
}

async fn serving(
    home: Home,
    args: StartArgs,
    stop: CancellationToken,
) -> Result<Serving<impl Future<Output = Result<(), Failure>>, pb_gateway::Heart>, Failure> {
    home.prepare()?;
    let clock = Clock::System;
    let settings =
        Settings::read(&home.config()).map_err(|error| daemon::not_started(Daemon::Gateway, error.into()))?;
    let gateway = settings.gateway;
    let names = gateway.tls.as_ref().map(|tls| tls.names.clone()).unwrap_or_default();
    let debug_port = debug_port(&args, settings.debug.port);
    let config = pb_gateway::Config {
        tls: gateway.tls.map(tls).transpose()?,
        names,
        host: args.host,
        port: args.port,
        debug_port: Some(debug_port),
        socket: args.socket.unwrap_or_else(|| home.gateway_socket()),
        state_db: args.db.unwrap_or_else(|| home.state_db()),
        tools_are_confined: pb_exec::support().net,
        pending_connections: gateway.pending_connections.then_some(pb_gateway::PENDING_MAX_AGE),
        legacy_peers: settings.link.legacy_peers,
        web_dir: pb_runtime::environment::path(WEB_DIR),
        ids: Ids::random(clock.clone()),
        clock,
        home: home.clone(),
    };
    let gateway =
        Gateway::start(config).await.map_err(|error| daemon::not_started(Daemon::Gateway, error.into()))?;
    let here = format!("ws://{}", gateway.address());
    let about = match gateway.remote() {
        None => here,
        Some(Remote { address, fingerprint }) => format!(
            "{here}, and for other machines on wss://{address} with the certificate {fingerprint} (SHA-256)"
        ),
    };
    let heart = gateway.heart();
    let run = async {
        gateway.run(stop).await;
        Ok(())
    };
    Ok(Serving { about, run, heart })
}

/// Where the debug server is to listen. Beside a free port stands another free one.
fn debug_port(args: &StartArgs, set: Option<u16>) -> u16 {
    let beside = || if args.port == 0 { 0 } else { args.port.checked_add(1).unwrap_or(0) };
    args.debug_port.or(set).unwrap_or_else(beside)
}

/// What `[gateway.tls]` says.
pub(crate) fn tls(settings: config::TlsSettings) -> Result<TlsSettings, Failure> {
    match settings {
        config::TlsSettings { cert: Some(cert), key: Some(key), self_signed: false, .. } => {
            Ok(TlsSettings::Files { cert, key })
        }
        config::TlsSettings { cert: None, key: None, self_signed: true, .. } => Ok(TlsSettings::SelfSigned),
        _ => Err(Failure::new(
            Exit::Config,
            "`[gateway.tls]` in config.toml does not say which certificate is shown",
        )
        .hint("either `cert` and `key` name PEM files, or `self_signed = true` makes a certificate")),
    }
}

impl StartArgs {
    /// What a plain `pb gateway start` would use, `PB_HOST` and `PB_PORT` included.
    pub(crate) fn by_default(debug: bool) -> Result<Self, Failure> {
        let debug = debug.then_some("--debug");
        Self::try_parse_from(debug).map_err(|error| cli::wrong(&error))
    }

    /// The same as arguments for a background process, which has another working folder.
    pub(crate) fn forwarded(&self) -> Result<Vec<OsString>, Failure> {
        let mut arguments: Vec<OsString> =
            vec!["--host".into(), (&self.host).into(), "--port".into(), self.port.to_string().into()];
        arguments.extend(self.debug.then(|| "--debug".into()));
        if let Some(port) = self.debug_port {
            arguments.extend(["--debug-port".into(), port.to_string().into()]);
        }
        path_argument(&mut arguments, "--db", self.db.as_deref())?;
        path_argument(&mut arguments, "--socket", self.socket.as_deref())?;
        Ok(arguments)
    }
}

/// Adds `name PATH`, made absolute.
pub(super) fn path_argument(
    arguments: &mut Vec<OsString>,
    name: &str,
    path: Option<&Path>,
) -> Result<(), Failure> {
    if let Some(path) = path {
        let path = std::path::absolute(path).map_err(anyhow::Error::from)?;
        arguments.extend([name.into(), path.into()]);
    }
    Ok(())
}
