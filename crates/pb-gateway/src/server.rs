//! TCP connections: accepted, bounded, and given to the routes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;
use crate::socket::Socket;
use crate::{peer_uid, tls};

/// Most connections that speak HTTP at once: those that have not said what they want, and event
/// streams. Further ones wait in the kernel's queue.
const HTTP_MAX: usize = 1024;
/// How long a connection may take to say what it wants.
const REQUEST_HEAD_MAX: Duration = Duration::from_secs(10);
/// Longest request head, and HTTP buffer, in bytes.
const HTTP_BUFFER_BYTES: usize = 16 * 1024;
/// What the kernel holds for a client that does not read, in bytes.
const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// How long to wait after the system had no descriptor for a connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The other end of a connection, as the routes see it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Our port that it connected to.
    pub(crate) port: u16,
    /// Its user, if it could be found out.
    pub(crate) uid: Option<u32>,
    /// Our address that it connected to, if it is on another machine and came through TLS.
    pub(crate) through_tls: Option<IpAddr>,
    /// Ends the connection at once.
    pub(crate) cut: CancellationToken,
}

/// Accepts connections until cancelled, and gives them to these routes.
pub(crate) async fn serve(hub: Arc<Hub>, listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(HTTP_MAX));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                hub.metrics.accepted();
                let (hub, router, from) = (Arc::clone(&hub), router.clone(), peer.ip().to_canonical());
                let tasks = hub.tasks.clone();
                if from.is_loopback() {
                    tasks.spawn("connection", plain(hub, router, stream, place));
                } else {
                    tasks.spawn("connection", encrypted(hub, router, stream, place));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// A connection on this machine.
async fn plain(hub: Arc<Hub>, router: Router, stream: TcpStream, place: OwnedSemaphorePermit) {
    let ends = prepare(&stream).and_then(|()| Ok((stream.peer_addr()?, stream.local_addr()?)));
    let Ok((peer, local)) = ends.inspect_err(|error| tracing::debug!(%error, "it ended before it began"))
    else {
        return;
    };
    let uid = peer_uid::of(peer, local).await;
    let peer = Peer {
        address: peer.ip(),
        port: local.port(),
        uid,
        through_tls: None,
        cut: CancellationToken::new(),
    };
    connection(hub, router, Socket::Plain(stream), peer, place).await;
}

/// A connection from another machine.
async fn encrypted(hub: Arc<Hub>, router: Router, stream: TcpStream, place: OwnedSemaphorePermit) {
    let Some(tls) = &hub.tls else {
        return; // Without TLS we listen on loopback only.
    };
    let ends = prepare(&stream).and_then(|()| Ok((stream.peer_addr()?, stream.local_addr()?)));
    let Ok((peer, local)) = ends.inspect_err(|error| tracing::debug!(%error, "it ended before it began"))
    else {
        return;
    };
    let Some(stream): Option<UnixStream> = tls::serve(&hub, tls, stream, peer.ip()).await else { return };
    let peer = Peer {
        address: peer.ip(),
        port: local.port(),
        uid: None,
        through_tls: Some(local.ip().to_canonical()),
        cut: CancellationToken::new(),
    };
    connection(Arc::clone(&hub), router, Socket::Tls(stream), peer, place).await;
}

async fn connection(hub: Arc<Hub>, router: Router, stream: Socket, peer: Peer, _place: OwnedSemaphorePermit) {
    let _counted = Arc::clone(&hub.http_connections);
    let cut = peer.cut.clone();
    let entrance = Entrance { routes: TowerToHyperService::new(router), peer };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_MAX)
        .max_buf_size(HTTP_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), entrance)
        .with_upgrades();
    tokio::select! {
        ended = connection => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        },
        () = cut.cancelled() => {}
    }
    // Who waits for the connection's end is told.
    cut.cancel();
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER_BYTES)?;
    Ok(())
}

/// The routes, told who is there.
struct Entrance {
    routes: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Entrance {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.routes.call(request)
    }
}
