//! Starting a process of ours in the background: this same binary, in a session of its own, writing to its log,
//! and telling through a pipe when it serves.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pb_runtime::Home;
use pb_runtime::logging::journal;
use pb_runtime::readiness::Readiness;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::daemon;

/// How much is told of what a process printed that ended before it served, in bytes.
const PRINTED_BYTES_MAX: u64 = 2 * 1024;
/// Longest word of a process about its start, in bytes.
const READINESS_BYTES_MAX: usize = 64 * 1024;
/// How many heaps glibc may make, for a process that does not say otherwise (mallopt(3)). It makes one a thread, and
/// each keeps the most that it ever had.
const ARENAS_VARIABLE: &str = "MALLOC_ARENA_MAX";
/// Two threads work at once on a small machine; more of ours seldom allocate at the same moment.
const ARENAS_MAX: &str = "2";

/// A process to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Its name: that of its log.
    pub name: &'static str,
    /// The arguments after `pb`.
    pub arguments: Vec<OsString>,
    /// More variables.
    pub variables: Vec<(&'static str, OsString)>,
    /// Variables that it is not to have.
    pub without: Vec<&'static str>,
}

/// One that was started and has not said whether it serves.
#[derive(Debug)]
pub struct Launched {
    /// The process.
    pub child: Child,
    /// What it says.
    pub word: WordReader,
}

/// Reads the one line that a process says when it serves or gives up.
#[derive(Debug)]
pub struct WordReader {
    reader: PipeReader,
    printed: PathBuf,
}

/// What became of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// What it said.
    Said(Readiness),
    /// It has said nothing in time.
    Late,
    /// It ended without a word; what it printed, if anything.
    Gone(Option<String>),
}

impl Launch {
    /// Starts it in this home.
    ///
    /// # Errors
    /// There is no room for it, or the home cannot be written to.
    #[expect(
        clippy::disallowed_methods,
        reason = "pb_exec runs the commands of goals, which end with the scheduler; this is our own binary, which stays"
    )]
    pub fn start(&self, home: &Home) -> io::Result<Launched> {
        let printed = daemon::printed(home, self.name);
        let (reader, writer) = io::pipe()?;
        let log = open_printed(&printed)?;
        // After an upgrade the path that we were started by is another version.
        let mut command = Command::new("/proc/self/exe");
        if pb_runtime::environment::text(ARENAS_VARIABLE).is_none() {
            command.env(ARENAS_VARIABLE, ARENAS_MAX);
        }
        for name in &self.without {
            command.env_remove(name);
        }
        command
            .arg0("pb")
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("PB_HOME", home.root())
            .current_dir(home.root())
            .stdin(Stdio::from(writer));
        // A service manager that gave us its journal gets what our children tell too.
        if journal::is_stderr() {
            command.stdout(log);
        } else {
            command.stdout(log.try_clone()?).stderr(log);
        }
        let child = command.spawn()?;
        Ok(Launched { child, word: WordReader { reader, printed } })
    }
}

/// Where a process prints what is in no log: it broke before it had one, or in what writes it. Of this start only.
fn open_printed(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path);
    opened.map_err(|error| io::Error::new(error.kind(), format!("cannot open {}: {error}", path.display())))
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

impl WordReader {
    /// Waits for the word. Blocks the thread.
    pub fn read(mut self, at_most: Duration) -> Word {
        let deadline = Instant::now() + at_most;
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
            let mut fds = [PollFd::new(&self.reader, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) | Err(_) => {}
            }
            let mut bytes = [0; 4096];
            match self.reader.read(&mut bytes) {
                Ok(0) | Err(_) => return Word::Gone(last_words(&self.printed)),
                Ok(count) => line.extend(bytes.iter().take(count)),
            }
        }
        serde_json::from_slice(&line).map_or_else(|_| Word::Gone(last_words(&self.printed)), Word::Said)
    }
}
