//! The folder in which everything happens, and its end.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use pb_runtime::home::SOCKET_PATH_BYTES_MAX;
use pb_runtime::{Clock, Home, Ids, environment};

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long a process may take to end by itself; what it did is over.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long the kernel may take to end one that is killed.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// How many lines of a log are shown.
const LOG_LINES: usize = 12;

/// A folder of our own, gone with everything in it when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
    pub(super) home: Home,
}

impl Scratch {
    /// Makes it in `TMPDIR`, or in `/tmp` where that is not set or too long for a socket.
    pub(super) fn make() -> Result<Self, Failure> {
        let name = format!("pb-self-check-{}", Ids::random(Clock::System).uuid().simple());
        let fits = |root: &PathBuf| root.join("home/gateway.sock").as_os_str().len() <= SOCKET_PATH_BYTES_MAX;
        let wanted = environment::path("TMPDIR").map(|folder| folder.join(&name)).filter(fits);
        let root = wanted.unwrap_or_else(|| Path::new("/tmp").join(&name));
        let made = DirBuilder::new().mode(0o700).create(&root);
        made.with_context(|| format!("cannot make {}", root.display())).map_err(|error| {
            Failure::of(Exit::Failed, &error)
                .hint("name a folder in which you may write: TMPDIR=FOLDER pb self-check")
        })?;
        // Below here a failure removes it again.
        let home = Home::at(&root.join("home"))?;
        let scratch = Self { root, home };
        scratch.home.prepare()?;
        for folder in [scratch.work(), scratch.hidden()] {
            fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(scratch)
    }

    /// The folder in which commands work.
    pub(super) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// A folder that commands may not look into.
    pub(super) fn hidden(&self) -> PathBuf {
        self.root.join("hidden")
    }

    /// The last lines that gateway and scheduler told.
    pub(super) fn logs(&self) -> String {
        let mut lines = Vec::new();
        for daemon in [Daemon::Gateway, Daemon::Scheduler] {
            for path in [daemon.log(&self.home), daemon.printed(&self.home)] {
                let text = fs::read_to_string(path).unwrap_or_default();
                let all: Vec<&str> = text.lines().collect();
                let last = all.iter().skip(all.len().saturating_sub(LOG_LINES));
                lines.extend(last.map(|line| format!("{}: {line}", daemon.name())));
            }
        }
        lines.join("\n")
    }

    /// Ends both processes, by themselves if they do; says how many there were.
    pub(super) fn stop(&self) -> anyhow::Result<usize> {
        let mut stopped = 0;
        for daemon in [Daemon::Scheduler, Daemon::Gateway] {
            let Some(process) = daemon.holder(&self.home).and_then(|holder| holder.process()) else {
                continue;
            };
            process.terminate();
            if !process.wait(STOP_LIMIT) {
                process.kill();
                let ended = process.wait(KILL_LIMIT);
                let how = if ended { "had to be killed" } else { "does not end" };
                bail!("the {} {how}", daemon.name());
            }
            stopped += 1;
        }
        Ok(stopped)
    }

    /// Removes everything.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        let stopped = self.stop();
        fs::remove_dir_all(&self.root).with_context(|| format!("cannot remove {}", self.root.display()))?;
        stopped.map(drop)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.root.exists() {
            let _ = self.remove(); // It was said already, or something else went wrong before.
        }
    }
}
