//! An installed `pb`, as somebody meets it who has just installed it: nothing is there yet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::process;

/// What every program needs to be found.
pub(super) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program with a home of its own. Dropped, it leaves no process behind.
#[derive(Debug)]
pub(super) struct Trial {
    pb: PathBuf,
    folder: TempDir,
}

impl Trial {
    pub(super) fn new(pb: &Path) -> anyhow::Result<Self> {
        Ok(Self { pb: pb.to_owned(), folder: tempfile::tempdir()? })
    }

    /// Everything that a person does at first.
    ///
    /// # Errors
    /// Something of it does not work.
    pub(super) fn all(&self, version: &str, goal: &Path) -> anyhow::Result<()> {
        let told = self.pb(&["--version"])?;
        if told.trim() != format!("pb {version}") {
            bail!("`pb --version` printed {told:?}");
        }
        self.pb(&["self-check"])?;
        self.pb(&["start"])?;
        let goal = goal.to_str().context("the folder's name is no UTF-8")?;
        // It exits 0 only where the goal is verified.
        self.pb(&["run", goal, "--workspace", "out"])?;
        let made = self.folder.path().join("out/hello.txt");
        fs::metadata(&made).with_context(|| format!("the goal is reached without {}", made.display()))?;
        self.pb(&["status"])?;
        self.pb(&["stop"])?;
        // Now it exits 3.
        if self.pb(&["status"]).is_ok() {
            bail!("something runs after `pb stop`");
        }
        Ok(())
    }

    fn pb(&self, words: &[&str]) -> anyhow::Result<String> {
        process::printed(self.command().args(words))
    }

    fn command(&self) -> Command {
        let mut pb = process::command(&self.pb);
        pb.env_clear()
            .env("PATH", PATH)
            .env("HOME", self.folder.path())
            .env("PB_HOME", self.folder.path().join("home"))
            // Any free port: the person's own gateway may be running.
            .env("PB_PORT", "0")
            .env("PB_LOCAL_MODEL_PORTS", "none")
            .current_dir(self.folder.path());
        pb
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        process::succeeds(self.command().arg("stop"));
    }
}
