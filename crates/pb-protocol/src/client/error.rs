//! Why a call or a subscription did not succeed.

use std::path::PathBuf;
use std::time::Duration;

use tokio_tungstenite::tungstenite;

use crate::error::RpcError;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody knows where the gateway is.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// The gateway could not be reached.
    #[error("cannot reach the gateway at {address}")]
    Connect {
        /// Its address.
        address: String,
        /// Why.
        #[source]
        source: Box<tungstenite::Error>,
    },
    /// The gateway did not answer in time.
    #[error("the gateway did not answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The connection ended.
    #[error("the connection to the gateway was closed")]
    Closed,
    /// The gateway refused the request.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The gateway sent what this version does not understand.
    #[error("the gateway's answer was not understood")]
    Protocol(#[source] serde_json::Error),
}

/// Why it is not known where the gateway is.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// No process is it.
    #[error("the gateway is not running")]
    NotRunning,
    /// A process is it, and does not listen yet.
    #[error("the gateway is starting")]
    Starting,
    /// The token that it asks for cannot be read.
    #[error("cannot read {path}")]
    Token {
        /// The token's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Whether trying again may help: it says that the gateway is away, and not what it thinks.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotFound(NotFound::NotRunning | NotFound::Starting) | Self::TimedOut(_) | Self::Closed => {
                true
            }
            // The gateway makes the token when it starts.
            Self::NotFound(NotFound::Token { source, .. }) => source.kind() == std::io::ErrorKind::NotFound,
            // It answered, in HTTP: it does not want us.
            Self::Connect { source, .. } => !matches!(**source, tungstenite::Error::Http(_)),
            Self::Rpc(_) | Self::Protocol(_) => false,
        }
    }
}
