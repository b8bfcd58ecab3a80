//! The simulated machine: commands that take a while and may fail, gates that tell the truth, and the
//! exact places at which the scheduler is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pb_model::goal::{
    Command, Evidence, Execution, ExecutionOutcome, GateResult, GoalState, Item, Run, Want,
};
use pb_model::{Effect, GoalId, ItemId, RunId};
use pb_scheduler::simulation::World;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest command, in milliseconds.
const COMMAND_MS_MAX: u64 = 4_000;
/// Longest round of gates, in milliseconds.
const GATES_MS_MAX: u64 = 1_500;
/// Most places from a start to the next kill. Each effect has two: before it, and after it.
const PLACES_MAX: u32 = 12;

/// A result that a crash cut off.
#[derive(Debug, Clone)]
pub(super) struct Late {
    pub(super) state: GoalState,
    pub(super) want: Want,
    pub(super) command: Command,
}

/// The machine. Cheap to clone; it outlives every incarnation.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    inner: Arc<Mutex<Inner>>,
    killed: Arc<Notify>,
}

#[derive(Debug)]
struct Inner {
    rng: StdRng,
    /// The items whose effect is there.
    done: BTreeSet<(GoalId, ItemId)>,
    /// How often the effect of an unsafe run happened.
    unsafe_effects: BTreeMap<RunId, u32>,
    /// Places until the scheduler is killed; `None` when it is not killed any more.
    places_left: Option<u32>,
    is_dead: bool,
    late: Vec<Late>,
    /// What must not be.
    wrong: Vec<String>,
    effects: u64,
}

impl Machine {
    pub(super) fn new(rng: StdRng) -> Self {
        let inner = Inner {
            rng,
            done: BTreeSet::new(),
            unsafe_effects: BTreeMap::new(),
            places_left: None,
            is_dead: false,
            late: Vec::new(),
            wrong: Vec::new(),
            effects: 0,
        };
        Self { inner: Arc::new(Mutex::new(inner)), killed: Arc::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new start of the scheduler, which is killed at a place that is drawn if `dies`.
    pub(super) fn begin(&self, dies: bool) {
        let mut inner = self.inner();
        inner.is_dead = false;
        inner.places_left = dies.then(|| inner.rng.random_range(1..=PLACES_MAX));
    }

    /// Waits until the scheduler comes to the place at which it is killed.
    pub(super) async fn killed(&self) {
        self.killed.notified().await;
    }

    /// The results that crashes cut off since this was asked last.
    pub(super) fn late(&self) -> Vec<Late> {
        std::mem::take(&mut self.inner().late)
    }

    /// How many effects happened, and what must not be.
    pub(super) fn found(&self) -> (u64, Vec<String>) {
        let mut inner = self.inner();
        let twice: Vec<_> =
            inner.unsafe_effects.iter().filter(|(_, count)| **count > 1).map(|(run, _)| *run).collect();
        for run in twice {
            inner.wrong.push(format!("I5: the unsafe effect of {run} happened more than once"));
        }
        (inner.effects, inner.wrong.clone())
    }

    fn draw(&self, range: std::ops::Range<u64>) -> u64 {
        self.inner().rng.random_range(range)
    }

    /// A place at which the scheduler may be killed. One that is dead goes no further.
    async fn place(&self) {
        let is_dead = {
            let mut inner = self.inner();
            if let Some(left) = &mut inner.places_left {
                *left = left.saturating_sub(1);
                if *left == 0 && !inner.is_dead {
                    inner.is_dead = true;
                    self.killed.notify_one();
                }
            }
            inner.is_dead
        };
        if is_dead {
            std::future::pending::<()>().await;
        }
    }

    async fn execute(
        &self,
        state: &GoalState,
        run: &Run,
        item: &Item,
        cancel: &CancellationToken,
    ) -> Command {
        self.check_needs(state, item);
        let (first, second) = (self.draw(0..COMMAND_MS_MAX / 2), self.draw(0..COMMAND_MS_MAX / 2));
        let (outcome, happens) = match self.draw(0..20) {
            0 | 1 => (ExecutionOutcome::Exited { code: 1 }, false),
            2 => (ExecutionOutcome::Signaled { signal: 9 }, self.draw(0..2) == 0),
            3 => (ExecutionOutcome::TimedOut, self.draw(0..2) == 0),
            4 => (ExecutionOutcome::NotStarted { reason: "no such program".to_owned() }, false),
            _ => (ExecutionOutcome::Exited { code: 0 }, true),
        };
        if !lasts(first, cancel).await {
            return executed(run, ExecutionOutcome::Stopped);
        }
        if happens {
            self.happen(state.goal.id, run, item);
        }
        let is_whole = lasts(second, cancel).await;
        executed(run, if is_whole { outcome } else { ExecutionOutcome::Stopped })
    }

    fn happen(&self, goal: GoalId, run: &Run, item: &Item) {
        let mut inner = self.inner();
        inner.effects += 1;
        inner.done.insert((goal, item.id));
        if item.effect() == Effect::Unsafe {
            *inner.unsafe_effects.entry(run.id).or_default() += 1;
        }
    }

    fn check_needs(&self, state: &GoalState, item: &Item) {
        let is_done = |need: &ItemId| state.item(*need).is_some_and(|need| need.status.is_settled());
        if !state.waits_on(item).iter().all(is_done) {
            self.inner().wrong.push(format!("I7: `{}` runs before what it needs is done", item.key));
        }
    }

    async fn verify(
        &self,
        state: &GoalState,
        run: &Run,
        item: &Item,
        cancel: &CancellationToken,
    ) -> Option<Command> {
        let time = self.draw(0..GATES_MS_MAX);
        if !lasts(time, cancel).await {
            return None;
        }
        let is_there = self.inner().done.contains(&(state.goal.id, item.id));
        let is_flaky = self.draw(0..30) == 0;
        Some(verified(run, item, is_there && !is_flaky))
    }
}

/// Waits; whether nobody cancelled meanwhile.
async fn lasts(ms: u64, cancel: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(ms)) => true,
        () = cancel.cancelled() => false,
    }
}

/// Of which epoch a result is, for the auditor.
fn said(run: &Run) -> String {
    format!("epoch {}", run.epoch)
}

fn executed(run: &Run, outcome: ExecutionOutcome) -> Command {
    let execution = Execution {
        outcome,
        duration_ms: 1,
        output_digest: said(run),
        output_bytes: 0,
        output_tail: String::new(),
        unconfined: None,
    };
    Command::FinishExecution { run: run.id, epoch: run.epoch, execution: Box::new(execution) }
}

fn verified(run: &Run, item: &Item, passed: bool) -> Command {
    let result = |(gate, spec): (usize, &pb_model::GateSpec)| {
        let gate = u32::try_from(gate).unwrap_or(u32::MAX);
        GateResult {
            run_id: run.id,
            item_id: item.id,
            goal_id: run.goal_id,
            step: run.steps + 1 + gate,
            gate,
            name: format!("g{gate}"),
            kind: "file_exists".to_owned(),
            required: spec.required,
            passed,
            found: said(run),
            recheck: false,
            at_ms: 0,
            evidence: Evidence::default(),
        }
    };
    let results = item.gates.iter().enumerate().map(result).collect();
    Command::FinishVerification { run: run.id, epoch: run.epoch, results, round: None }
}

/// Keeps what an effect would have said, for the case that a crash cuts it off.
struct CutOff {
    machine: Machine,
    late: Option<Late>,
}

impl Drop for CutOff {
    fn drop(&mut self) {
        if let Some(late) = self.late.take() {
            self.machine.inner().late.push(late);
        }
    }
}

impl World for Machine {
    fn perform(
        &self,
        state: GoalState,
        want: Want,
        cancel: CancellationToken,
    ) -> BoxFuture<'static, Option<Command>> {
        let machine = self.clone();
        async move {
            machine.place().await;
            let done = machine.done(&state, want, &cancel).await;
            machine.place().await;
            done
        }
        .boxed()
    }
}

impl Machine {
    async fn done(&self, state: &GoalState, want: Want, cancel: &CancellationToken) -> Option<Command> {
        let (id, executes) = match want {
            Want::Execute(run) => (run, true),
            Want::Verify(run) => (run, false),
            Want::Publish => {
                let (rechecked, artifacts) = (Vec::new(), Vec::new());
                return Some(Command::FinishPublish { rechecked, round: None, artifacts, unlisted: 0 });
            }
            // Decided without an effect, or of models, which no goal here asks for.
            Want::Plan
            | Want::StartPlanning
            | Want::Prepare
            | Want::Start(_)
            | Want::Compose(_)
            | Want::Think(..)
            | Want::Act(..)
            | Want::Tick
            | Want::BeginPublish
            | Want::Stop(_) => return None,
        };
        let run = state.run(id)?;
        let item = state.item(run.item_id?)?;
        let command = if executes {
            executed(run, ExecutionOutcome::Exited { code: 0 })
        } else {
            verified(run, item, true)
        };
        let late = Some(Late { state: state.clone(), want, command });
        let mut cut_off = CutOff { machine: self.clone(), late };
        let done = if executes {
            Some(self.execute(state, run, item, cancel).await)
        } else {
            self.verify(state, run, item, cancel).await
        };
        // A result that the scheduler dies on is cut off as well.
        self.place().await;
        cut_off.late = None;
        done
    }
}
