//! The loop: it owns the mutable state and is the group commit (`architecture.md` §5).
//!
//! ```text
//!  inbox --+                                               +--> link: events, results
//!  effects +--> inputs --> decide in memory --> one commit --> reconcile: start and stop effects
//!  timer --+    (<= 512)   (Turn)               (fsync)        (what `wants` says, minus what is in flight)
//! ```
//!
//! Persist before you perform. While a commit runs the next batch collects; it never waits for company.

mod decide;
mod jump;
mod reconcile;
mod slots;
mod talking;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use pb_model::goal::{Want, next_wake};
use pb_model::session::SessionWant;
use pb_model::{GoalId, ItemId, Millis, SessionId};
use pb_runtime::Tasks;
use pb_runtime::faultpoints::{self, Bug};
use pb_store::{Batch, Committed, Compact, Compacted, Error, Head, Log, Mark, Write};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::jump::Clocks;
use crate::commands::{self, Prepared};
use crate::effects::{Context, Done, Machine};
use crate::goals::Goals;
use crate::link::{Link, ToldIds};
use crate::schedules::Schedules;
use crate::service::Config;
use crate::session::Talked;
use crate::trace::Commits;
use crate::turn::{Executed, Outcome, Turn};

/// Most inputs decided in one transaction.
const BATCH_MAX: usize = 512;
/// How often the loop looks even when nothing happens.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The events of which a line is in the process's log, so that it is known what it was about.
const LOGGED: [&str; 7] = [
    "goal.created",
    "goal.started",
    "goal.blocked",
    "goal.completed",
    "goal.failed",
    "goal.cancelled",
    "run.continued",
];
/// How long running steps have to reach a checkpoint when the daemon is asked to stop.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How long the loop waits before it tries again on a full disk.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(1);

/// How long the loop waits after the store refused a result of its own.
const FENCED_PAUSE: Duration = Duration::from_secs(1);

/// How long the result of a command is kept for repeats of its idempotency key, in milliseconds.
const RESULTS_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// How long after a start that is done first, in milliseconds: a clock may not be right yet.
const FORGET_FIRST_MS: u64 = 10 * 60 * 1000;
/// How often results that are older are forgotten, in milliseconds.
const FORGET_INTERVAL_MS: u64 = 60 * 60 * 1000;

/// Everything that the loop reacts to.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// Commands of the inbox, in order.
    Commands { inbox_id: Arc<str>, commands: Vec<Prepared> },
    /// An effect ended.
    Done(Box<Done>),
    /// A part of an ended goal is to be dropped.
    Compact(Arc<Compact>),
    /// Something that a conversation wanted ended.
    Talked(Box<Talked>),
}

/// How the loop hears and tells.
#[derive(Debug)]
pub(crate) struct Channels {
    pub(crate) sender: mpsc::Sender<Input>,
    pub(crate) receiver: mpsc::Receiver<Input>,
    /// Hears what was dropped.
    pub(crate) compacted: mpsc::Sender<Compacted>,
}

/// The loop and its state.
#[derive(Debug)]
pub(crate) struct Driver {
    context: Arc<Context>,
    machine: Arc<dyn Machine>,
    log: Log,
    goals: Goals,
    sender: mpsc::Sender<Input>,
    receiver: mpsc::Receiver<Input>,
    compacted: mpsc::Sender<Compacted>,
    /// Goals whose history was found too long at the last commit.
    outgrown: Vec<Head>,
    link: Link,
    tasks: Tasks,
    in_flight: HashMap<(GoalId, Want), CancellationToken>,
    talking: HashMap<(SessionId, SessionWant), CancellationToken>,
    draining: bool,
    marked: (u64, u64),
    last_pos: u64,
    forgets_at_ms: u64,
    /// The last turn, by both clocks.
    clocks: Clocks,
    /// Those that the trace was not told of.
    commits: Commits,
    /// Since when items wait for a place in their lanes.
    waiting: HashMap<(GoalId, ItemId), Millis>,
}

impl Driver {
    pub(crate) fn new(
        (context, machine): (Arc<Context>, Arc<dyn Machine>),
        log: Log,
        goals: Goals,
        Channels { sender, receiver, compacted }: Channels,
        tasks: Tasks,
    ) -> Self {
        let now = context.config.clock.now_ms();
        Self {
            log,
            goals,
            sender,
            receiver,
            compacted,
            outgrown: Vec::new(),
            link: context.link.clone(),
            context,
            machine,
            tasks,
            in_flight: HashMap::new(),
            talking: HashMap::new(),
            draining: false,
            marked: (0, 0),
            last_pos: 0,
            forgets_at_ms: now + FORGET_FIRST_MS,
            clocks: Clocks::at(now),
            commits: Commits::default(),
            waiting: HashMap::new(),
        }
    }

    /// Runs until `stop` is cancelled and running steps have ended, or their time is up.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        self.last_pos = self.log.reader().last_pos().await?;
        self.turn(Vec::new()).await?;
        let mut drained = None;
        loop {
            let mut inputs = Vec::new();
            let pause = self.pause();
            tokio::select! {
                _ = self.receiver.recv_many(&mut inputs, BATCH_MAX) => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled(), if !self.draining => {
                    self.draining = true;
                    drained = Some(tokio::time::Instant::now() + DRAIN_MAX);
                }
            }
            self.turn(inputs).await?;
            self.forget().await?;
            self.mark();
            self.commits.tell(&self.context.tracer);
            let is_quiet = self.in_flight.is_empty() && self.talking.is_empty();
            let over = |deadline| is_quiet || tokio::time::Instant::now() >= deadline;
            if drained.is_some_and(over) {
                break;
            }
        }
        self.marked = (0, 0);
        self.mark();
        self.log.settle().await
    }

    /// One turn: decide, commit, perform.
    async fn turn(&mut self, mut inputs: Vec<Input>) -> Result<(), Error> {
        self.load_missing(&inputs).await?;
        let now = self.context.config.clock.now_ms();
        self.goals.turn_day(now, &self.log.reader()).await?;
        loop {
            self.context.turns.send_replace(());
            let Config { clock, ids, .. } = &self.context.config;
            let mut turn = Turn::new(clock.clone(), ids.clone(), &self.context.tracer);
            let clocks = Clocks::at(clock.now_ms());
            self.note_jump(&mut turn, clocks);
            for input in &inputs {
                self.decide(&mut turn, input);
            }
            self.stop_outgrown(&mut turn);
            self.claim_slots(&mut turn);
            self.advance(&mut turn);
            let outcome = turn.finish();
            match self.commit(outcome).await {
                Ok(()) => {
                    self.clocks = clocks;
                    // Not before: an input that is decided once more, by itself, is in flight until then.
                    self.ended(&inputs, |_| true);
                    self.let_go_of_asked(&inputs);
                    break;
                }
                Err((touched, Error::Full)) => {
                    tracing::error!("the disk is full; trying again");
                    self.reload(touched).await?;
                    tokio::time::sleep(FULL_DISK_PAUSE).await;
                }
                Err((touched, error)) if inputs.len() <= 1 => {
                    self.reload(touched).await?;
                    match error {
                        Error::Fenced { .. } => tracing::error!(%error, "a late result was dropped"),
                        Error::NotEnded { .. } => tracing::error!(%error, "a compaction was dropped"),
                        other => return Err(other),
                    }
                    // What may not be repeated stays in flight, until the next start finds out about it.
                    self.ended(&inputs, |want| !matches!(want, Want::Execute(_) | Want::Act(..)));
                    inputs.clear();
                    // What it was about may be wanted, done and dropped again: never in a hot loop.
                    tokio::time::sleep(FENCED_PAUSE).await;
                }
                Err((touched, error)) => {
                    // One of them is at fault: decide each by itself.
                    tracing::warn!(%error, inputs = inputs.len(), "a batch failed; going one by one");
                    self.reload(touched).await?;
                    for input in std::mem::take(&mut inputs) {
                        Box::pin(self.turn(vec![input])).await?;
                    }
                }
            }
        }
        let left = self.goals.day().left();
        *self.context.day_left.lock().unwrap_or_else(PoisonError::into_inner) = left;
        self.reconcile();
        Ok(())
    }

    /// Notes that effects whose results were taken are in flight no more: those that `may_go`.
    fn ended(&mut self, inputs: &[Input], may_go: impl Fn(Want) -> bool) {
        for input in inputs {
            if let Input::Talked(talked) = input {
                self.talking.remove(&talked.key());
            }
            let Input::Done(done) = input else { continue };
            let (goal, want) = done.key();
            if !self.is_ours(done) || !may_go(want) {
                continue;
            }
            self.in_flight.remove(&(goal, want));
            if let Want::Execute(run)
            | Want::Verify(run)
            | Want::Compose(run)
            | Want::Think(run, _)
            | Want::Act(run, _) = want
            {
                self.in_flight.remove(&(goal, Want::Stop(run)));
            }
        }
    }

    /// Whether a result is of this incarnation. That of an earlier one ends nothing that is in flight here.
    fn is_ours(&self, done: &Done) -> bool {
        let is_ours = done.epoch().is_none_or(|epoch| epoch == self.context.epoch);
        is_ours || faultpoints::planted(Bug::EpochUnchecked)
    }

    /// Makes the decisions durable, then tells about them.
    async fn commit(&mut self, outcome: Outcome) -> Result<(), (Vec<GoalId>, Error)> {
        if outcome.batch.writes.is_empty() {
            return Ok(());
        }
        let touched: Vec<GoalId> = outcome.touched.into_iter().collect();
        let (writes, began) = (outcome.batch.writes.len(), Instant::now());
        match self.log.commit(outcome.batch).await {
            Ok(committed) => {
                self.commits.note(writes, began.elapsed());
                self.tell(&committed, outcome.executed);
                for note in outcome.notes {
                    self.context.tracer.note(note);
                }
                for goal in touched {
                    self.let_go(goal);
                }
                Ok(())
            }
            Err(Error::Broken(error)) => {
                // After a failed sync the memory may not be what is on the disk (D11).
                tracing::error!(%error, "the disk failed; ending at once, to recover from what it holds");
                std::process::abort();
            }
            Err(error) => Err((touched, error)),
        }
    }

    fn tell(&mut self, committed: &Committed, executed: Vec<Executed>) {
        for record in &committed.events {
            self.last_pos = record.pos;
            self.link.event(record);
            self.context.notify.heard(&record.kind);
            if LOGGED.contains(&record.kind.as_str()) {
                let ids = ToldIds::of(record);
                let (item, run) = (ids.work_item_id.as_deref(), ids.run_id.as_deref());
                tracing::info!(goal = %record.goal, item, run, "{}", record.kind);
            }
        }
        for part in &committed.compacted {
            let _ = self.compacted.try_send(part.clone()); // Nobody waits for it any more.
        }
        let limits = &self.context.settings.retention;
        let long = |head: &&Head| head.events >= limits.goal_events || head.bytes >= limits.goal_bytes;
        self.outgrown.extend(committed.heads.iter().filter(long));
        for executed in executed {
            self.link.executed(executed);
        }
    }

    /// Forgets a goal that needs nothing more from us.
    fn let_go(&mut self, goal: GoalId) {
        use pb_model::goal::GoalStatus;
        let over = self.goals.get(goal).is_some_and(|state| match state.goal.status {
            GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => true,
            // One whose question is answered by itself in time stays.
            GoalStatus::Blocked => next_wake(state).is_none(),
            GoalStatus::Queued | GoalStatus::Active => false,
        });
        if over {
            self.waiting.retain(|(of, _), _| *of != goal);
            self.goals.remove(goal);
            self.context.forget(goal);
        }
    }

    /// Forgets the ended goals that commands were about, also where these changed nothing.
    fn let_go_of_asked(&mut self, inputs: &[Input]) {
        for input in inputs {
            let Input::Commands { commands, .. } = input else { continue };
            for goal in commands.iter().filter_map(commands::goal_of) {
                self.let_go(goal);
            }
        }
    }

    /// Brings goals into memory that a command is about and that were let go.
    async fn load_missing(&mut self, inputs: &[Input]) -> Result<(), Error> {
        for input in inputs {
            let goals: Vec<GoalId> = match input {
                Input::Commands { commands, .. } => commands.iter().filter_map(commands::goal_of).collect(),
                Input::Talked(talked) => talked.cancels().into_iter().collect(),
                Input::Done(_) | Input::Compact(_) => continue,
            };
            for goal in goals {
                if self.goals.get(goal).is_none()
                    && let Some(state) = self.log.reader().state(goal).await?
                {
                    self.goals.put(state);
                }
            }
        }
        Ok(())
    }

    /// After a failed commit: what is on the disk is what is true.
    async fn reload(&mut self, touched: Vec<GoalId>) -> Result<(), Error> {
        *self.goals.schedules_mut() = Schedules::load(&self.log.reader()).await?;
        self.goals.load_sessions(&self.log.reader()).await?;
        for goal in touched {
            self.goals.remove(goal);
            if let Some(state) = self.log.reader().state(goal).await? {
                self.goals.put(state);
            }
        }
        Ok(())
    }

    /// Forgets old results, each hour.
    async fn forget(&mut self) -> Result<(), Error> {
        let now = self.context.config.clock.now_ms();
        if now < self.forgets_at_ms {
            return Ok(());
        }
        self.forgets_at_ms = now + FORGET_INTERVAL_MS;
        let before_ms = now.saturating_sub(RESULTS_KEPT_MS);
        match self.log.commit(Batch { writes: vec![Write::ForgetResults { before_ms }] }).await {
            Ok(_) | Err(Error::Full) => Ok(()), // A full disk: in an hour, then.
            Err(error) => Err(error),
        }
    }

    /// Writes how far the log goes, at most each second, while something happens.
    fn mark(&mut self) {
        let now = self.context.config.clock.now_ms();
        let idle = self.marked.0 == self.last_pos && self.in_flight.is_empty() && self.talking.is_empty();
        if idle || now < self.marked.1 + 1000 {
            return;
        }
        let mark = Mark { log_id: self.log.identity().id.clone(), pos: self.last_pos, at_ms: now };
        if let Err(error) = mark.write(&self.context.config.home.state_mark()) {
            tracing::warn!(%error, "cannot write the mark");
        }
        self.marked = (self.last_pos, now);
    }
}
