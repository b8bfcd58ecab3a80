//! The TLS of one connection: a handshake in limited time, and then bytes to and fro.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use super::Tls;
use crate::hub::Hub;

/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Most handshakes at once; more are turned away, for each costs a signature.
pub(crate) const HANDSHAKES_MAX: usize = 64;
/// What is carried at once each way, in bytes.
const CARRIED_BYTES: usize = 8 * 1024;
/// What the kernel holds between the pump and a session, in bytes: who does not read is seen soon.
const PAIR_BUFFER_BYTES: usize = 32 * 1024;

/// Makes the handshake, and gives our end of what comes out of it; `None` if nothing comes of it.
pub(crate) async fn serve(hub: &Arc<Hub>, tls: &Tls, stream: TcpStream, from: IpAddr) -> Option<UnixStream> {
    let Ok(place) = Arc::clone(&hub.handshakes).try_acquire_owned() else {
        tracing::debug!(%from, "turned away: so many handshakes are made already");
        return None;
    };
    let handshake = tokio::time::timeout(HANDSHAKE_MAX, tls.acceptor.accept(stream)).await;
    drop(place);
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, %from, "no TLS");
            return None;
        }
        Err(_) => {
            tracing::debug!(%from, "no TLS in time");
            return None;
        }
    };
    let (ours, theirs) = pair().inspect_err(|error| tracing::warn!(%error, "no pair of sockets")).ok()?;
    // It is one of the connections: what a session says last goes out before the gateway ends.
    hub.tasks.spawn("tls", hub.sessions.track_future(pump(stream, theirs)));
    Some(ours)
}

fn pair() -> std::io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    for end in [&ours, &theirs] {
        rustix::net::sockopt::set_socket_send_buffer_size(end, PAIR_BUFFER_BYTES)?;
    }
    Ok((ours, theirs))
}

async fn pump(mut stream: TlsStream<TcpStream>, mut theirs: UnixStream) {
    if let Err(error) =
        copy_bidirectional_with_sizes(&mut stream, &mut theirs, CARRIED_BYTES, CARRIED_BYTES).await
    {
        tracing::debug!(%error, "a connection through TLS ended");
    }
    // Both ends were told by the copying, but for an error on the one that was not at fault.
    let _ = stream.shutdown().await;
}
