//! Why a session ends, and how the other side is told.

use std::time::Duration;

use pb_protocol::CloseReason;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::metrics::Metrics;
use crate::socket::WriteHalf;
use crate::websocket::{Incoming, Outgoing, Written, close_frame};

/// How long the other side may take nothing of what goes before a close frame, and how long it has to answer that.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How long a close takes at most: a frame of megabytes may have begun, and goes first.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// Why we close.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Closing {
    /// The other side is gone.
    Gone,
    /// The other side said goodbye, with this code.
    Goodbye(u16),
    ShuttingDown,
    /// The access token has ended; why.
    TokenEnded(CloseReason),
    /// It did not say in time who it is.
    AuthTimeout,
    HeartbeatTimeout,
    ConnectionLimit,
    SlowConsumer,
    TooBig,
    Malformed,
    NotUtf8,
}

impl Closing {
    /// What a close frame means; it is answered with its own code (RFC 6455 §5.5.1).
    pub(crate) fn goodbye(frame: Option<&CloseFrame>) -> Self {
        Self::Goodbye(frame.map_or(1000, |frame| frame.code.into()))
    }

    /// What an error of the library means.
    pub(crate) fn of(error: &tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Capacity(_) => Self::TooBig,
            tungstenite::Error::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => Self::TooBig,
            tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
                Self::Gone
            }
            tungstenite::Error::Utf8(_) => Self::NotUtf8,
            tungstenite::Error::Protocol(_) => Self::Malformed,
            _ => Self::Gone,
        }
    }

    /// Counts it.
    pub(crate) fn count(self, metrics: &Metrics) {
        match self {
            Self::Gone => metrics.closed("none", "gone"),
            Self::Goodbye(1000) => metrics.closed("1000", "goodbye"),
            Self::Goodbye(1001) => metrics.closed("1001", "goodbye"),
            // Codes that clients choose make no series of their own.
            Self::Goodbye(_) => metrics.closed("other", "goodbye"),
            Self::ShuttingDown => metrics.closed("1001", "shutting_down"),
            Self::TokenEnded(why) => metrics.closed("4003", why.words()),
            Self::AuthTimeout => metrics.closed("4001", "auth_timeout"),
            Self::HeartbeatTimeout => metrics.closed("1000", "heartbeat_timeout"),
            Self::ConnectionLimit => metrics.closed("4006", "connection_limit"),
            Self::SlowConsumer => {
                metrics.closed("4008", "slow_consumer");
                metrics.slow_consumer();
            }
            Self::TooBig => metrics.closed("1009", "too_big"),
            Self::Malformed => metrics.closed("1002", "malformed"),
            Self::NotUtf8 => metrics.closed("1007", "not_utf8"),
        }
    }

    /// What the close frame says.
    fn frame(self) -> Option<(u16, &'static str)> {
        let reason = match self {
            Self::Gone => return None,
            Self::Goodbye(code) => return Some((code, "")),
            Self::TokenEnded(why) => why,
            Self::ShuttingDown => CloseReason::ShuttingDown,
            Self::AuthTimeout => CloseReason::AuthTimeout,
            Self::HeartbeatTimeout => CloseReason::HeartbeatTimeout,
            Self::ConnectionLimit => CloseReason::ConnectionLimit,
            Self::SlowConsumer => CloseReason::SlowConsumer,
            Self::TooBig => CloseReason::TooBig,
            Self::Malformed => CloseReason::Malformed,
            Self::NotUtf8 => CloseReason::NotUtf8,
        };
        Some((reason.code(), reason.words()))
    }
}

/// Says why, waits a moment for the answer, and lets go.
pub(crate) async fn close(
    mut incoming: Incoming,
    mut socket: WriteHalf,
    mut outgoing: Outgoing,
    closing: Closing,
) {
    let Some((code, reason)) = closing.frame() else {
        return;
    };
    // Only the rest of a frame that has begun goes before it: who resumes is told the events then.
    outgoing.release();
    outgoing.push(close_frame(code, reason));
    let goodbye = async {
        while let Written::Blocked { .. } = outgoing.write(&socket)? {
            timeout(CLOSE_WAIT, socket.writable()).await??;
        }
        socket.shutdown().await?;
        timeout(CLOSE_WAIT, incoming.discard()).await?;
        Ok::<(), std::io::Error>(())
    };
    // Whoever does not answer has had its chance.
    let _ = timeout(CLOSE_MAX, goodbye).await;
}
