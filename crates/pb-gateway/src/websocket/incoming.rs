//! What comes in: read, unmasked and checked by the library.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use pb_protocol::frame::REQUEST_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::socket::ReadHalf;

/// Buffer for what comes in, in bytes; the library's default costs 128 KiB a connection.
const BUFFER_BYTES: usize = 2048;
/// How much is thrown away at once when a connection ends.
const DISCARDED_BYTES: usize = 4096;

/// The reading half of a WebSocket.
#[derive(Debug)]
pub(crate) struct Incoming {
    stream: WebSocketStream<ReadOnly>,
    /// How much may come in for one message, in bytes, where that is less than the library allows.
    message_bytes_max: Option<usize>,
}

impl Incoming {
    /// Reads on after what came with the handshake.
    pub(crate) async fn new(read: ReadHalf, came: Bytes) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(REQUEST_BYTES_MAX))
            .max_frame_size(Some(REQUEST_BYTES_MAX));
        let stream = WebSocketStream::from_partially_read(
            ReadOnly::new(read),
            // A copy: as it came, it holds the 8 KiB into which the handshake was read, as long as the connection.
            came.to_vec(),
            Role::Server,
            Some(config),
        );
        Self { stream: stream.await, message_bytes_max: None }
    }

    /// From now on no more than so many bytes are read for one message, but for what a read brings with the end of the
    /// one before; the library's own limit where there is none. More ends the stream with [`io::ErrorKind::FileTooLarge`].
    pub(crate) fn limit(&mut self, message_bytes_max: Option<usize>) {
        self.message_bytes_max = message_bytes_max;
        self.stream.get_mut().left = message_bytes_max;
    }

    /// The next message; `None` at the end. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        let next = self.stream.next().await;
        self.stream.get_mut().left = self.message_bytes_max;
        next
    }

    /// Reads to the end and throws it away: what is unread when a socket is dropped would reset it, and
    /// what was written last with it.
    pub(crate) async fn discard(&mut self) {
        // Not in the future itself, which is as large as its largest moment for as long as the connection lasts.
        let mut buffer = vec![0; DISCARDED_BYTES];
        while self.stream.get_mut().half.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}

/// The library answers pings and closes by itself, into the middle of a frame of ours if need be. It is
/// let believe that it did; the session answers.
#[derive(Debug)]
struct ReadOnly {
    half: ReadHalf,
    /// How much may still come in for this message.
    left: Option<usize>,
}

impl ReadOnly {
    fn new(half: ReadHalf) -> Self {
        Self { half, left: None }
    }
}

impl AsyncRead for ReadOnly {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.half).poll_read(cx, buffer) else { return Poll::Pending };
        let came = buffer.filled().len() - before;
        if let Some(left) = &mut self.left {
            let Some(rest) = left.checked_sub(came) else {
                return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
            };
            *left = rest;
        }
        Poll::Ready(read)
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
