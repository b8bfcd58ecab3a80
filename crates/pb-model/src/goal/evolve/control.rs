//! Folding what a person said: pause, resume, priority, answers.

use crate::approval::{self, ApprovalEvent};
use crate::goal::asking::ASSUMPTIONS_MAX;
use crate::goal::cap::Cap;
use crate::goal::conversation::Doing;
use crate::goal::escalation::{Answer, Escalation, Raised, Resolution};
use crate::goal::evaluation::Evaluation;
use crate::goal::event::Event;
use crate::goal::state::{Goal, GoalState, GoalStatus, Item, ItemStatus, Phase, Reason, Replan};
use crate::spec::Work;
use crate::{EscalationId, ItemId, Millis, RunId, Verdict};

impl GoalState {
    pub(super) fn apply_control(&mut self, event: &Event, at: Millis) {
        match event {
            Event::GoalPaused { by } => {
                self.goal.paused_by = Some(by.clone());
                self.goal.reason = Some(Reason::Paused);
            }
            Event::GoalReplanning { why, by } => {
                self.goal.replan = Some(Replan { why: why.clone(), by: by.clone() });
            }
            Event::ItemSuperseded { item } => self.with_item(*item, |item| {
                item.status = ItemStatus::Skipped;
                item.superseded = true;
                item.not_before_ms = None;
            }),
            Event::EvaluationDecided { item, decision: Evaluation::SwitchModel { avoid, tier }, .. } => {
                self.with_item(*item, |item| {
                    item.avoided.extend(avoid.clone());
                    if let (Work::Agent(agent), Some(tier)) = (&mut item.work, tier) {
                        agent.tier = *tier;
                    }
                });
            }
            Event::GoalResumed { .. } => resume(&mut self.goal),
            Event::GoalPrioritized { priority, .. } => self.goal.spec.priority = *priority,
            Event::ItemReopened { item, allow } => self.reopen(*item, allow.as_deref()),
            Event::ItemSkipped { item, .. } => self.with_item(*item, |item| {
                item.status = ItemStatus::Skipped;
                item.verdict = Some(Verdict::Unverified);
                item.not_before_ms = None;
            }),
            Event::GatesApproved { item, digests, .. } => {
                self.with_item(*item, |item| item.approved.extend(digests.iter().cloned()));
            }
            Event::EscalationCreated { escalation } => self.ask(escalation),
            Event::ApprovalChanged { escalation, run, change, .. } => {
                self.change_approval(*escalation, *run, change);
            }
            Event::GoalElaborated { assumptions, criteria } => {
                self.goal.assumptions.extend(assumptions.iter().cloned());
                self.goal.assumptions.truncate(ASSUMPTIONS_MAX);
                if !criteria.is_empty() {
                    self.goal.spec.success_criteria.clone_from(criteria);
                }
            }
            Event::EscalationResolved { escalation, item, run, resolution } => {
                self.resolve((*escalation, at), *item, resolution);
                if let Some(run) = run {
                    self.with_conversation(*run, |talk| talk.waits = None);
                    if item.is_none() {
                        self.goal.phase = Phase::Planning;
                    }
                }
            }
            _ => {}
        }
    }

    fn reopen(&mut self, id: ItemId, allow: Option<&str>) {
        let met = self.item(id).is_some_and(|item| self.needs_met(item));
        self.with_item(id, |item| {
            item.status = if met { ItemStatus::Ready } else { ItemStatus::Queued };
            item.verdict = None;
            item.error = None;
            item.retry_count = 0;
            item.not_before_ms = None;
            item.allowed.extend(allow.map(str::to_owned));
        });
    }

    fn ask(&mut self, escalation: &Escalation) {
        self.escalations.push(escalation.clone());
        let (Some(run), Some(_)) = (escalation.run_id, escalation.waiting) else { return };
        self.with_conversation(run, |talk| talk.waits = Some(escalation.id));
        if escalation.item_id.is_none() {
            self.goal.phase = Phase::Elaboration;
        }
    }

    fn change_approval(&mut self, id: EscalationId, run: Option<RunId>, change: &ApprovalEvent) {
        let Some(asked) = self.escalations.iter_mut().find(|asked| asked.id == id) else { return };
        asked.approval = asked.approval.take().map(|approval| approval::evolve(approval, change));
        // The call may be made now, and gets its intent.
        if let (ApprovalEvent::Used, Some(run), Some(n)) = (change, run, asked.waiting) {
            self.with_conversation(run, |talk| {
                if let Doing::Acting { calls } = &mut talk.doing
                    && let Some(call) = calls.iter_mut().find(|call| call.n == n)
                {
                    call.held = false;
                }
            });
        }
    }

    fn resolve(&mut self, (id, at): (EscalationId, Millis), item: Option<ItemId>, resolution: &Resolution) {
        if let Some(asked) = self.escalations.iter_mut().find(|asked| asked.id == id) {
            asked.resolution = Some(resolution.clone());
            asked.resolved_at_ms = Some(at);
        }
        // What is done is delivered: no other plan is wanted any more.
        if resolution.answer == Answer::Finish {
            self.goal.replan = None;
        }
        match resolution.raised {
            Some(raised @ (Raised::Share | Raised::ItemTime)) => {
                if let Some(item) = item {
                    self.with_item(item, |item| raise_item(item, raised));
                }
            }
            Some(raised) => raise(&mut self.goal, raised),
            None => {}
        }
    }
}

/// A goal that stood still goes on where it stood; one that had given its folder back claims it again.
fn resume(goal: &mut Goal) {
    goal.paused_by = None;
    match goal.status {
        GoalStatus::Blocked | GoalStatus::Failed => {
            goal.status = GoalStatus::Queued;
            goal.reason = None;
            goal.error = None;
            goal.verdict = None;
            goal.summary = None;
            goal.completed_at_ms = None;
        }
        GoalStatus::Queued | GoalStatus::Active | GoalStatus::Completed | GoalStatus::Cancelled => {
            goal.reason = goal.waits_for.map(|_| Reason::WaitingForWorkspace);
        }
    }
}

fn raise(goal: &mut Goal, raised: Raised) {
    let spec = &mut goal.spec;
    let cap = match raised {
        Raised::Tokens(tokens) => {
            spec.budget_tokens = Some(tokens);
            Cap::Tokens
        }
        #[expect(clippy::cast_precision_loss, reason = "exact below nine billion dollars")]
        Raised::Cost(micro_usd) => {
            spec.budget_cost_usd = Some(micro_usd as f64 / 1_000_000.0);
            Cap::Cost
        }
        Raised::Turns(turns) => {
            spec.budget_turns = Some(turns);
            Cap::Turns
        }
        Raised::Time(minutes) => {
            spec.budget_time_minutes = Some(minutes);
            Cap::Time
        }
        Raised::Call => {
            spec.budget_call_tokens = spec.budget_call_tokens.map(|tokens| tokens.saturating_mul(2));
            spec.budget_call_usd = spec.budget_call_usd.map(|usd| usd * 2.0);
            return;
        }
        Raised::Deadline(at_ms) => {
            spec.deadline_ms = Some(at_ms);
            Cap::Deadline
        }
        Raised::Share | Raised::ItemTime => return,
    };
    // The warnings count anew: they are parts of another cap.
    goal.spending.warned.remove(&cap);
}

fn raise_item(item: &mut Item, raised: Raised) {
    let Work::Agent(agent) = &mut item.work else { return };
    if raised == Raised::ItemTime {
        agent.time_limit_s = agent.time_limit_s.map(|seconds| seconds.saturating_mul(2));
    } else {
        agent.budget_percent = None;
        agent.budget_tokens = None;
        agent.budget_usd = None;
    }
}
