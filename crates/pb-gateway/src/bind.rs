//! The sockets that the gateway listens on.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use pb_runtime::home::SOCKET_PATH_BYTES_MAX;
use pb_runtime::port_holder;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use socket2::SockRef;
use tokio::net::{TcpListener, UnixListener, UnixSocket};

use crate::service::StartError;

/// Connections that wait to be accepted on the Unix socket; one scheduler connects.
const UNIX_BACKLOG: u32 = 16;

/// Longest segment of a connection, in bytes. On loopback one would fill a socket, and who receives a single
/// segment waits 40 ms for another before it acknowledges (RFC 9293 §3.8.6.3): a client that was slow once
/// would get 1.6 MB/s from then on.
const SEGMENT_BYTES_MAX: u32 = 16 * 1024;
/// What others may do with a folder, of its mode.
const OTHERS_MODE: u32 = 0o077;

/// What clients connect to.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// Where programs of this machine connect to.
    pub(crate) here: SocketAddr,
    /// Where other machines do, if they may.
    pub(crate) elsewhere: Option<SocketAddr>,
    pub(crate) all: Vec<TcpListener>,
}

/// The address that `host` names; `localhost` is one.
pub(crate) fn ip_of(host: &str) -> Option<IpAddr> {
    match host {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        _ => host.trim_matches(['[', ']']).parse().ok(),
    }
}

/// Listens on `host:port`, and where that is not for programs of this machine, for them too on the same port.
pub(crate) async fn listen(host: &str, port: u16, is_encrypted: bool) -> Result<Listeners, StartError> {
    let ip = ip_of(host).ok_or_else(|| StartError::NoAddress { host: host.to_owned() })?;
    if !ip.is_loopback() && !is_encrypted {
        return Err(StartError::NotLoopback { host: host.to_owned() });
    }
    let first = listener(SocketAddr::new(ip, port)).await?;
    let bound = address_of(&first)?;
    let loopback = match ip {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let here = SocketAddr::new(loopback, bound.port());
    Ok(if ip.is_loopback() {
        Listeners { here: bound, elsewhere: None, all: vec![first] }
    } else if ip.is_unspecified() {
        // It takes connections on every address, those of loopback too.
        Listeners { here, elsewhere: Some(bound), all: vec![first] }
    } else {
        Listeners { here, elsewhere: Some(bound), all: vec![listener(here).await?, first] }
    })
}

/// Listens for who looks into what happens, on this machine only.
pub(crate) async fn debug(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = listener(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await?;
    let address = address_of(&listener)?;
    Ok((listener, address))
}

async fn listener(address: SocketAddr) -> Result<TcpListener, StartError> {
    let port = address.port();
    let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => StartError::PortTaken { address, holder: port_holder::find(port), source },
        _ => StartError::Listen { address, source },
    })?;
    if let Err(error) = SockRef::from(&listener).set_tcp_mss(SEGMENT_BYTES_MAX) {
        tracing::warn!(%error, "clients that are slow for a moment may be slower than need be");
    }
    Ok(listener)
}

/// The address with the real port.
fn address_of(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Listen {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        source,
    })
}

/// Listens on a Unix socket that only our own user may open. The caller holds the gateway's lock,
/// so a dead socket at the path is a leftover and is replaced; anything else stays.
pub(crate) fn unix(path: &Path) -> Result<UnixListener, StartError> {
    let bytes = path.as_os_str().len();
    if bytes > SOCKET_PATH_BYTES_MAX {
        return Err(StartError::SocketPathTooLong { path: path.to_owned(), bytes });
    }
    let failed = |source| StartError::Socket { path: path.to_owned(), source };
    private_folder(path)?;
    clear(path)?;
    let socket = UnixSocket::new_stream().map_err(failed)?;
    // The mode of the unbound socket becomes the file's: it is never open to others, not even for
    // a moment.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(|errno| failed(errno.into()))?;
    socket.bind(path).map_err(failed)?;
    socket.listen(UNIX_BACKLOG).map_err(failed)
}

/// Checks that nobody else can put another socket in the place of ours.
fn private_folder(path: &Path) -> Result<(), StartError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let meta =
        std::fs::metadata(folder).map_err(|source| StartError::Socket { path: path.to_owned(), source })?;
    let is_ours = meta.uid() == rustix::process::geteuid().as_raw();
    if is_ours && meta.mode() & OTHERS_MODE == 0 {
        return Ok(());
    }
    Err(StartError::SocketFolderOpen { folder: folder.to_owned() })
}

/// Whether somebody listens on the socket. Does not wait for a place in its queue: one that is full is
/// somebody's.
fn is_alive(path: &Path) -> std::io::Result<bool> {
    let kind = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let probe = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, kind, None)?;
    match rustix::net::connect(&probe, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn clear(path: &Path) -> Result<(), StartError> {
    let obstructed = |what| Err(StartError::SocketObstructed { path: path.to_owned(), what });
    let failed = |source| StartError::Socket { path: path.to_owned(), source };
    let kind = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    if kind.is_symlink() {
        return obstructed("a symbolic link");
    }
    if !kind.is_socket() {
        return obstructed("not a socket");
    }
    if is_alive(path).map_err(failed)? {
        return obstructed("the socket of a running process");
    }
    std::fs::remove_file(path).map_err(failed)
}

/// Removes a file of ours; one that is gone is as good.
pub(crate) fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "cannot remove");
    }
}
