//! `SOCK_DIAG`: asks the kernel for one TCP socket (`linux/inet_diag.h`).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;
/// `TCP_ESTABLISHED`.
const ESTABLISHED: u8 = 1;
/// Header and `inet_diag_req_v2`, in bytes.
const REQUEST_BYTES: usize = 16 + 56;
/// Where the fields of the answer stand: after the header, `inet_diag_msg`.
const STATE_AT: usize = 16 + 1;
const SOCKET_ID_AT: usize = 16 + 4;
const UID_AT: usize = 16 + 64;
const INODE_AT: usize = 16 + 68;
/// The answer is there when the request returns; this is for a kernel that disagrees.
const ANSWER_MAX: Duration = Duration::from_millis(100);

/// The owner of the socket at `peer` connected to `local`, or `None` if there is no such open
/// socket. An error means that netlink cannot be used here.
pub(super) fn owner(peer: SocketAddr, local: SocketAddr) -> Result<Option<u32>, Errno> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_MAX))?;
    let id = socket_id(peer, local);
    let kernel = SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&socket, &request(peer, &id), SendFlags::empty(), &kernel)?;
    let mut answer = [0; 512];
    let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    match answer.get(..length) {
        Some(answer) => read(answer, &id),
        None => Ok(None),
    }
}

/// `inet_diag_sockid` without interface and cookie: ports and addresses, in network order.
fn socket_id(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
    let mut id = Vec::with_capacity(36);
    id.extend_from_slice(&peer.port().to_be_bytes());
    id.extend_from_slice(&local.port().to_be_bytes());
    for ip in [peer.ip(), local.ip()] {
        let mut bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        bytes.resize(16, 0);
        id.extend_from_slice(&bytes);
    }
    id
}

fn request(peer: SocketAddr, id: &[u8]) -> Vec<u8> {
    let family = match peer.ip() {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let family = u8::try_from(family.as_raw()).unwrap_or_default();
    let mut request = Vec::with_capacity(REQUEST_BYTES);
    request.extend_from_slice(&72_u32.to_ne_bytes());
    request.extend_from_slice(&BY_FAMILY.to_ne_bytes());
    request.extend_from_slice(&REQUEST.to_ne_bytes());
    request.extend_from_slice(&[0; 8]); // Sequence number and port of the sender.
    request.extend_from_slice(&[family, TCP, 0, 0]);
    request.extend_from_slice(&u32::MAX.to_ne_bytes()); // Any state.
    request.extend_from_slice(id);
    request.extend_from_slice(&0_u32.to_ne_bytes()); // Any interface.
    request.extend_from_slice(&[0xff; 8]); // No cookie.
    request
}

fn read(answer: &[u8], id: &[u8]) -> Result<Option<u32>, Errno> {
    let word = |at: usize| {
        let bytes = answer.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    match kind {
        Some(BY_FAMILY) => {
            let open = answer.get(STATE_AT) == Some(&ESTABLISHED) && word(INODE_AT) != Some(0);
            // Without such a connection the kernel may answer with a listener of that port.
            let same = answer.get(SOCKET_ID_AT..SOCKET_ID_AT + id.len()) == Some(id);
            Ok(word(UID_AT).filter(|_| open && same))
        }
        Some(ERROR) => match word(16).map(|code| Errno::from_raw_os_error(code.cast_signed().wrapping_neg()))
        {
            Some(Errno::NOENT) => Ok(None),
            Some(errno) => Err(errno),
            None => Err(Errno::PROTO),
        },
        _ => Err(Errno::PROTO),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_owner_of_an_open_connection_is_found_by_both_ways() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A machine without IPv6 has nothing to find there.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let local = listener.local_addr().unwrap();
            let client = TcpStream::connect(local).unwrap();
            let (_accepted, peer) = listener.accept().unwrap();
            let us = rustix::process::geteuid().as_raw();
            assert_eq!(owner(peer, local), Ok(Some(us)));
            assert_eq!(super::super::table::owner(peer, local), Some(us));

            // Closed by its process, it belongs to nobody, though the connection is not gone yet.
            drop(client);
            assert_eq!(owner(peer, local), Ok(None));
            assert_eq!(super::super::table::owner(peer, local), None);
        }
    }

    #[test]
    fn a_listener_on_the_asked_port_is_not_the_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let (peer, local) = (other.local_addr().unwrap(), listener.local_addr().unwrap());
        assert_eq!(owner(peer, local), Ok(None));
    }
}
