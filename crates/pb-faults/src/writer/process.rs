//! A writer as a process: started, heard, killed.

use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{Run, command};

/// How often a process that is to end by itself is looked at.
const ENDED_POLL: Duration = Duration::from_millis(1);

/// The command line of a writer in `folder`.
pub fn writer(run: &Run, folder: &Path, seed: u64) -> Command {
    let mut writer = command::child(run, "write");
    writer.arg("--folder").arg(folder).arg("--seed").arg(seed.to_string());
    writer
}

/// A writer that speaks on its standard output.
#[derive(Debug)]
pub struct Writer {
    child: Child,
    ear: Ear,
}

/// Why somebody stopped listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// Enough was said.
    Enough,
    /// It ended by itself.
    Ended,
    /// It took too long.
    TooLong,
}

impl Writer {
    /// Starts it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start a writer")?;
        let stdout = child.stdout.take().context("the writer has no standard output")?;
        Ok(Self { child, ear: Ear::on(stdout) })
    }

    /// Waits until enough was said.
    pub fn wait(&self, patience: Duration, enough: impl Fn(&[u8]) -> bool) -> Waited {
        self.ear.wait(patience, enough)
    }

    /// Kills it, as `kill -9` does, and tells all that it said.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill(mut self) -> anyhow::Result<Vec<u8>> {
        self.child.kill().context("cannot kill the writer")?;
        self.child.wait()?;
        Ok(self.ear.all())
    }
}

/// Runs it to its end; `None` when that took too long and it was killed.
///
/// # Errors
/// It cannot be run.
pub fn to_the_end(mut command: Command, patience: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start a writer")?;
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(ENDED_POLL); // wait: until it ends, with a deadline
    }
}

/// Takes what comes out of a pipe, so that it is never full.
#[derive(Debug)]
struct Ear {
    heard: Arc<(Mutex<Heard>, Condvar)>,
    listener: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    ended: bool,
}

impl Ear {
    fn on(mut pipe: ChildStdout) -> Self {
        let heard = Arc::<(Mutex<Heard>, Condvar)>::default();
        let shared = Arc::clone(&heard);
        let listener = std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                let count = pipe.read(&mut buffer).unwrap_or_default();
                let mut heard = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                heard.bytes.extend(buffer.iter().take(count));
                heard.ended = count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { heard, listener }
    }

    fn wait(&self, patience: Duration, enough: impl Fn(&[u8]) -> bool) -> Waited {
        let heard = self.heard.0.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |heard: &mut Heard| !heard.ended && !enough(&heard.bytes);
        let (heard, _) =
            self.heard.1.wait_timeout_while(heard, patience, goes_on).unwrap_or_else(PoisonError::into_inner);
        if enough(&heard.bytes) {
            Waited::Enough
        } else if heard.ended {
            Waited::Ended
        } else {
            Waited::TooLong
        }
    }

    fn all(self) -> Vec<u8> {
        // A listener that panicked has said so; what it took is still there.
        let _ = self.listener.join();
        std::mem::take(&mut self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }
}
