//! The scheduler daemon.

use std::path::PathBuf;

use pb_runtime::{Clock, Home, Ids};
use tokio_util::sync::CancellationToken;

/// What a scheduler is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies.
    pub home: Home,
    /// The log's file.
    pub db: PathBuf,
    /// The gateway's socket.
    pub socket: PathBuf,
    /// The binary that provides `__exec`.
    pub exe: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// Fresh ids.
    pub ids: Ids,
}

/// Why a scheduler does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another one holds the home.
    #[error("the scheduler is not started: {0}")]
    Lock(#[from] pb_runtime::lock::LockError),
    /// The log cannot be used.
    #[error("the log cannot be used")]
    Store(#[from] pb_store::Error),
    /// The settings are wrong.
    #[error("the settings cannot be used")]
    Config(#[from] pb_runtime::config::ConfigError),
}

/// A scheduler that holds its home.
#[derive(Debug)]
pub struct Scheduler {}

impl Scheduler {
    /// Takes the lock, opens the log and takes over what an earlier incarnation left.
    pub async fn start(_config: Config) -> Result<Self, StartError> {
        Ok(Self {})
    }

    /// Runs until `stop` is cancelled, then drains.
    pub async fn run(self, stop: CancellationToken) {
        stop.cancelled().await;
    }
}
