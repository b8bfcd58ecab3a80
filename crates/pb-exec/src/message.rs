//! The lines that scheduler, keeper and step say to each other.
//!
//! ```text
//! scheduler ──Job──▶ keeper ──Job──▶ step ──exec──▶ tool
//!           ──stop─▶        ◀─StepReport─
//!           ◀─KeeperReport─
//! ```

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::SendFlags;
use serde::{Deserialize, Serialize};

use crate::{Enforced, Outcome};

/// The longest job, encoded, in bytes. The kernel's own limit for arguments is of this order.
pub const JOB_BYTES_MAX: usize = 1024 * 1024;

/// The longest report, in bytes.
pub(crate) const REPORT_BYTES_MAX: usize = 64 * 1024;

/// The line by which the scheduler stops a job.
pub(crate) const STOP_LINE: &[u8] = b"stop\n";

/// How much is read from a socket at once, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// What the keeper tells the scheduler.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub(crate) enum KeeperReport {
    /// The step became the tool.
    Started { pid: u32, enforced: Enforced },
    /// It is over and everything is gone; the keeper exits now.
    Ended {
        outcome: Outcome,
        enforced: Enforced,
        duration_us: u64,
        leftovers_killed: u32,
        /// Processes that did not go away in time (in uninterruptible sleep, or not ours to kill).
        remaining: u32,
    },
}

/// What the step tells the keeper. The end of the stream without an error means that it is the tool now.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepReport {
    /// Confinement is in force, this far.
    Confined(Enforced),
    /// The tool could not be started.
    Error(String),
}

/// Writes one message as one line.
pub(crate) fn send(stream: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    write_all(stream, &line)
}

/// Writes everything, or fails; never with SIGPIPE, whatever `main` did about that signal: a
/// keeper must outlive its scheduler.
pub(crate) fn write_all(stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::net::send(stream, bytes, SendFlags::NOSIGNAL) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The socket that this process was given as standard input.
pub(crate) fn stdin_socket() -> io::Result<UnixStream> {
    // The duplicate is close-on-exec, and owned, which descriptor 0 itself cannot be.
    let owned = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(UnixStream::from(owned))
}

/// Collects bytes into lines, up to a limit.
#[derive(Debug)]
pub(crate) struct LineReader {
    bytes: Vec<u8>,
    bytes_max: usize,
}

/// What one read found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Something came.
    More,
    /// Nothing now (only from a non-blocking socket).
    Nothing,
    /// The other side is gone, or broke the rules, which is treated the same.
    End,
}

impl LineReader {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), bytes_max }
    }

    /// Reads once.
    pub(crate) fn fill(&mut self, mut stream: &UnixStream) -> Fill {
        let mut buffer = [0; READ_BYTES];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Fill::End,
                Ok(count) => {
                    self.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    let full = self.bytes.len() > self.bytes_max;
                    return if full { Fill::End } else { Fill::More };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fill::Nothing,
                Err(_) => return Fill::End,
            }
        }
    }

    /// Takes the first whole line, with its line feed.
    pub(crate) fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        Some(self.bytes.drain(..=end).collect())
    }

    /// Reads a blocking socket until there is a line; `None` when the other side goes away first.
    pub(crate) fn wait_line(&mut self, stream: &UnixStream) -> Option<Vec<u8>> {
        loop {
            if let Some(line) = self.take_line() {
                return Some(line);
            }
            if self.fill(stream) == Fill::End {
                return None;
            }
        }
    }
}
