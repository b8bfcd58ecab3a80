//! Starting a daemon in the background: this same binary, in a session of its own, writing to its
//! log, and telling through a pipe when it is ready.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use pb_runtime::Home;
use pb_runtime::readiness::Readiness;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long a daemon may take until it serves.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// How much is told of what a daemon printed that ended before it was ready, in bytes.
const PRINTED_BYTES_MAX: u64 = 2 * 1024;
/// Longest word from a daemon about its start, in bytes.
const READINESS_BYTES_MAX: usize = 64 * 1024;

/// A daemon that serves.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its process id.
    pub(crate) pid: u32,
    /// What it says about itself, for people.
    pub(crate) about: String,
}

/// Starts a daemon with these arguments after `pb NAME start`, and waits until it serves.
pub(crate) fn start(home: &Home, daemon: Daemon, arguments: &[OsString]) -> Result<Started, Failure> {
    home.prepare()?;
    let printed = daemon.printed(home);
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    let mut child = spawn(home, daemon, arguments, (open_printed(&printed)?, Stdio::from(writer)))
        .with_context(|| format!("cannot start the {}", daemon.name()))?;
    let word = read_word(reader);
    let name = daemon.name();
    let see_log = format!("see what it tells with: pb logs {name}");
    match word {
        Word::Said(Readiness::Ready(about)) => Ok(Started { pid: child.id(), about }),
        Word::Said(Readiness::Failed { error, exit_code }) => {
            let _ = child.wait(); // It has said everything.
            Err(Failure::relayed(exit_of(exit_code), &error))
        }
        Word::Late => {
            let seconds = READY_LIMIT.as_secs();
            let message = format!("the {name} (pid {}) is not ready after {seconds} s", child.id());
            Err(Failure::new(Exit::Unavailable, message).hint(format!("it goes on starting; {see_log}")))
        }
        Word::Gone => {
            let how = child.wait().map(|status| status.to_string()).unwrap_or_default();
            let message = format!("the {name} ended before it was ready ({how})");
            let message = match last_words(&printed) {
                Some(words) => format!("{message}; it printed:\n{words}"),
                None => message,
            };
            Err(Failure::new(Exit::Unavailable, message).hint(see_log))
        }
    }
}

/// How many heaps glibc may make, for a process that does not say otherwise (mallopt(3)). It makes one a thread, and
/// each keeps the most that it ever had.
const ARENAS_VARIABLE: &str = "MALLOC_ARENA_MAX";
/// Two threads work at once on a small machine; more of ours seldom allocate at the same moment.
const ARENAS_MAX: &str = "2";

#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec runs the commands of goals, which end with the scheduler; this is our own binary, which stays"
)]
fn spawn(
    home: &Home,
    daemon: Daemon,
    arguments: &[OsString],
    (log, stdin): (File, Stdio),
) -> io::Result<Child> {
    // After an upgrade the path that we were started by is another version.
    let mut command = Command::new("/proc/self/exe");
    if pb_runtime::environment::text(ARENAS_VARIABLE).is_none() {
        command.env(ARENAS_VARIABLE, ARENAS_MAX);
    }
    command
        .arg0("pb")
        .args([daemon.name(), "start", "--foreground", "--report-ready"])
        .args(arguments)
        .env("PB_HOME", home.root())
        .current_dir(home.root())
        .stdin(stdin)
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// Where a daemon prints what is in no log: it broke before it had one, or in what writes it. Of this start only.
fn open_printed(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// The end of what it printed, if it printed anything.
fn last_words(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let begin = file.metadata().ok()?.len().saturating_sub(PRINTED_BYTES_MAX);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut bytes = Vec::new();
    file.take(PRINTED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let words = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!words.is_empty()).then_some(words)
}

enum Word {
    Said(Readiness),
    Late,
    Gone,
}

/// Waits for the one line that a daemon says when it serves or gives up.
fn read_word(mut reader: PipeReader) -> Word {
    let deadline = Instant::now() + READY_LIMIT;
    let mut line = Vec::new();
    while !line.contains(&b'\n') && line.len() < READINESS_BYTES_MAX {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Word::Late;
        }
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = [PollFd::new(&reader, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) | Err(_) => {}
        }
        let mut bytes = [0; 4096];
        match reader.read(&mut bytes) {
            Ok(0) | Err(_) => return Word::Gone,
            Ok(count) => line.extend(bytes.iter().take(count)),
        }
    }
    serde_json::from_slice(&line).map_or(Word::Gone, Word::Said)
}

/// The exit code that a daemon ended with, as far as we know it.
fn exit_of(code: u8) -> Exit {
    const ALL: [Exit; 6] =
        [Exit::Usage, Exit::Missing, Exit::Unavailable, Exit::Busy, Exit::Refused, Exit::Config];
    ALL.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::Failed)
}
