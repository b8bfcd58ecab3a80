//! One command of a step: its own TMPDIR, its confinement, and its end when cancelled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pb_exec::{Finished, Policy};
use pb_model::{Epoch, RunId};
use tokio_util::sync::CancellationToken;

use super::Context;
use crate::sandbox::Request;
use crate::verify::Subject;

/// What a step runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepCommand<'a> {
    pub(crate) argv: &'a [String],
    pub(crate) cwd: Option<&'a str>,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) tcp_ports: &'a [u16],
    pub(crate) time_limit_ms: u64,
}

impl<'a> StepCommand<'a> {
    /// The same with another program.
    pub(crate) fn instead(&self, argv: &'a [String]) -> Self {
        Self { argv, ..*self }
    }
}

/// Whose step it is.
#[derive(Debug)]
pub(crate) struct StepOf<'a> {
    pub(crate) run: RunId,
    pub(crate) epoch: Epoch,
    pub(crate) inputs: &'a BTreeMap<String, String>,
    pub(crate) workspace: &'a Path,
    /// What to do where the kernel cannot confine.
    pub(crate) policy: Policy,
}

impl<'a> From<&'a Subject> for StepOf<'a> {
    fn from(subject: &'a Subject) -> Self {
        Self {
            run: subject.run.id,
            epoch: subject.run.epoch,
            inputs: &subject.goal.spec.inputs,
            workspace: &subject.workspace,
            policy: Policy::BestEffort,
        }
    }
}

/// The value of `PB_STEP`: run, place in its journal, incarnation.
pub(crate) fn step_name(run: RunId, n: u32, epoch: Epoch) -> String {
    format!("{run}.{n}.{epoch}")
}

/// The run that a `PB_STEP` names.
pub(crate) fn run_of_step(name: &str) -> Option<RunId> {
    name.split('.').next()?.parse().ok()
}

impl Context {
    /// Runs a command as step `n`. When cancelled, everything that it started is ended first.
    pub(crate) async fn run_step(
        &self,
        of: StepOf<'_>,
        command: &StepCommand<'_>,
        n: u32,
        cancel: &CancellationToken,
    ) -> Result<Finished, pb_exec::SpawnError> {
        self.run_step_hearing(of, command, (n, cancel), &mut |_| {}).await
    }

    /// The same; `listener` hears the output as it comes.
    pub(crate) async fn run_step_hearing(
        &self,
        of: StepOf<'_>,
        command: &StepCommand<'_>,
        (n, cancel): (u32, &CancellationToken),
        listener: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Finished, pb_exec::SpawnError> {
        let step = step_name(of.run, n, of.epoch);
        let temporary = Temporary::make(self.config.home.temporary().join(&step));
        let job = self.sandbox.job(&Request {
            step,
            argv: command.argv,
            cwd: command.cwd,
            env: command.env,
            inputs: of.inputs,
            workspace: of.workspace,
            temporary: &temporary.0,
            tcp_ports: command.tcp_ports,
            time_limit: Duration::from_millis(command.time_limit_ms),
            policy: of.policy,
        });
        let running = self.launcher.spawn(&job)?;
        let stopper = running.stopper();
        let mut finished = std::pin::pin!(running.wait_hearing(listener));
        tokio::select! {
            finished = &mut finished => return Ok(finished),
            () = cancel.cancelled() => stopper.stop(),
        }
        Ok(finished.await)
    }
}

/// A folder that is removed when the step has ended.
struct Temporary(PathBuf);

impl Temporary {
    fn make(path: PathBuf) -> Self {
        use std::os::unix::fs::DirBuilderExt;
        // A folder that cannot be made shows in the command that needs it.
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // What is left is removed at the next start.
    }
}
