//! What a session reads from and writes to: a TCP socket, or our end of a pair of sockets whose other end is the TLS
//! of a connection from elsewhere. Both take bytes as long as the kernel has room, and keep none themselves.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

/// A connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Plain(TcpStream),
    /// What comes out of it was encrypted, and what goes in will be.
    Tls(UnixStream),
}

/// The half that is read.
#[derive(Debug)]
pub(crate) enum ReadHalf {
    Plain(tcp::OwnedReadHalf),
    Tls(unix::OwnedReadHalf),
}

/// The half that is written.
#[derive(Debug)]
pub(crate) enum WriteHalf {
    Plain(tcp::OwnedWriteHalf),
    Tls(unix::OwnedWriteHalf),
}

impl Socket {
    pub(crate) fn into_split(self) -> (ReadHalf, WriteHalf) {
        match self {
            Self::Plain(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf::Plain(read), WriteHalf::Plain(write))
            }
            Self::Tls(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf::Tls(read), WriteHalf::Tls(write))
            }
        }
    }
}

impl WriteHalf {
    /// Waits until it takes something.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Plain(half) => half.writable().await,
            Self::Tls(half) => half.writable().await,
        }
    }

    /// Writes what it takes now.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where it takes nothing.
    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(half) => half.try_write_vectored(slices),
            Self::Tls(half) => half.try_write_vectored(slices),
        }
    }
}

macro_rules! read_by_kind {
    ($kind:ty) => {
        impl AsyncRead for $kind {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(io) => Pin::new(io).poll_read(cx, buffer),
                    Self::Tls(io) => Pin::new(io).poll_read(cx, buffer),
                }
            }
        }
    };
}

macro_rules! write_by_kind {
    ($kind:ty) => {
        impl AsyncWrite for $kind {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(io) => Pin::new(io).poll_write(cx, bytes),
                    Self::Tls(io) => Pin::new(io).poll_write(cx, bytes),
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, slices),
                    Self::Tls(io) => Pin::new(io).poll_write_vectored(cx, slices),
                }
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(io) => Pin::new(io).poll_flush(cx),
                    Self::Tls(io) => Pin::new(io).poll_flush(cx),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
                    Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
                }
            }
        }
    };
}

read_by_kind!(Socket);
read_by_kind!(ReadHalf);
write_by_kind!(Socket);
write_by_kind!(WriteHalf);
