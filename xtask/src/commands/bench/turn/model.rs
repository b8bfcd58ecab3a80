//! The scripted model: a process of its own, which notes when each request came.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::process;

/// How long it may take to serve.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks whether it serves.
const START_LOOK: Duration = Duration::from_millis(5);

/// The process. Dropped, it ends.
#[derive(Debug)]
pub(in crate::commands::bench) struct ScriptedModel {
    child: Child,
    port: u16,
    log: PathBuf,
}

/// When the requests of a conversation came.
#[derive(Debug)]
pub(in crate::commands::bench) struct Heard(Vec<Request>);

/// A line of its log.
#[derive(Debug, Deserialize)]
struct Request {
    at_us: u64,
    conversation: Option<usize>,
    turn: u32,
    body_bytes: usize,
}

impl ScriptedModel {
    /// Starts it with this script; its files stand in `folder`.
    pub(in crate::commands::bench) fn start(
        program: &Path,
        folder: &Path,
        script: &Value,
    ) -> anyhow::Result<Self> {
        let [script_file, port_file, log] =
            ["script.json", "model.port", "model.log"].map(|name| folder.join(name));
        fs::write(&script_file, script.to_string()).context("cannot write the script")?;
        let child = process::command(program)
            .arg(&script_file)
            .arg("--port-file")
            .arg(&port_file)
            .arg("--log")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot run the scripted model")?;
        let mut model = Self { child, port: 0, log };
        model.port = model.wait_for_port(&port_file)?;
        Ok(model)
    }

    fn wait_for_port(&mut self, file: &Path) -> anyhow::Result<u16> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Ok(text) = fs::read_to_string(file) {
                return text.trim().parse().context("the scripted model names no port");
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the scripted model ended ({status})");
            }
            if Instant::now() > deadline {
                bail!("the scripted model does not serve after {START_LIMIT:?}");
            }
            std::thread::sleep(START_LOOK);
        }
    }

    pub(in crate::commands::bench) fn port(&self) -> u16 {
        self.port
    }

    /// When the requests of the agent came: one for each turn and the one that was answered with `finish`.
    pub(in crate::commands::bench) fn turns(&self, turns: u32) -> anyhow::Result<Heard> {
        let text = fs::read_to_string(&self.log).context("the scripted model wrote no log")?;
        let lines = text.lines().map(serde_json::from_str::<Request>);
        let mut requests = lines.collect::<Result<Vec<_>, _>>().context("the log of the scripted model")?;
        requests.retain(|request| request.conversation == Some(0));
        // A request that was repeated would make one turn look like two.
        if !requests.iter().map(|request| request.turn).eq(0..=turns) {
            bail!("the agent made {} requests, not one for each of {turns} turns", requests.len());
        }
        Ok(Heard(requests))
    }
}

impl Heard {
    /// From each request to the next.
    pub(in crate::commands::bench) fn turns(&self) -> Vec<Duration> {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs.map(|(one, next)| Duration::from_micros(next.at_us.saturating_sub(one.at_us))).collect()
    }

    /// The size of the request in the middle; they grow by the same amount with every turn.
    pub(in crate::commands::bench) fn middle_body_bytes(&self) -> usize {
        self.0.get(self.0.len() / 2).map_or(0, |request| request.body_bytes)
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        let _ = self.child.kill(); // It has ended already.
        let _ = self.child.wait();
    }
}
