//! Deciding, in memory: what inputs mean, and every step of a goal that needs no effect.

use pb_model::goal::{Command, ErrorClass, Failure, GoalState, Rejection, Want, wants};
use pb_model::{GoalId, ItemId, RunId};
use pb_runtime::faultpoints::{self, Bug};
use pb_runtime::halt;

use super::{Driver, Input};
use crate::commands;
use crate::effects::Done;
use crate::trace::{About, Note, What};
use crate::turn::{Papers, Turn};

impl Driver {
    /// Decides one input in memory.
    pub(super) fn decide(&mut self, turn: &mut Turn, input: &Input) {
        match input {
            Input::Commands { inbox_id, commands } => {
                for command in commands {
                    commands::execute(turn, &mut self.goals, inbox_id, command);
                }
            }
            Input::Compact(compact) => turn.compact(compact),
            Input::Talked(talked) => {
                let (session, want) = talked.key();
                let decided = turn.decide_session(&mut self.goals, session, talked.command());
                if let Err(rejection) = decided {
                    tracing::debug!(%session, ?want, %rejection, "an answer came too late");
                }
            }
            Input::Done(done) => {
                if let Err(rejection) = self.decide_done(turn, done) {
                    tracing::debug!(key = ?done.key(), %rejection, "a result came too late");
                }
            }
        }
    }

    /// A history that is too long: nothing new starts, and a human decides. One that a repeat of this turn
    /// forgets is found again at the goal's next event.
    pub(super) fn stop_outgrown(&mut self, turn: &mut Turn) {
        for head in std::mem::take(&mut self.outgrown) {
            let command = Command::Outgrow { events: head.events, bytes: head.bytes };
            // Most have ended, or were stopped at an event before.
            if let Err(rejection) = turn.decide(&mut self.goals, head.goal, command, &Papers::default()) {
                tracing::debug!(goal = %head.goal, %rejection, "a long history is left as it is");
            }
        }
    }

    fn decide_done(&mut self, turn: &mut Turn, done: &Done) -> Result<(), Rejection> {
        let (goal, _) = done.key();
        let mut papers = Papers::default();
        let command = match done.clone() {
            Done::Folder { folder: Ok(folder), .. } => {
                if self.goals.get(goal).is_some() {
                    self.goals.set_folder(goal, folder);
                }
                return Ok(());
            }
            Done::Folder { folder: Err(refused), .. } => {
                let error =
                    Failure::new(ErrorClass::Policy, "REFUSED", format!("{refused} ({})", refused.hint()));
                Command::Refuse { error }
            }
            Done::Baseline { workspace, baseline, kept, .. } => {
                let workspace = workspace.to_string_lossy().into_owned();
                Command::Start { workspace, baseline, kept }
            }
            Done::Executed { run, epoch, execution, printed, .. } => {
                papers.printed = Some(printed);
                let epoch =
                    if faultpoints::planted(Bug::EpochUnchecked) { self.context.epoch } else { epoch };
                Command::FinishExecution { run, epoch, execution }
            }
            Done::Composed { run, epoch, next, .. } => {
                papers.request_hash = next.as_ref().map(|next| next.request_hash.clone()).unwrap_or_default();
                Command::Reserve { run, epoch, next }
            }
            Done::Thought { run, epoch, n, thought, paper, .. } => {
                papers.results.insert(n, paper);
                Command::FinishThinking { run, epoch, n, thought }
            }
            Done::Acted { run, epoch, results, papers: written, workspace, plan, next, .. } => {
                papers.results.extend(written);
                // What is promised while draining would be charged, and never asked.
                let next = next.filter(|_| !self.draining);
                papers.request_hash = next.as_ref().map(|next| next.request_hash.clone()).unwrap_or_default();
                Command::FinishActing { run, epoch, results, workspace, plan, next }
            }
            Done::Verified { run, epoch, mut results, round, runs, .. } => {
                // A run that started meanwhile may have written while the gates ran.
                let round =
                    round.filter(|_| self.goals.get(goal).is_some_and(|state| state.runs.len() == runs));
                if round.is_none() {
                    for result in &mut results {
                        result.evidence.workspace_digest = None;
                    }
                }
                Command::FinishVerification { run, epoch, results, round }
            }
            Done::Published { rechecked, round, artifacts, unlisted, .. } => {
                Command::FinishPublish { rechecked, round, artifacts, unlisted }
            }
        };
        turn.decide(&mut self.goals, goal, command, &papers)
    }

    /// Takes every step that needs no effect: plans, claims of folders and lanes, the begin of delivery.
    pub(super) fn advance(&mut self, turn: &mut Turn) {
        if self.draining || halt::is_set(&self.context.config.home) {
            return;
        }
        for goal in self.goals.in_order() {
            // Bounded: each pass takes a step of a finite plan, or ends.
            while self.advance_goal(turn, goal) {}
        }
        // Bounded: each pass takes a place in a lane, or ends.
        while self.start_next(turn) {}
    }

    /// Starts the item whose turn it is; whether there may be another.
    fn start_next(&mut self, turn: &mut Turn) -> bool {
        let now = self.context.config.clock.now_ms();
        let Some((goal, item)) = self.goals.next_start(|lane| self.context.lane_limit(lane), now) else {
            return false;
        };
        let run = self.context.config.ids.uuid().into();
        let command = Command::StartRun { item, run, epoch: self.context.epoch };
        match turn.decide(&mut self.goals, goal, command, &Papers::default()) {
            Ok(()) => {
                if let Some(since) = self.waiting.remove(&(goal, item)) {
                    self.tell_waited(turn, (goal, item, run), now.saturating_sub(since));
                }
                true
            }
            Err(rejection) => {
                tracing::error!(%goal, %item, %rejection, "an item does not start");
                false
            }
        }
    }

    fn tell_waited(&self, turn: &mut Turn, (goal, item, run): (GoalId, ItemId, RunId), duration_ms: u64) {
        let Some(state) = self.goals.get(goal) else { return };
        let Some(lane) = state.item(item).map(|item| item.lane.as_str()) else { return };
        turn.note(|| Note {
            at_ms: self.context.config.clock.now_ms(),
            about: About::goal(state, Some(item), Some(run)),
            what: What::LaneWaited { lane, duration_ms },
        });
    }

    /// Takes one step of a goal; whether there may be another.
    fn advance_goal(&mut self, turn: &mut Turn, goal: GoalId) -> bool {
        let now = self.context.config.clock.now_ms();
        let Some(state) = self.goals.get(goal) else {
            return false;
        };
        let wants = wants(state, now);
        if wants.contains(&Want::Prepare) {
            self.claim(turn, goal);
            return false;
        }
        let Some(command) = wants.into_iter().find_map(|want| self.step(state, want)) else {
            return false;
        };
        match turn.decide(&mut self.goals, goal, command, &Papers::default()) {
            Ok(()) => true,
            Err(rejection) => {
                tracing::error!(%goal, %rejection, "a goal does not go on");
                false
            }
        }
    }

    /// The command that fulfils a want without an effect, if it can be fulfilled now.
    fn step(&self, state: &GoalState, want: Want) -> Option<Command> {
        let ids = &self.context.config.ids;
        match want {
            Want::Plan => {
                let items = state.goal.spec.items.iter().map(|_| ids.uuid().into()).collect();
                Some(Command::Plan { items })
            }
            Want::StartPlanning => {
                Some(Command::StartPlanning { run: ids.uuid().into(), epoch: self.context.epoch })
            }
            Want::Tick => Some(Command::Tick),
            Want::BeginPublish => Some(Command::BeginPublish),
            // Goals share the lanes: `start_next`.
            Want::Start(_)
            | Want::Prepare
            | Want::Execute(_)
            | Want::Compose(_)
            | Want::Think(..)
            | Want::Act(..)
            | Want::Verify(_)
            | Want::Publish
            | Want::Stop(_) => None,
        }
    }

    /// Claims the goal's folder, or says behind whom it waits. The effect that follows is started
    /// by [`Self::reconcile`].
    fn claim(&mut self, turn: &mut Turn, goal: GoalId) {
        let Some(folder) = self.goals.folder(goal).map(std::path::Path::to_owned) else {
            return;
        };
        let Err(behind) = self.goals.claim(goal, &folder) else {
            return;
        };
        let workspace = folder.to_string_lossy().into_owned();
        let command = Command::WaitFor { workspace, behind };
        if let Err(rejection) = turn.decide(&mut self.goals, goal, command, &Papers::default()) {
            tracing::error!(%goal, %rejection, "a goal does not wait");
        }
    }
}
