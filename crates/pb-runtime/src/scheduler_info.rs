//! `run/scheduler.json`: what the running scheduler has to work with. Names only, never a key.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a scheduler has to work with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchedulerInfo {
    /// Its process id; what an earlier one left says nothing about this one.
    pub pid: u32,
    /// The models that it found, `provider/model`.
    pub models: Vec<String>,
    /// Where it found keys: variables and entries of `credentials.toml`.
    pub keys: BTreeSet<String>,
    /// Where its models are: addresses, by provider.
    pub endpoints: BTreeMap<String, String>,
    /// Models that were overloaded or not reached, and go last until then, in milliseconds since 1970.
    pub cooling: BTreeMap<String, u64>,
    /// Why it could not look for models.
    pub problem: Option<String>,
    /// Whether the kernel confines what agents run.
    pub confines: bool,
    /// Whether agents may work where it does not.
    pub allow_unconfined_agents: bool,
    /// How many items run at once, by lane.
    pub lanes: BTreeMap<String, usize>,
    /// What its trace keeps of the words of people, models and tools; none when it writes no trace.
    pub trace_content: Option<String>,
}

impl SchedulerInfo {
    /// Writes it in one piece.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, text)?;
        std::fs::rename(beside, path)
    }

    /// What the scheduler with this pid wrote; `None` until it has.
    pub fn read(path: &Path, pid: u32) -> Option<Self> {
        let info: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        (info.pid == pid).then_some(info)
    }
}
