//! The server while it runs.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::install;
use crate::process;

/// Longest time from its start until it serves.
const START_WAIT_MAX: Duration = Duration::from_mins(1);

/// Where the sources of this command stand, from the root.
const SOURCES: &str = "xtask/src/commands/real_model";

/// The model, served by a process that ends with us: it reads a pipe of ours to the end.
#[derive(Debug)]
pub(crate) struct RealModel {
    child: Child,
    ready: Ready,
}

/// What the server says once it serves.
#[derive(Debug, Clone, Deserialize)]
struct Ready {
    /// Its address, without a version.
    url: String,
    /// The name of its model.
    model: String,
}

impl RealModel {
    pub(super) fn start(root: &Path, python: &Path, port: u16) -> anyhow::Result<Self> {
        let log = install::folder(root).join("server.log");
        let stderr = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let sources = root.join(SOURCES);
        let mut child = process::command(python)
            .arg(sources.join("serve.py"))
            .arg(sources.join("template.jinja"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .context("cannot start the real model")?;
        let stdout = child.stdout.take();
        match stdout.context("its output is not ours").and_then(ready) {
            Ok(ready) => Ok(Self { child, ready }),
            Err(error) => {
                end(&mut child);
                Err(error.context(format!("the real model does not start; see {}", log.display())))
            }
        }
    }

    /// What tells a test or a command where it is.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        [
            // With the version and a slash, as the base of a chat-completions client.
            ("PB_REAL_MODEL_URL", format!("{}/v1/", self.ready.url)),
            ("PB_REAL_MODEL_NAME", self.ready.model.clone()),
        ]
    }

    /// Waits until it ends, which it does not by itself.
    pub(super) fn wait(&mut self) -> anyhow::Result<()> {
        // What `Child::wait` would close is what the server waits for.
        let stdin = self.child.stdin.take();
        let status = self.child.wait()?;
        drop(stdin);
        bail!("the real model ended ({status})")
    }
}

impl Drop for RealModel {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill(); // It has ended already.
    let _ = child.wait();
}

/// Reads the line that the server prints when it serves.
fn ready(stdout: ChildStdout) -> anyhow::Result<Ready> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line).map(|_| line);
        let _ = sender.send(read); // Nobody waits any more.
    });
    let Ok(line) = receiver.recv_timeout(START_WAIT_MAX) else {
        bail!("it does not serve after {START_WAIT_MAX:?}");
    };
    let line = line?;
    if line.is_empty() {
        bail!("it ended");
    }
    serde_json::from_str(&line).with_context(|| format!("it said: {}", line.trim()))
}
