//! What an agent's run needs of the machine.

use std::path::Path;

use pb_exec::Policy;
use pb_model::goal::{Hindrance, Run};

use super::Context;

/// Most names of the workspace's top that a planner is told.
const ENTRIES_MAX: usize = 100;

impl Context {
    /// How an agent's commands are confined (`security.md` 20).
    pub(crate) fn agent_policy(&self) -> Policy {
        if self.sandbox.allows_unconfined_agents() { Policy::BestEffort } else { Policy::Required }
    }

    /// Whether an agent may work here at all: its commands could reach everything if nothing held them.
    pub(crate) fn may_confine(&self, run: &Run) -> Result<(), Hindrance> {
        // A planner runs no command.
        if run.item_id.is_none() || self.agent_policy() == Policy::BestEffort || pb_exec::support().fs {
            return Ok(());
        }
        Err(Hindrance::Unconfined {
            hint: "use a kernel with Landlock (Linux 5.13 or newer), or allow it with \
                   `[sandbox] allow_unconfined_agents = true` in config.toml and `pb scheduler restart`"
                .to_owned(),
        })
    }

    /// What is at the top of a folder: folders with a `/` at their end.
    pub(crate) fn entries(&self, folder: &Path) -> Vec<String> {
        let Ok(read) = std::fs::read_dir(folder) else { return Vec::new() };
        let name = |entry: std::fs::DirEntry| {
            let end = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
            format!("{}{end}", entry.file_name().to_string_lossy())
        };
        let mut names: Vec<String> = read.flatten().map(name).filter(|name| name != ".git/").collect();
        names.sort();
        if names.len() > ENTRIES_MAX {
            let more = names.len() - ENTRIES_MAX;
            names.truncate(ENTRIES_MAX);
            names.push(format!("and {more} more"));
        }
        names
    }
}
