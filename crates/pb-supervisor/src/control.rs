//! Asking the supervisor: one line of JSON there, one line back, on `run/supervisor.sock`.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use pb_runtime::Home;
use serde::{Deserialize, Serialize};

use crate::Daemon;
use crate::child::State;

/// Longest question or answer, in bytes.
pub const LINE_BYTES_MAX: u64 = 256 * 1024;
/// How long the supervisor may take to tell how everything is.
const TELL_MAX: Duration = Duration::from_secs(2);
/// How long it may take to do something: a stop, then a start, each of them at its limit.
const DO_MAX: Duration = Duration::from_secs(75);

/// What the supervisor is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// How everything is.
    Report,
    /// Have these run; answered when they serve, or do not.
    Start(Which),
    /// Have this one stop; answered when it has ended.
    Stop(Which),
    /// Have these stop and run again; answered when they serve, or do not.
    Restart(Which),
    /// Stop both, become this program, and start both; answered when that begins.
    Become {
        /// The binary.
        program: PathBuf,
        /// Whether both tell more about what goes on.
        debug: bool,
    },
}

/// Which processes a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Which {
    /// One of them, or all.
    pub daemon: Option<Daemon>,
    /// What it is to be started with, instead of what it had.
    pub arguments: Option<Vec<OsString>>,
}

impl Which {
    /// Whether it is about this one.
    pub fn is(&self, daemon: Daemon) -> bool {
        self.daemon.is_none_or(|named| named == daemon)
    }
}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The supervisor's process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// What it keeps running.
    pub children: Vec<ChildReport>,
}

/// How one of them is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildReport {
    /// Which one.
    pub daemon: Daemon,
    /// How it is.
    pub state: State,
    /// For how long, in milliseconds.
    pub for_ms: u64,
    /// Its process id, while it is there.
    pub pid: Option<u32>,
    /// How often it was started again by itself.
    pub restarts: u64,
    /// What it says about itself, for people.
    pub about: Option<String>,
    /// Why it failed the last time, for people.
    pub why: Option<String>,
    /// The exit code of its last end.
    pub exit_code: Option<i32>,
}

impl Report {
    /// How this one is.
    pub fn of(&self, daemon: Daemon) -> Option<&ChildReport> {
        self.children.iter().find(|child| child.daemon == daemon)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("the supervisor does not listen")]
    NotThere(#[source] io::Error),
    /// It did not answer.
    #[error("the supervisor does not answer")]
    NoAnswer(#[source] io::Error),
    /// It is another version.
    #[error("the supervisor's answer cannot be read")]
    NotUnderstood(#[source] serde_json::Error),
}

/// Asks it, and waits for the answer. Blocks the thread.
///
/// # Errors
/// There is none, or it does not answer.
pub fn ask(home: &Home, ask: &Ask) -> Result<Report, AskError> {
    let mut socket = UnixStream::connect(home.supervisor_socket()).map_err(AskError::NotThere)?;
    let limit = if *ask == Ask::Report { TELL_MAX } else { DO_MAX };
    let mut line = serde_json::to_string(ask).map_err(AskError::NotUnderstood)?;
    line.push('\n');
    let mut answer = String::new();
    let talked = socket
        .set_read_timeout(Some(limit))
        .and_then(|()| socket.write_all(line.as_bytes()))
        .and_then(|()| BufReader::new((&socket).take(LINE_BYTES_MAX)).read_line(&mut answer));
    match talked {
        Ok(0) => Err(AskError::NoAnswer(io::ErrorKind::UnexpectedEof.into())),
        Ok(_) => serde_json::from_str(&answer).map_err(AskError::NotUnderstood),
        Err(error) => Err(AskError::NoAnswer(error)),
    }
}
