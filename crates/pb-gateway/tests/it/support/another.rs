//! A connection of another user of this machine.

use std::net::SocketAddr;

use rustix::process::Uid;
use tokio::net::TcpStream;

/// A user that is not ours: `nobody` of Debian.
const ANOTHER: u32 = 65_534;

/// Connects as another user does. Only the superuser can; `None`, and a word about it, for others.
pub(crate) fn another_user(address: SocketAddr) -> Option<TcpStream> {
    if !rustix::process::geteuid().is_root() {
        super::tell("skipped: only the superuser can connect as another user");
        return None;
    }
    // A socket belongs to the user of the thread that makes it; the thread ends with that.
    let connecting = std::thread::spawn(move || {
        let another = Uid::from_raw(ANOTHER);
        rustix::thread::set_thread_res_uid(None, another, None).unwrap();
        std::net::TcpStream::connect(address).unwrap()
    });
    let stream = connecting.join().unwrap();
    stream.set_nonblocking(true).unwrap();
    Some(TcpStream::from_std(stream).unwrap())
}
