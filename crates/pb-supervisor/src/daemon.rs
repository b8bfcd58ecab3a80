//! The two processes that are kept running, from outside.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use pb_runtime::{Endpoint, Home, LockHolder};
use serde::{Deserialize, Serialize};

/// Arguments that are about how the process runs, and not about what it does.
const OF_THE_PROCESS: [&str; 2] = ["--foreground", "--report-ready"];

/// One of the two. A process is known by the lock that it holds, never by a name or a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Daemon {
    /// The hub that clients talk to.
    Gateway,
    /// The one that executes goals.
    Scheduler,
}

impl Daemon {
    /// Both, in the order in which they start: the scheduler finds the gateway's socket at once.
    pub const ALL: [Self; 2] = [Self::Gateway, Self::Scheduler];

    /// Its name, which is also the command that governs it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scheduler => "scheduler",
        }
    }

    /// The lock that it holds for life.
    pub fn lock(self, home: &Home) -> PathBuf {
        match self {
            Self::Gateway => home.gateway_lock(),
            Self::Scheduler => home.scheduler_lock(),
        }
    }

    /// Where it prints what is in no log, when it runs in the background.
    pub fn printed(self, home: &Home) -> PathBuf {
        printed(home, self.name())
    }

    /// Where it tells of its work when it runs in the background.
    pub fn log(self, home: &Home) -> PathBuf {
        log(home, self.name())
    }

    /// The running one, if one runs.
    pub fn holder(self, home: &Home) -> Option<LockHolder> {
        LockHolder::alive(&self.lock(home))
    }

    /// The arguments after `pb NAME start` with which the one runs that is there now. One that took any free port
    /// is to go on with the port that its clients know.
    pub fn arguments(self, home: &Home) -> Option<Vec<OsString>> {
        let pid = self.holder(home)?.pid;
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let all: Vec<OsString> = line
            .split(|byte| *byte == 0)
            .map(|argument| OsString::from_vec(argument.to_vec()))
            .skip_while(|argument| argument != "start")
            .collect();
        let (_start, rest) = all.split_first()?;
        let asked = |argument: &&OsString| {
            !argument.is_empty() && OF_THE_PROCESS.iter().all(|of_process| argument != of_process)
        };
        let mut arguments: Vec<OsString> = rest.iter().filter(asked).cloned().collect();
        let listens = Endpoint::read(&home.gateway_json()).filter(|endpoint| endpoint.pid == pid);
        if let Some(endpoint) = listens
            && let Some(port) = arguments.iter_mut().skip_while(|argument| *argument != "--port").nth(1)
        {
            *port = endpoint.address.port().to_string().into();
        }
        Some(arguments)
    }
}

/// Where a background process of this name prints what is in no log.
pub(crate) fn printed(home: &Home, name: &str) -> PathBuf {
    home.logs().join(format!("{name}.out"))
}

/// Where a background process of this name tells of its work.
pub(crate) fn log(home: &Home, name: &str) -> PathBuf {
    home.logs().join(format!("{name}.log"))
}
