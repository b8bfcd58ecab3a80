//! What to run, where, with what, for how long, and what it may touch.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The variable that marks every process of a step, by which [`crate::leftovers`] finds them.
pub const STEP_VARIABLE: &str = "PB_STEP";

/// One command to run, complete: nothing is added to it but [`STEP_VARIABLE`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Value of [`STEP_VARIABLE`] for the keeper and the tool.
    pub step: String,
    /// The program and its arguments; the program is looked up in the `PATH` of `env`.
    pub argv: Vec<String>,
    /// The working folder; relative programs and relative `PATH` entries start here.
    pub cwd: PathBuf,
    /// The whole environment of the tool.
    pub env: BTreeMap<String, String>,
    /// Wall time (monotonic) after which the tool and all it started are ended.
    pub time_limit: Duration,
    /// What the tool may read, write and reach.
    pub confinement: Confinement,
}

/// What the tool may touch. Everything that is not hidden may be read and executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// What to do where the kernel cannot confine.
    pub policy: Policy,
    /// Paths with full access: workspace, `TMPDIR`, caches. Missing ones are ignored;
    /// `/dev/null` is always one. A writable path may lie inside a hidden one.
    pub writable: Vec<PathBuf>,
    /// Paths that can be neither read nor listed. The folders above them cannot be listed
    /// either (so `ls ~` fails), though the other files in those folders can be read.
    pub hidden: Vec<PathBuf>,
    /// TCP ports that may be connected to, on any host. Listening is not restricted.
    pub tcp_ports: Vec<u16>,
}

/// What to do where the kernel cannot confine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Do not start unless files can be confined.
    Required,
    /// Run with what there is and report what is missing.
    BestEffort,
    /// Do not confine.
    Off,
}

/// The values of `env` stay out: they may be secrets that a goal file gave on purpose.
impl fmt::Debug for Job {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Job")
            .field("step", &self.step)
            .field("argv", &self.argv)
            .field("cwd", &self.cwd)
            .field("env", &self.env.keys())
            .field("time_limit", &self.time_limit)
            .field("confinement", &self.confinement)
            .finish()
    }
}
