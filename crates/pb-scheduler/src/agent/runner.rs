//! Running an agent's commands as steps of its run, confined as every command of a goal is.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use pb_exec::{Finished, SpawnError};
use pb_model::{Epoch, RunId};
use pb_tools::{Command, Runner};
use tokio_util::sync::CancellationToken;

use crate::effects::{Context, StepCommand, StepOf};

/// Runs commands for one call of a tool.
pub(super) struct StepRunner {
    pub(super) context: Arc<Context>,
    pub(super) run: RunId,
    pub(super) epoch: Epoch,
    /// The call's place in the journal.
    pub(super) n: u32,
    pub(super) inputs: BTreeMap<String, String>,
    pub(super) workspace: PathBuf,
    /// What is left of the goal's time, in milliseconds.
    pub(super) time_left_ms: u64,
    pub(super) cancel: CancellationToken,
}

impl fmt::Debug for StepRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepRunner").field("run", &self.run).field("n", &self.n).finish_non_exhaustive()
    }
}

impl Runner for StepRunner {
    fn run<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Finished, SpawnError>> {
        Box::pin(async move {
            let of = StepOf {
                run: self.run,
                epoch: self.epoch,
                inputs: &self.inputs,
                workspace: &self.workspace,
                policy: self.context.agent_policy(),
            };
            let step = StepCommand {
                argv: &command.argv,
                cwd: command.cwd.as_deref(),
                env: &BTreeMap::new(),
                tcp_ports: &[],
                time_limit_ms: command.time_limit_s.saturating_mul(1000).min(self.time_left_ms),
            };
            self.context.run_step(of, &step, self.n, &self.cancel).await
        })
    }
}
