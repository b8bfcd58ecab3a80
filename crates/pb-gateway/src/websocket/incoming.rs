//! What comes in: read, unmasked and checked by the library.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use pb_protocol::frame::REQUEST_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

/// Buffer for what comes in, in bytes; the library's default costs 128 KiB a connection.
const BUFFER_BYTES: usize = 4096;
/// How much is thrown away at once when a connection ends.
const DISCARDED_BYTES: usize = 4096;

/// The reading half of a WebSocket.
#[derive(Debug)]
pub(crate) struct Incoming(WebSocketStream<ReadOnly>);

impl Incoming {
    /// Reads on after what came with the handshake.
    pub(crate) async fn new(read: OwnedReadHalf, came: Bytes) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(REQUEST_BYTES_MAX))
            .max_frame_size(Some(REQUEST_BYTES_MAX));
        let stream =
            WebSocketStream::from_partially_read(ReadOnly(read), came.into(), Role::Server, Some(config));
        Self(stream.await)
    }

    /// The next message; `None` at the end. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        self.0.next().await
    }

    /// Reads to the end and throws it away: what is unread when a socket is dropped would reset it, and
    /// what was written last with it.
    pub(crate) async fn discard(&mut self) {
        let mut buffer = [0; DISCARDED_BYTES];
        while self.0.get_mut().0.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}

/// The library answers pings and closes by itself, into the middle of a frame of ours if need be. It is
/// let believe that it did; the session answers.
#[derive(Debug)]
struct ReadOnly(OwnedReadHalf);

impl AsyncRead for ReadOnly {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ReadOnly {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
