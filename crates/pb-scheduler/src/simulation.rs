//! The real scheduler on a simulated machine, for the fault suite (`durability.md` §8, F5): its loop, the
//! lifecycle, the take-over after a crash, the inbox and the store are the ones that are shipped; what goals
//! want of the machine is done by a [`World`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pb_model::GoalId;
use pb_model::goal::{Command, GoalState, Want};
use pb_runtime::{ProcessLock, Tasks};
use pb_store::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::driver::{Channels, Input};
use crate::effects::{Asked, AskedInTalk, Done, Machine};
use crate::service::{Core, INPUTS_WAITING_MAX};
use crate::session::Talked;
use crate::turn::Printed;
use crate::{Config, Scheduler, StartError};

/// A simulated machine.
pub trait World: fmt::Debug + Send + Sync {
    /// Does what a goal wants, and gives the command that hands in its result: one of the `Finish…`.
    /// `None` if it has no result. Cancelled when nobody wants it any more.
    fn perform(
        &self,
        state: GoalState,
        want: Want,
        cancel: CancellationToken,
    ) -> BoxFuture<'static, Option<Command>>;
}

/// One start of the scheduler.
#[derive(Debug)]
pub struct Incarnation {
    core: Core,
    channels: Channels,
    _lock: ProcessLock,
}

/// Hands results in as effects do; for results that come late, or twice.
#[derive(Debug, Clone)]
pub struct Results(mpsc::Sender<Input>);

impl Results {
    /// Hands a result in.
    pub async fn hand_in(&self, state: &GoalState, want: Want, command: Command) {
        if let Some(done) = done(state, want, command) {
            let _ = self.0.send(Input::Done(Box::new(done))).await; // That incarnation is gone.
        }
    }
}

impl Incarnation {
    /// Takes the lock, opens the log, and takes over what an earlier incarnation left.
    ///
    /// # Errors
    /// As [`Scheduler::start`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (core, lock) = Scheduler::start(config).await?.into_core();
        let (sender, receiver) = mpsc::channel(INPUTS_WAITING_MAX);
        // Nothing is compacted here, so nobody hears of it.
        let (compacted, _) = mpsc::channel(1);
        Ok(Self { core, channels: Channels { sender, receiver, compacted }, _lock: lock })
    }

    /// For results of earlier incarnations.
    pub fn results(&self) -> Results {
        Results(self.channels.sender.clone())
    }

    /// Runs on `world` until `stop`. To crash it, drop the future and stop the tasks.
    ///
    /// # Errors
    /// The store failed.
    pub async fn run(
        self,
        world: Arc<dyn World>,
        tasks: Tasks,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        self.core.run(Arc::new(Simulated(world)), self.channels, tasks, stop).await
    }
}

#[derive(Debug)]
struct Simulated(Arc<dyn World>);

impl Machine for Simulated {
    fn perform(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Option<Done>> {
        async move {
            let Asked { state, want, folder, cancel } = asked;
            let goal = state.goal.id;
            if want == Want::Prepare {
                let baseline = std::collections::BTreeMap::new();
                return Some(match folder {
                    None => Done::Folder { goal, folder: Ok(folder_of(&state)) },
                    Some(workspace) => Done::Baseline { goal, workspace, baseline, kept: None },
                });
            }
            let command = self.0.perform(state.clone(), want, cancel).await?;
            done(&state, want, command)
        }
        .boxed()
    }

    /// Nobody talks with a simulated machine.
    fn converse(self: Arc<Self>, _: AskedInTalk) -> BoxFuture<'static, Option<Talked>> {
        std::future::ready(None).boxed()
    }
}

/// No folder is touched: its name is all that counts.
fn folder_of(state: &GoalState) -> PathBuf {
    let asked = state.goal.spec.workspace.as_deref();
    asked.map_or_else(|| Path::new("/simulated").join(state.goal.id.to_string()), PathBuf::from)
}

/// The result of an effect, as the loop is told it.
fn done(state: &GoalState, want: Want, command: Command) -> Option<Done> {
    let goal: GoalId = state.goal.id;
    Some(match command {
        Command::FinishExecution { run, epoch, execution } => {
            let printed = Printed { found: execution.outcome.to_string(), output: String::new() };
            Done::Executed { goal, run, epoch, execution, printed }
        }
        Command::FinishVerification { run, epoch, results, round } => {
            Done::Verified { goal, run, epoch, results, round, runs: state.runs.len() }
        }
        Command::FinishPublish { rechecked, round, artifacts, unlisted } => {
            Done::Published { goal, rechecked, round, artifacts, unlisted }
        }
        Command::Reserve { run, epoch, next } => Done::Composed { goal, run, epoch, next },
        Command::FinishThinking { run, epoch, n, thought } => {
            Done::Thought { goal, run, epoch, n, thought, paper: "{}".to_owned() }
        }
        Command::FinishActing { run, epoch, results, workspace, plan, next } => {
            let Want::Act(_, n) = want else { return None };
            Done::Acted { goal, run, epoch, n, results, papers: Vec::new(), workspace, plan, next }
        }
        Command::Submit { .. }
        | Command::Tick
        | Command::ClockJumped { .. }
        | Command::Refuse { .. }
        | Command::Plan { .. }
        | Command::StartPlanning { .. }
        | Command::WaitFor { .. }
        | Command::Start { .. }
        | Command::StartRun { .. }
        | Command::TakeOver { .. }
        | Command::BeginPublish
        | Command::Outgrow { .. }
        | Command::Cancel { .. }
        | Command::Pause { .. }
        | Command::Resume { .. }
        | Command::Answer { .. }
        | Command::RequestApproval { .. }
        | Command::Retry { .. }
        | Command::Prioritize { .. }
        | Command::SubmitScheduled { .. }
        | Command::SubmitFromSession { .. } => return None,
    })
}
