//! Folding an event into the state. Total: an event that names nothing known changes nothing.

mod control;

use super::conversation::{CallEnd, Conversation, Doing, SUBMIT_PLAN};
use super::event::Event;
use super::guard::Seen;
use super::spending::Charge;
use super::state::{
    Continuation, Goal, GoalState, GoalStatus, Item, ItemStatus, Phase, Reason, Run, RunStage,
};
use crate::{ItemId, Millis, RunId, Verdict};

/// The state after `event`, which happened at `at`. The first event of a goal is `GoalCreated`, or
/// `GoalCompacted` when what was before is dropped; before it there is no state.
pub fn evolve(state: Option<GoalState>, event: &Event, at: Millis) -> Option<GoalState> {
    if let Some(mut state) = state {
        fold(&mut state, event, at);
        return Some(state);
    }
    match event {
        Event::GoalCreated { goal } => Some(created(goal)),
        Event::GoalCompacted { state, .. } => Some((**state).clone()),
        _ => None,
    }
}

/// The same in place: a decision of thousands of events copies no state for each.
pub(super) fn fold(state: &mut GoalState, event: &Event, at: Millis) {
    match event {
        Event::GoalCreated { goal } => *state = created(goal),
        Event::GoalCompacted { state: whole, .. } => state.clone_from(whole),
        event => {
            state.goal.updated_at_ms = at;
            if let Some(id) = event.item_id() {
                state.with_item(id, |item| item.updated_at_ms = at);
            }
            state.apply(event, at);
            state.clock_running(at);
        }
    }
}

fn created(goal: &Goal) -> GoalState {
    GoalState {
        goal: goal.clone(),
        items: Vec::new(),
        runs: Vec::new(),
        gate_results: Vec::new(),
        artifacts: Vec::new(),
        escalations: Vec::new(),
    }
}

impl GoalState {
    fn apply(&mut self, event: &Event, at: Millis) {
        match event {
            Event::GoalCreated { .. } | Event::GoalCompacted { .. } => {}
            Event::GoalPlanned { .. }
            | Event::GoalWaiting { .. }
            | Event::GoalStarted { .. }
            | Event::GoalTakenOver { .. }
            | Event::ClockJumped { .. }
            | Event::GoalPublishing
            | Event::GoalCompleted { .. }
            | Event::GoalBlocked { .. }
            | Event::GoalFailed { .. }
            | Event::GoalCancelling { .. }
            | Event::GoalCancelled { .. } => self.apply_goal(event, at),
            Event::BudgetWarned { cap, percent } => {
                self.goal.spending.warned.insert(*cap, *percent);
            }
            // Nobody is warned of what has happened.
            Event::BudgetExceeded { cap, .. } => {
                self.goal.spending.warned.insert(*cap, 100);
            }
            Event::EscalationCreated { .. }
            | Event::ApprovalChanged { .. }
            | Event::GoalElaborated { .. }
            | Event::EvaluationDecided { .. }
            | Event::GoalReplanning { .. }
            | Event::ItemSuperseded { .. }
            | Event::GoalPaused { .. }
            | Event::GoalResumed { .. }
            | Event::GoalPrioritized { .. }
            | Event::ItemReopened { .. }
            | Event::ItemSkipped { .. }
            | Event::GatesApproved { .. }
            | Event::EscalationResolved { .. } => self.apply_control(event, at),
            Event::ItemCreated { .. }
            | Event::ItemReady { .. }
            | Event::ItemStarted { .. }
            | Event::ItemRetrying { .. }
            | Event::ItemCompleted { .. }
            | Event::ItemFailed { .. }
            | Event::ItemBlocked { .. } => self.apply_item(event),
            Event::ModelRequested { .. }
            | Event::ModelAnswered { .. }
            | Event::ModelFailed { .. }
            | Event::ToolCompleted { .. }
            | Event::ConversationCondensed { .. }
            | Event::ItemsAdded { .. }
            | Event::GuardTripped { .. } => self.apply_conversation(event),
            Event::RunStarted { .. }
            | Event::RunContinued { .. }
            | Event::RunExecuted { .. }
            | Event::VerificationStarted { .. }
            | Event::VerificationCompleted { .. }
            | Event::RunCompleted { .. } => self.apply_run(event, at),
            Event::GateCompleted { result } => {
                self.with_run(result.run_id, |run| run.steps = run.steps.max(result.step));
                self.gate_results.push((**result).clone());
            }
            Event::ArtifactCreated { artifact } => {
                match self.artifacts.iter_mut().find(|known| known.id == artifact.id) {
                    Some(known) => known.clone_from(artifact),
                    None => self.artifacts.push((**artifact).clone()),
                }
            }
        }
    }

    fn apply_goal(&mut self, event: &Event, at: Millis) {
        let goal = &mut self.goal;
        match event {
            Event::GoalPlanned { .. } => {
                // Only a model makes a plan for a goal that brought none.
                goal.plans += u32::from(goal.spec.items.is_empty());
                goal.replan = None;
                goal.phase = Phase::Planning;
                goal.spec.items = Vec::new();
            }
            Event::GoalWaiting { workspace, behind } => {
                goal.workspace = Some(workspace.clone());
                goal.waits_for = Some(*behind);
                goal.reason = Some(Reason::WaitingForWorkspace);
            }
            Event::GoalStarted { workspace, baseline, kept } => {
                goal.kept = kept.clone().or(goal.kept.take());
                goal.workspace = Some(workspace.clone());
                goal.baseline.clone_from(baseline);
                goal.waits_for = None;
                goal.reason = None;
                goal.status = GoalStatus::Active;
                goal.phase = Phase::Execution;
            }
            Event::GoalTakenOver { alive_until_ms, .. } => {
                // The time between the crash and now is nobody's running time.
                if let Some(since) = goal.running_since_ms.take() {
                    goal.spent_time_ms += alive_until_ms.saturating_sub(since);
                }
            }
            Event::ClockJumped { by_ms } => {
                goal.running_since_ms =
                    goal.running_since_ms.map(|since| since.saturating_add_signed(*by_ms));
            }
            Event::GoalPublishing => goal.phase = Phase::Publish,
            Event::GoalCompleted { verdict, summary, unlisted } => {
                goal.unlisted = *unlisted;
                goal.status = GoalStatus::Completed;
                goal.verdict = Some(*verdict);
                goal.summary = Some(summary.clone());
                goal.completed_at_ms = Some(at);
            }
            Event::GoalBlocked { summary, .. } => {
                goal.status = GoalStatus::Blocked;
                goal.reason = Some(Reason::NeedsHuman);
                goal.summary = Some(summary.clone());
            }
            Event::GoalFailed { reason, error } => {
                goal.status = GoalStatus::Failed;
                goal.verdict = Some(Verdict::Failed);
                goal.reason = Some(*reason);
                goal.error = Some(error.clone());
                goal.summary = Some(error.message.clone());
                goal.completed_at_ms = Some(at);
            }
            Event::GoalCancelling { cancel } => {
                goal.cancel = Some(cancel.clone());
                goal.reason = Some(Reason::Cancelling);
            }
            Event::GoalCancelled { cancel } => {
                goal.status = GoalStatus::Cancelled;
                goal.summary.clone_from(&cancel.reason);
                goal.cancel = Some(cancel.clone());
                goal.reason = None;
                goal.waits_for = None;
                goal.completed_at_ms = Some(at);
            }
            _ => {}
        }
    }

    fn apply_item(&mut self, event: &Event) {
        match event {
            Event::ItemCreated { item } => self.items.push((**item).clone()),
            Event::ItemReady { item } => {
                self.with_item(*item, |item| item.status = ItemStatus::Ready);
            }
            Event::ItemStarted { item, .. } => self.with_item(*item, |item| {
                item.status = ItemStatus::InProgress;
                item.not_before_ms = None;
            }),
            Event::ItemRetrying { item, retry_count, not_before_ms, error } => {
                self.with_item(*item, |item| {
                    item.status = ItemStatus::Queued;
                    item.retry_count = *retry_count;
                    item.not_before_ms = Some(*not_before_ms);
                    item.error = Some(error.clone());
                });
            }
            Event::ItemCompleted { item, verdict, .. } => self.with_item(*item, |item| {
                item.status = ItemStatus::Done;
                item.verdict = Some(*verdict);
                item.error = None;
            }),
            Event::ItemFailed { item, error } => self.with_item(*item, |item| {
                item.status = ItemStatus::Failed;
                item.verdict = Some(Verdict::Failed);
                item.error = Some(error.clone());
            }),
            Event::ItemBlocked { item, error, .. } => self.with_item(*item, |item| {
                item.status = ItemStatus::Blocked;
                item.verdict = None;
                item.error = Some(error.clone());
            }),
            _ => {}
        }
    }

    fn apply_run(&mut self, event: &Event, at: Millis) {
        match event {
            Event::RunStarted { run } => {
                if run.is_planning() {
                    self.goal.phase = Phase::Planning;
                }
                self.runs.push((**run).clone());
            }
            Event::RunContinued { item, run, epoch, ran_again, why } => {
                self.with_run(*run, |run| {
                    run.epoch = *epoch;
                    run.continued.push(Continuation {
                        epoch: *epoch,
                        at_ms: at,
                        ran_again: *ran_again,
                        why: why.clone(),
                    });
                    if *ran_again {
                        run.stage = RunStage::Executing;
                        run.execution = None;
                        mark_again(run);
                    }
                });
                if let Some(item) = item.filter(|_| *ran_again) {
                    self.with_item(item, |item| item.status = ItemStatus::InProgress);
                }
            }
            Event::RunExecuted { run, execution, .. } => {
                self.with_run(*run, |run| run.execution = Some((**execution).clone()));
            }
            Event::VerificationStarted { item, run, probe } => {
                self.goal.phase = Phase::Verification;
                self.with_run(*run, |run| {
                    run.stage = if *probe { RunStage::Probing } else { RunStage::Verifying }
                });
                self.with_item(*item, |item| item.status = ItemStatus::Verify);
            }
            Event::VerificationCompleted { item, verdict, round, recheck, .. } => {
                if *recheck {
                    self.with_item(*item, |item| item.verdict = Some(*verdict));
                } else {
                    self.goal.phase = Phase::Evaluation;
                }
                if let Some(round) = round.as_ref().filter(|round| round.before != round.after) {
                    self.goal.quiet_rounds.push(round.clone());
                }
            }
            Event::RunCompleted { item, run, status, error } => {
                self.with_run(*run, |run| {
                    run.status = *status;
                    run.stage = RunStage::Ended;
                    run.completed_at_ms = Some(at);
                    run.error.clone_from(error);
                });
                if item.is_some() {
                    self.goal.phase = Phase::Execution;
                }
            }
            _ => {}
        }
    }

    /// Keeps the goal's running clock: it goes while at least one run is running, and not paused.
    fn clock_running(&mut self, at: Millis) {
        let running = self.is_at_work();
        match (running, self.goal.running_since_ms) {
            (true, None) => self.goal.running_since_ms = Some(at),
            (false, Some(since)) => {
                self.goal.spent_time_ms += at.saturating_sub(since);
                self.goal.running_since_ms = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    fn apply_conversation(&mut self, event: &Event) {
        match event {
            Event::ModelRequested { reservation, other_model, .. } => {
                self.goal.spending.reserve(reservation.clone());
                self.with_run(reservation.run, |run| run.steps = run.steps.max(reservation.n));
                self.with_conversation(reservation.run, |talk| {
                    talk.doing = Doing::Thinking { n: reservation.n };
                    talk.watch.other_model.clone_from(other_model);
                });
            }
            Event::ModelAnswered { item, run, n, model, charge, calls, duration_ms, .. } => {
                self.settle(*item, (*run, *n), (model, true), *charge);
                self.ran(*item, *duration_ms);
                self.goal.spending.turns += 1;
                let last = calls.iter().map(|call| call.n).max().unwrap_or(*n);
                self.with_run(*run, |run| run.steps = run.steps.max(last));
                self.with_conversation(*run, |talk| {
                    talk.turns += 1;
                    talk.failures = 0;
                    talk.refused_bytes = None;
                    talk.idle = if calls.is_empty() { talk.idle + 1 } else { 0 };
                    talk.model = Some(model.clone());
                    talk.doing = Doing::after(calls.clone());
                    talk.watch.answered();
                });
            }
            Event::ItemsAdded { run, items, .. } => {
                self.with_run(*run, |run| run.added.extend(items.iter().cloned()));
            }
            Event::GuardTripped { run, guard, rung, .. } => {
                self.with_conversation(*run, |talk| {
                    // Empty answers are counted anew.
                    talk.idle = 0;
                    talk.watch.tripped(*guard, rung);
                });
            }
            Event::ConversationCondensed { run, condensed, .. } => {
                self.with_conversation(*run, |talk| talk.condensed = *condensed);
            }
            Event::ModelFailed { item, run, n, model, charge, duration_ms, .. } => {
                self.settle(*item, (*run, *n), (model, false), *charge);
                self.ran(*item, *duration_ms);
                self.with_conversation(*run, |talk| model_failed(talk, event));
            }
            Event::ToolCompleted { item, run, call, end, output_digest, workspace, duration_ms, .. } => {
                self.ran(*item, *duration_ms);
                self.with_conversation(*run, |talk| {
                    if let Doing::Acting { calls } = &mut talk.doing {
                        calls.retain(|left| left.n != call.n);
                        talk.doing = Doing::after(std::mem::take(calls));
                    }
                    talk.watch.note(Seen::new(call, output_digest));
                    if talk.doing == Doing::default() {
                        talk.watch.end_turn(workspace.as_deref());
                    }
                    if *end == CallEnd::Withheld && !talk.withheld.contains(&call.digest) {
                        talk.withheld.push(call.digest.clone());
                    }
                    if item.is_none() && call.tool == SUBMIT_PLAN && *end == CallEnd::Failed {
                        talk.plans_refused += 1;
                    }
                });
            }
            _ => {}
        }
    }

    fn settle(&mut self, item: Option<ItemId>, (run, n): (RunId, u32), who: (&str, bool), charge: Charge) {
        self.goal.spending.settle((run, n), who, charge);
        self.with_conversation(run, |talk| talk.spent = talk.spent.plus(charge.amount));
        if let Some(item) = item {
            self.with_item(item, |item| item.spent = item.spent.plus(charge.amount));
        }
    }

    /// Counts the running time of an agent's item: what its models and tools took.
    fn ran(&mut self, item: Option<ItemId>, ms: u64) {
        if let Some(item) = item {
            self.with_item(item, |item| item.ran_ms = item.ran_ms.saturating_add(ms));
        }
    }

    fn with_conversation(&mut self, id: RunId, change: impl FnOnce(&mut Conversation)) {
        self.with_run(id, |run| {
            if let Some(conversation) = &mut run.conversation {
                change(conversation);
            }
        });
    }

    fn with_item(&mut self, id: ItemId, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == id) {
            change(item);
        }
    }

    fn with_run(&mut self, id: RunId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            change(run);
        }
    }
}

fn model_failed(talk: &mut Conversation, event: &Event) {
    let Event::ModelFailed { not_before_ms, refused_bytes, .. } = event else { return };
    // One that was too long is no fault of the model, which is asked again.
    talk.failures += u32::from(refused_bytes.is_none());
    talk.refused_bytes = refused_bytes.or(talk.refused_bytes);
    talk.doing = Doing::Composing { not_before_ms: *not_before_ms };
}

/// The call that was under way is made once more.
fn mark_again(run: &mut Run) {
    if let Some(Doing::Acting { calls }) = run.conversation.as_mut().map(|talk| &mut talk.doing)
        && let Some(call) = calls.iter_mut().find(|call| call.has_intent())
    {
        call.again = true;
    }
}
