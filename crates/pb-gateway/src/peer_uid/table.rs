//! `/proc/net/tcp` and `tcp6`: every TCP socket of this network namespace, a line each.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// State `ESTABLISHED`.
const ESTABLISHED: &str = "01";

/// The owner of the open socket at `peer` connected to `local`.
pub(super) fn owner(peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    let table = match peer.ip() {
        IpAddr::V4(_) => "/proc/net/tcp",
        IpAddr::V6(_) => "/proc/net/tcp6",
    };
    let (peer, local) = (hex(peer), hex(local));
    std::fs::read_to_string(table).ok()?.lines().find_map(|line| {
        // Number, local, remote, state, queues, timer, retransmits, uid, timeout, inode.
        let fields: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, from, to, ESTABLISHED, _, _, _, uid, _, inode] = fields.as_slice() else {
            return None;
        };
        (*from == peer && *to == local && *inode != "0").then(|| uid.parse().ok()).flatten()
    })
}

/// An address as the kernel prints it: words of the network-order bytes in the machine's order.
fn hex(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).filter_map(|word| word.try_into().ok());
    let mut text = String::with_capacity(40);
    for word in words.map(u32::from_ne_bytes) {
        let _ = write!(text, "{word:08X}"); // A string takes everything.
    }
    let _ = write!(text, ":{:04X}", address.port());
    text
}
