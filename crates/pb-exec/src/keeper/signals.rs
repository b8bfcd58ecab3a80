//! Signals as bytes on sockets, so that one `poll` waits for everything.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// The two kinds of signals that matter here.
#[derive(Debug)]
pub(super) struct Signals {
    /// Readable after a child, own or adopted, has ended.
    pub(super) children: UnixStream,
    /// Readable after the keeper was asked to end.
    pub(super) terminate: UnixStream,
}

impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self { children: on(&[SIGCHLD])?, terminate: on(&[SIGTERM, SIGINT, SIGHUP])? })
    }

    /// Forgets the children that were announced so far; wait for them after this, not before.
    pub(super) fn clear_children(&self) {
        let mut buffer = [0; 64];
        while matches!((&self.children).read(&mut buffer), Ok(1..)) {}
    }
}

fn on(signals: &[i32]) -> io::Result<UnixStream> {
    let (ours, handlers) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    for signal in signals {
        pipe::register(*signal, handlers.try_clone()?)?;
    }
    Ok(ours)
}
