//! Effects: what the loop asks for and what comes back. Each runs beside the loop and ends in one
//! [`Done`]; none changes state by itself.

mod execute;
mod machine;
mod prepare;
mod publish;
mod step;
mod verify;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pb_exec::Launcher;
use pb_model::freshness::QuietRound;
use pb_model::goal::{
    Artifact, CallResult, Caps, Execution, GateResult, GoalState, Hindrance, Kept, Next, Planned, Thought,
    Want,
};
use pb_model::{Epoch, GoalId, Lane, RunId};
use pb_runtime::config::Config as Settings;
use pb_store::LogReader;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::agent::{ModelSource, Talks};
use crate::link::Link;
use crate::notify;
use crate::retention;
use crate::sandbox::Sandbox;
use crate::service::Config;
use crate::trace::Tracer;
use crate::turn::Printed;
use crate::workspace::{Manifest, Refused, Since};

mod agent;

pub(crate) use execute::nothing;
pub(crate) use machine::{Asked, AskedInTalk, Machine};
pub(crate) use step::{StepCommand, StepOf, run_of_step, step_name};

/// What every effect needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) epoch: Epoch,
    /// Reads the journal.
    pub(crate) log: LogReader,
    /// Tells what models say and tools print.
    pub(crate) link: Link,
    /// Tells what is done, for who looks into it.
    pub(crate) tracer: Tracer,
    pub(crate) models: ModelSource,
    /// What a person has set.
    pub(crate) settings: Settings,
    /// Rings when old goals are to be compacted now.
    pub(crate) retention: retention::Bell,
    /// Rings when there is something that a person is to be told.
    pub(crate) notify: notify::Bell,
    /// Told of each turn of the loop: it lives.
    pub(crate) turns: watch::Sender<()>,
    /// What may still be spent today, as the loop saw it last.
    pub(crate) day_left: Mutex<Caps>,
    /// Conversations that were folded before.
    pub(crate) talks: Talks,
    launcher: Launcher,
    pub(crate) sandbox: Sandbox,
    /// The latest manifest of each goal's workspace, so that unchanged files are not read again.
    manifests: Mutex<HashMap<GoalId, Arc<Manifest>>>,
}

/// How an effect ended.
#[derive(Debug, Clone)]
pub(crate) enum Done {
    /// The goal's folder, or why it may not be used.
    Folder { goal: GoalId, folder: Result<PathBuf, Refused> },
    /// The folder was looked at; digests of the files that are to stay as they are.
    Baseline {
        goal: GoalId,
        workspace: PathBuf,
        baseline: BTreeMap<String, Option<String>>,
        kept: Option<Kept>,
    },
    /// A run's command ended.
    Executed { goal: GoalId, run: RunId, epoch: Epoch, execution: Box<Execution>, printed: Printed },
    /// A run's next request was put together.
    Composed { goal: GoalId, run: RunId, epoch: Epoch, next: Result<Next, Hindrance> },
    /// A run's call of its model ended; `paper` is the step's result.
    Thought { goal: GoalId, run: RunId, epoch: Epoch, n: u32, thought: Box<Thought>, paper: String },
    /// A run's calls of tools ended, from place `n` of its journal; `papers` are the steps' results.
    Acted {
        goal: GoalId,
        run: RunId,
        epoch: Epoch,
        n: u32,
        results: Vec<CallResult>,
        papers: Vec<(u32, String)>,
        workspace: Option<String>,
        plan: Option<Planned>,
        next: Option<Next>,
    },
    /// A run's gates ended; the round is quiet if no run started since there were `runs` of them.
    Verified {
        goal: GoalId,
        run: RunId,
        epoch: Epoch,
        results: Vec<GateResult>,
        round: Option<QuietRound>,
        runs: usize,
    },
    /// The last look before delivery.
    Published {
        goal: GoalId,
        rechecked: Vec<GateResult>,
        round: Option<QuietRound>,
        artifacts: Vec<Artifact>,
        /// How many more files there are.
        unlisted: u64,
    },
}

impl Done {
    /// The incarnation whose run it is of; `None` for what no run did.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Executed { epoch, .. }
            | Self::Composed { epoch, .. }
            | Self::Thought { epoch, .. }
            | Self::Acted { epoch, .. }
            | Self::Verified { epoch, .. } => Some(*epoch),
            Self::Folder { .. } | Self::Baseline { .. } | Self::Published { .. } => None,
        }
    }

    /// The goal and the want that this ends.
    pub(crate) fn key(&self) -> (GoalId, Want) {
        match self {
            Self::Folder { goal, .. } | Self::Baseline { goal, .. } => (*goal, Want::Prepare),
            Self::Executed { goal, run, .. } => (*goal, Want::Execute(*run)),
            Self::Composed { goal, run, .. } => (*goal, Want::Compose(*run)),
            Self::Thought { goal, run, n, .. } => (*goal, Want::Think(*run, *n)),
            Self::Acted { goal, run, n, .. } => (*goal, Want::Act(*run, *n)),
            Self::Verified { goal, run, .. } => (*goal, Want::Verify(*run)),
            Self::Published { goal, .. } => (*goal, Want::Publish),
        }
    }
}

impl Context {
    pub(crate) fn new(
        config: Config,
        (log, epoch): (LogReader, Epoch),
        sandbox: Sandbox,
        (link, tracer): (Link, Tracer),
        settings: Settings,
    ) -> Self {
        let launcher = Launcher::new(config.exe.clone());
        Self {
            epoch,
            log,
            link,
            tracer,
            models: ModelSource::new(config.home.clone(), settings.clone()),
            settings,
            retention: retention::Bell::default(),
            notify: notify::Bell::default(),
            config,
            turns: watch::Sender::new(()),
            day_left: Mutex::default(),
            talks: Talks::default(),
            launcher,
            sandbox,
            manifests: Mutex::default(),
        }
    }

    /// How many items of all goals run at once in this lane.
    pub(crate) fn lane_limit(&self, lane: Lane) -> usize {
        let set = &self.settings.lanes;
        let set = match lane {
            Lane::Main => set.main,
            Lane::Subagent => set.subagent,
            Lane::Cron => set.cron,
            Lane::Session => set.session,
        };
        set.unwrap_or_else(|| lane.capacity())
    }

    /// Finds the goal's folder.
    pub(crate) async fn folder(&self, state: &GoalState) -> Done {
        prepare::folder(self, state).await
    }

    /// Notes what is in the folder before the goal touches it.
    pub(crate) async fn baseline(&self, state: &GoalState, folder: PathBuf) -> Done {
        prepare::baseline(self, state, folder).await
    }

    /// Runs the command of a run.
    pub(crate) async fn execute(
        &self,
        state: &GoalState,
        run: RunId,
        cancel: &CancellationToken,
    ) -> Option<Done> {
        execute::execute(self, state, run, cancel).await
    }

    /// Runs the gates of a run.
    pub(crate) async fn verify(
        &self,
        state: &GoalState,
        run: RunId,
        cancel: &CancellationToken,
    ) -> Option<Done> {
        verify::verify(self, state, run, cancel).await
    }

    /// Runs stale gates once more and finds what is delivered.
    pub(crate) async fn publish(&self, state: &GoalState, cancel: &CancellationToken) -> Done {
        publish::publish(self, state, cancel).await
    }

    /// Forgets what is cached for a goal that has ended.
    pub(crate) fn forget(&self, goal: GoalId) {
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner).remove(&goal);
        self.talks.forget(goal);
    }

    /// What is in the goal's workspace now; `None` if it cannot be told.
    pub(crate) async fn manifest(&self, goal: GoalId, workspace: PathBuf) -> Option<Arc<Manifest>> {
        let before = self.manifests.lock().unwrap_or_else(PoisonError::into_inner).get(&goal).cloned();
        let taken =
            tokio::task::spawn_blocking(move || Manifest::take(&workspace, before.as_deref())).await.ok()?;
        match taken {
            Ok(manifest) => {
                let manifest = Arc::new(manifest);
                let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
                manifests.insert(goal, Arc::clone(&manifest));
                Some(manifest)
            }
            Err(error) => {
                tracing::warn!(%goal, %error, "the workspace has no digest; its gates run again before delivery");
                None
            }
        }
    }

    /// Whether a port is one that the daemons listen on.
    pub(crate) fn is_own_port(&self, port: u16) -> bool {
        self.sandbox.own_ports().contains(&port)
    }

    /// What the goal did to its folder.
    pub(crate) async fn since(&self, goal: GoalId, workspace: PathBuf) -> Since {
        let now = self.manifest(goal, workspace.clone()).await;
        let (folder, noted) = (workspace.clone(), self.start_manifest(goal));
        let read = tokio::task::spawn_blocking(move || Since::read(&folder, &noted, now)).await;
        read.unwrap_or_else(|_| Since::unknown(workspace))
    }

    /// Where the manifest of the goal's start is kept, so that delivery can tell what changed.
    fn start_manifest(&self, goal: GoalId) -> PathBuf {
        self.config.home.artifacts().join(format!("{goal}.start.json"))
    }
}
