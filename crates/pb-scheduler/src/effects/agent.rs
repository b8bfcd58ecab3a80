//! What an agent's run needs of the machine.

use pb_exec::Policy;
use pb_model::goal::{Hindrance, Run};

use super::Context;

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
}
