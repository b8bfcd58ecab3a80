//! Hearing from what runs: datagrams of `sd_notify(3)`, on a socket for each.

use std::io;
use std::path::Path;

use tokio::net::UnixDatagram;
use tokio::sync::mpsc::Sender;

use crate::Daemon;
use crate::run::Input;

/// Longest datagram, in bytes.
const DATAGRAM_BYTES_MAX: usize = 4096;

/// Listens at `path`, whatever another one left there.
pub(crate) fn listen(path: &Path) -> io::Result<UnixDatagram> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    UnixDatagram::bind(path)
}

/// Passes on what is heard.
pub(crate) async fn hear(socket: UnixDatagram, daemon: Daemon, inputs: Sender<Input>) {
    let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        match socket.recv(&mut bytes).await {
            Ok(count) => {
                let told = bytes.get(..count).unwrap_or_default();
                let is_alive = told.split(|byte| *byte == b'\n').any(|line| line == b"WATCHDOG=1");
                if is_alive && inputs.send(Input::Alive(daemon)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, name = daemon.name(), "cannot hear from it any more");
                return;
            }
        }
    }
}
