//! A home under `/tmp`, and the gateway that runs on it.

use std::net::SocketAddr;

use pb_gateway::{Config, Gateway, Remote, StartError};
use pb_runtime::{Clock, Home, Ids};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::within;

/// A home that is gone with the test.
#[derive(Debug)]
pub(crate) struct TestHome {
    pub(crate) home: Home,
    _folder: TempDir,
}

/// A gateway that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) remote: Option<Remote>,
    stop: CancellationToken,
    run: JoinSet<()>,
}

impl TestHome {
    pub(crate) fn new() -> Self {
        // A Unix socket's path is short, and so is this one, whatever TMPDIR says.
        let folder = tempfile::Builder::new().prefix("pb").tempdir_in("/tmp").unwrap();
        let home = Home::at(folder.path()).unwrap();
        home.prepare().unwrap();
        Self { home, _folder: folder }
    }

    /// What a gateway of this home is started with, on a free port.
    pub(crate) fn config(&self) -> Config {
        Config {
            home: self.home.clone(),
            host: "127.0.0.1".to_owned(),
            port: 0,
            debug_port: None,
            socket: self.home.gateway_socket(),
            state_db: self.home.state_db(),
            tools_are_confined: true,
            tls: None,
            names: Vec::new(),
            pending_connections: None,
            legacy_peers: false,
            web_dir: None,
            clock: Clock::System,
            ids: Ids::random(Clock::System),
        }
    }

    /// Starts a gateway.
    pub(crate) async fn gateway(&self) -> Running {
        Running::start(self.config()).await.unwrap()
    }

    /// The token that the gateway made.
    pub(crate) fn token(&self) -> String {
        pb_runtime::token::read(&self.home.token()).unwrap()
    }
}

impl Running {
    pub(crate) async fn start(config: Config) -> Result<Self, StartError> {
        let gateway = Gateway::start(config).await?;
        let (address, stop) = (gateway.address(), CancellationToken::new());
        let remote = gateway.remote().cloned();
        let mut run = JoinSet::new();
        run.spawn(gateway.run(stop.clone()));
        Ok(Self { address, remote, stop, run })
    }

    /// Stops it as SIGTERM does, and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within("the gateway's end", self.run.join_all()).await;
    }
}
