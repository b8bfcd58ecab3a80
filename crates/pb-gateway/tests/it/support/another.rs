//! A connection of another user of this machine.

use std::net::SocketAddr;
use std::path::Path;

use rustix::process::Uid;
use tokio::net::TcpStream;

/// A user that is not ours: `nobody` of Debian.
const ANOTHER: u32 = 65_534;

/// What another user is told who opens this Unix socket; `None`, and a word about it, where we cannot be one.
pub(crate) fn socket_as_another_user(path: &Path) -> Option<std::io::Error> {
    let path = path.to_owned();
    as_another_user(move || std::os::unix::net::UnixStream::connect(path).unwrap_err())
}

/// Connects as another user does. Only the superuser can; `None`, and a word about it, for others.
pub(crate) fn another_user(address: SocketAddr) -> Option<TcpStream> {
    let stream = as_another_user(move || std::net::TcpStream::connect(address).unwrap())?;
    stream.set_nonblocking(true).unwrap();
    Some(TcpStream::from_std(stream).unwrap())
}

fn as_another_user<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if !rustix::process::geteuid().is_root() {
        super::tell("skipped: only the superuser can connect as another user");
        return None;
    }
    // A socket belongs to the user of the thread that makes it; the thread ends with that.
    let working = std::thread::spawn(move || {
        rustix::thread::set_thread_res_uid(None, Uid::from_raw(ANOTHER), None).unwrap();
        work()
    });
    Some(working.join().unwrap())
}
