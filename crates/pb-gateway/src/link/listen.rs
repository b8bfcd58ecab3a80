//! Accepting connections on the Unix socket.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::Semaphore;

use super::peer;
use crate::hub::Hub;

/// Most connections at once: the scheduler, the one that replaces it, and some that are refused.
const PEERS_MAX: usize = 16;
/// How long to wait after the system had no descriptor for a connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Accepts connections until cancelled.
pub(crate) async fn listen(hub: Arc<Hub>, listener: UnixListener) {
    let places = Arc::new(Semaphore::new(PEERS_MAX));
    let mut number = 0;
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                number += 1;
                let served = Arc::clone(&hub);
                hub.tasks.spawn("link peer", async move {
                    peer::serve(served, stream, number).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection on the link");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
