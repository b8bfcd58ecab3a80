//! Performing: what the states want, minus what is in flight.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pb_model::goal::{GoalState, Want, next_wake, wants};
use pb_model::{GoalId, RunId};
use pb_runtime::halt;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Driver, Input, LOOK_INTERVAL};
use crate::effects::{Asked, Done};

impl Driver {
    /// Starts the effects that the states want and nobody performs; stops those that nobody wants.
    pub(super) fn reconcile(&mut self) {
        let now = self.context.config.clock.now_ms();
        let mut wanted = Vec::new(); // In order: who comes first starts first.
        for goal in self.goals.in_order() {
            if let Some(state) = self.goals.get(goal) {
                wanted.extend(wants(state, now).into_iter().map(|want| (goal, want)));
            }
        }
        for (key, token) in &self.in_flight {
            if !wanted.contains(key) {
                token.cancel();
            }
        }
        self.stop_talking(now);
        if self.draining || halt::is_set(&self.context.config.home) {
            return;
        }
        self.talk(now);
        for (goal, want) in wanted {
            if let Want::Start(item) = want {
                // It would have been started if its lane had a place for it.
                self.waiting.entry((goal, item)).or_insert(now);
            } else if !self.in_flight.contains_key(&(goal, want)) {
                self.perform(goal, want);
            }
        }
    }

    /// Starts one effect.
    fn perform(&mut self, goal: GoalId, want: Want) {
        let Some(state) = self.goals.get(goal).cloned() else {
            return;
        };
        let folder = self.goals.folder(goal).map(Path::to_owned);
        match want {
            Want::Plan | Want::StartPlanning | Want::Start(_) | Want::Tick | Want::BeginPublish => return,
            Want::Prepare if folder.is_some() && !self.goals.has_claimed(goal) => return, // It waits for another goal.
            Want::Stop(run) if self.is_busy(goal, run) => return,
            Want::Prepare
            | Want::Execute(_)
            | Want::Compose(_)
            | Want::Think(..)
            | Want::Act(..)
            | Want::Verify(_)
            | Want::Publish
            | Want::Stop(_) => {}
        }
        let cancel = CancellationToken::new();
        self.in_flight.insert((goal, want), cancel.clone());
        let machine = Arc::clone(&self.machine);
        // If the work dies with a panic, the run's outcome is as unknown as after a crash.
        let fallback = match want {
            Want::Execute(run)
            | Want::Compose(run)
            | Want::Think(run, _)
            | Want::Act(run, _)
            | Want::Verify(run)
            | Want::Stop(run) => Done::lost(&state, run),
            Want::Plan
            | Want::StartPlanning
            | Want::Prepare
            | Want::Start(_)
            | Want::Tick
            | Want::BeginPublish
            | Want::Publish => None,
        };
        let (answer, answered) = oneshot::channel();
        let around = around(&state, want);
        self.tasks.spawn("effect", async move {
            let done = machine.perform(Asked { state, want, folder, cancel }).instrument(around).await;
            let _ = answer.send(done); // The loop has ended; the journal tells the next one.
        });
        let sender = self.sender.clone();
        self.tasks.spawn("effect's end", async move {
            if let Some(done) = answered.await.ok().flatten().or(fallback) {
                let _ = sender.send(Input::Done(Box::new(done))).await; // As above.
            }
        });
    }

    fn is_busy(&self, goal: GoalId, run: RunId) -> bool {
        self.in_flight.keys().any(|(busy, want)| *busy == goal && worker(*want) == Some(run))
    }

    /// How long until something is due by itself.
    pub(super) fn pause(&self) -> Duration {
        let now = self.context.config.clock.now_ms();
        let due = self.goals.in_order().into_iter().filter_map(|goal| next_wake(self.goals.get(goal)?));
        // A slot that is due and not claimed cannot be, for now.
        let due = due.chain(self.goals.schedules().next_ms()).chain(self.goals.sessions().next_wake());
        let next = due.filter(|at| *at > now).min();
        next.map_or(LOOK_INTERVAL, |at| Duration::from_millis(at - now).min(LOOK_INTERVAL))
    }
}

/// The run that does this.
fn worker(want: Want) -> Option<RunId> {
    match want {
        Want::Execute(run)
        | Want::Verify(run)
        | Want::Compose(run)
        | Want::Think(run, _)
        | Want::Act(run, _) => Some(run),
        Want::Plan
        | Want::StartPlanning
        | Want::Prepare
        | Want::Start(_)
        | Want::Tick
        | Want::BeginPublish
        | Want::Publish
        | Want::Stop(_) => None,
    }
}

/// What every line of the log says that is written while this is done.
fn around(state: &GoalState, want: Want) -> tracing::Span {
    let run = worker(want);
    let item = run.and_then(|run| state.run(run)?.item_id).map(tracing::field::display);
    let run = run.map(tracing::field::display);
    tracing::error_span!("effect", goal = %state.goal.id, item, run)
}
