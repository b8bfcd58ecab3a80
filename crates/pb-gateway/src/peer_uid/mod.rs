//! Whose process is at the other end of a loopback connection.
//!
//! The kernel is asked for the client's own socket: over netlink, which finds that one socket; from
//! `/proc/net/tcp`, which lists all, only where netlink is refused.
//!
//! Only an open socket that a process still holds has an owner: the kernel shows one that its
//! process closed as root's, and root may be us.

mod diag;
mod table;

use std::net::SocketAddr;

/// The user whose process holds the socket at `peer`, connected to our `local`.
pub(crate) async fn of(peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    match diag::owner(peer, local) {
        Ok(owner) => owner,
        Err(error) => {
            tracing::debug!(%error, "netlink is refused; reading /proc/net/tcp");
            tokio::task::spawn_blocking(move || table::owner(peer, local)).await.ok().flatten()
        }
    }
}
