//! Starting, running and stopping.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pb_runtime::config::{Config as Settings, ConfigError};
use pb_runtime::{Clock, Endpoint, Home, Ids, ProcessLock};
use pb_store::{Inbox, Location};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::bind::Listeners;
use crate::heart::Heart;
use crate::hub::Hub;
use crate::page::Feed;
use crate::tls::{Tls, TlsError, TlsSettings};
use crate::{bind, http, link, server, upkeep};

/// How long open connections have to say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// How long tasks have to end once cancelled.
const TASKS_END_MAX: Duration = Duration::from_secs(2);

/// What a gateway is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies.
    pub home: Home,
    /// The address to listen on; without TLS, loopback only.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The port of the debug server, which listens on loopback only; 0 takes a free one, and without one there is
    /// none.
    pub debug_port: Option<u16>,
    /// The Unix socket for the scheduler.
    pub socket: PathBuf,
    /// The scheduler's log.
    pub state_db: PathBuf,
    /// Whether the kernel keeps our tools from our ports. If it does not, who comes without the
    /// token may only look: it could be a tool.
    pub tools_are_confined: bool,
    /// How other machines are talked to, if `host` is theirs too.
    pub tls: Option<TlsSettings>,
    /// Names by which other machines may call us, beside the address.
    pub names: Vec<String>,
    /// How long others than our own user may be connected before they say by `auth.*` who they are; without it they
    /// may not connect so.
    pub pending_connections: Option<Duration>,
    /// Whether schedulers that keep no log are shown, live, beside the one that keeps it.
    pub legacy_peers: bool,
    /// Where the files of the console are read from; those that are part of this program if absent.
    pub web_dir: Option<PathBuf>,
    /// The clock.
    pub clock: Clock,
    /// Fresh ids.
    pub ids: Ids,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another one holds the home.
    #[error("the gateway is not started: {0}")]
    Lock(#[from] pb_runtime::lock::LockError),
    /// The inbox cannot be used.
    #[error("the inbox cannot be used")]
    Store(#[from] pb_store::Error),
    /// The settings are wrong.
    #[error("the settings cannot be used")]
    Config(#[from] ConfigError),
    /// The token can neither be read nor made.
    #[error("the token {path} cannot be used")]
    Token {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not an address.
    #[error("`{host}` is not an address; it is an IP address or `localhost`")]
    NoAddress {
        /// What was asked for.
        host: String,
    },
    /// What is to be shown to other machines cannot be used.
    #[error("no TLS for other machines")]
    Tls(#[from] TlsError),
    /// The address can be reached from other machines.
    #[error("`{host}` is not a loopback address; without TLS the gateway listens on loopback only")]
    NotLoopback {
        /// What was asked for.
        host: String,
    },
    /// Another process listens there.
    #[error("{address} is taken{}", .holder.map(|pid| format!(" by the process {pid}")).unwrap_or_default())]
    PortTaken {
        /// The address.
        address: SocketAddr,
        /// Who, if it could be found out.
        holder: Option<u32>,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The address cannot be used.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The Unix socket's path does not fit.
    #[error(
        "the path {path} is {bytes} bytes long; a Unix socket's path has at most {}",
        pb_runtime::home::SOCKET_PATH_BYTES_MAX
    )]
    SocketPathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// Something that is no socket of ours lies at its path, a symbolic link for example.
    #[error("{path} is {what}; it is left as it is, and the gateway does not start")]
    SocketObstructed {
        /// The path.
        path: PathBuf,
        /// What lies there.
        what: &'static str,
    },
    /// The Unix socket would lie where others can put another one in its place.
    #[error("the folder {folder} of the Unix socket is not private to this user (mode 0700)")]
    SocketFolderOpen {
        /// The folder.
        folder: PathBuf,
    },
    /// The Unix socket cannot be used.
    #[error("cannot listen on {path}")]
    Socket {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Clients could not be told where it listens.
    #[error("cannot write {path}")]
    Endpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Where other machines reach a gateway.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The address.
    pub address: SocketAddr,
    /// SHA-256 of its certificate, as hex digits.
    pub fingerprint: String,
}

/// What is shown to other machines, if the gateway is to listen to any.
fn encryption(config: &Config) -> Result<Option<Tls>, StartError> {
    let Some(ip) = bind::ip_of(&config.host).filter(|ip| !ip.is_loopback()) else { return Ok(None) };
    let Some(settings) = &config.tls else { return Ok(None) };
    let address = (!ip.is_unspecified()).then(|| ip.to_string());
    let names = config.names.iter().cloned().chain(address).collect();
    Ok(Some(Tls::open(settings, &config.home.tls(), names)?))
}

/// Where the debug server listens, or why it does not: what is asked for goes on without it.
async fn debug_listener(port: Option<u16>) -> (Option<(TcpListener, SocketAddr)>, Option<String>) {
    let Some(port) = port else { return (None, None) };
    match bind::debug(port).await {
        Ok(listener) => (Some(listener), None),
        Err(error) => {
            tracing::warn!(%error, "no debug server; going on without it");
            (None, Some(error.to_string()))
        }
    }
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Gateway {
    hub: Arc<Hub>,
    remote: Option<Remote>,
    clients: Vec<TcpListener>,
    debug: Option<(TcpListener, SocketAddr)>,
    schedulers: UnixListener,
    socket: PathBuf,
    /// Held for as long as anything of ours may still write the inbox.
    _lock: ProcessLock,
}

impl Gateway {
    /// Takes the lock, opens the inbox, listens, and writes where.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let Config { home, clock, ids, .. } = &config;
        let settings = Settings::read(&home.config())?;
        let started_at_ms = clock.now_ms();
        let lock = ProcessLock::acquire(&home.gateway_lock(), started_at_ms)?;
        let fresh_id = ids.uuid().simple().to_string();
        let inbox = Inbox::open(Location::File(home.gateway_db()), fresh_id).await?;
        let token = pb_runtime::token::read_or_make(&home.token())
            .map_err(|source| StartError::Token { path: home.token(), source })?;
        let access = Access::open(token, inbox.clone(), started_at_ms).await?;
        let tls = encryption(&config)?;
        let Listeners { here: address, elsewhere, all: clients } =
            bind::listen(&config.host, config.port, tls.is_some()).await?;
        let remote = tls
            .as_ref()
            .zip(elsewhere)
            .map(|(tls, address)| Remote { address, fingerprint: tls.fingerprint.clone() });
        let schedulers = bind::unix(&config.socket)?;

        let (debug, debug_problem) = debug_listener(config.debug_port).await;

        let feed = Feed::new(config.state_db.clone());
        if let Err(error) = feed.look().await {
            tracing::warn!(%error, "cannot read the log yet; trying again each second");
        }
        let endpoint = Endpoint {
            address,
            socket: config.socket.clone(),
            pid: std::process::id(),
            version: pb_runtime::VERSION.to_owned(),
            started_at_ms,
            debug_address: debug.as_ref().map(|(_, address)| *address),
            debug_problem,
        };
        let path = home.gateway_json();
        if let Err(source) = endpoint.write(&path) {
            bind::remove(&config.socket);
            return Err(StartError::Endpoint { path, source });
        }
        let socket = config.socket.clone();
        let door = (access, tls, settings.disk.free_bytes_min);
        let hub = Hub::new(config, address, started_at_ms, door, (inbox, feed));
        Ok(Self { hub: Arc::new(hub), remote, clients, debug, schedulers, socket, _lock: lock })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.hub.address
    }

    /// Where the debug server listens, if it does.
    pub fn debug_address(&self) -> Option<SocketAddr> {
        self.debug.as_ref().map(|(_, address)| *address)
    }

    /// Where other machines reach it, if they may.
    pub fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// Whether it lives.
    pub fn heart(&self) -> Heart {
        Heart { hub: Arc::clone(&self.hub) }
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let Self { hub, remote, clients, debug, schedulers, socket, _lock } = self;
        tracing::info!(address = %hub.address, socket = %socket.display(), "the gateway listens");
        if let Some(Remote { address, fingerprint }) = remote {
            tracing::info!(%address, %fingerprint, "other machines reach it through TLS");
        }
        for listener in clients {
            let router = http::router(Arc::clone(&hub));
            hub.tasks.spawn("clients", server::serve(Arc::clone(&hub), listener, router));
        }
        if let Some((listener, address)) = debug {
            tracing::info!(%address, "the debug server listens");
            let router = http::debug_router(Arc::clone(&hub));
            hub.tasks.spawn("debug server", server::serve(Arc::clone(&hub), listener, router));
        }
        hub.tasks.spawn("link", link::listen(Arc::clone(&hub), schedulers));
        let tail = hub.feed.clone();
        hub.tasks.spawn("tail of the log", async move { tail.follow_tail().await });
        hub.tasks.spawn("debug", Arc::clone(&hub.debug).run());
        hub.tasks.spawn("upkeep", upkeep::run(Arc::clone(&hub)));
        stop.cancelled().await;

        hub.stopping.cancel();
        bind::remove(&hub.home.gateway_json());
        bind::remove(&socket);
        hub.sessions.close();
        if tokio::time::timeout(GOODBYE_MAX, hub.sessions.wait()).await.is_err() {
            tracing::warn!("some clients did not say goodbye in time");
        }
        if !hub.tasks.stop(TASKS_END_MAX).await {
            tracing::warn!("some tasks did not end in time");
        }
        tracing::info!("the gateway stopped");
    }
}
