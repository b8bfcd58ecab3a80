//! The values that events fold into. Each struct is one row of a table of the same name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::Doing;
use super::escalation::Escalation;
use super::failure::Failure;
use super::kept::Kept;
use super::spending::{Amount, Spending};
use crate::freshness::QuietRound;
use crate::schedule::OfSchedule;
use crate::spec::{GateSpec, GoalSpec, ItemSpec, Lane, Work};
use crate::{EscalationId, GoalId, ItemId, Millis, RunId, SessionId, Verdict};

mod proof;
mod run;

pub use proof::{Artifact, EDITED_MAX, Edited, Evidence, GateResult};
pub use run::{Continuation, Execution, ExecutionOutcome, Reviews, Run, RunStage, RunStatus};

/// A goal with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoalState {
    /// The goal.
    pub goal: Goal,
    /// Its work items, in plan order.
    pub items: Vec<Item>,
    /// Every run of every item, in the order they started.
    pub runs: Vec<Run>,
    /// Every gate result, in the order they came.
    pub gate_results: Vec<GateResult>,
    /// What was delivered.
    pub artifacts: Vec<Artifact>,
    /// What a human was asked.
    pub escalations: Vec<Escalation>,
}

impl GoalState {
    /// The item with this id.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The run with this id.
    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }

    /// The item's latest run.
    pub fn last_run(&self, item: ItemId) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.item_id == Some(item))
    }

    /// The runs that have not ended.
    pub fn running(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.status == RunStatus::Running)
    }

    /// The runs of which something may be under way: those that have not ended, but for what waits for a person,
    /// or for the goal's folder after that.
    pub fn working(&self) -> impl Iterator<Item = &Run> {
        let status = self.goal.status;
        self.running().filter(move |run| match status {
            GoalStatus::Active => !run.is_waiting(),
            GoalStatus::Queued => run.item_id.is_none() && !run.is_waiting(),
            GoalStatus::Blocked | GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => false,
        })
    }

    /// Whether a call of this tool, for this item, waits for a person's yes.
    pub fn needs_yes(&self, item: Option<&Item>, tool: &str) -> bool {
        let Some(Work::Agent(agent)) = item.map(|item| &item.work) else { return false };
        self.goal.spec.approve.iter().chain(&agent.approve).any(|named| named == tool)
    }

    /// The question with this id.
    pub fn escalation(&self, id: EscalationId) -> Option<&Escalation> {
        self.escalations.iter().find(|asked| asked.id == id)
    }

    /// The questions that nobody has answered.
    pub fn open_escalations(&self) -> impl Iterator<Item = &Escalation> {
        self.escalations.iter().filter(|asked| asked.is_open())
    }

    /// Whether every item that `item` needs is done, with what was added below it, or a human said to go on
    /// without it.
    pub fn needs_met(&self, item: &Item) -> bool {
        self.waits_on(item).iter().all(|need| self.item(*need).is_some_and(|i| i.status.is_settled()))
    }

    /// Whether every item is done or left out, so that only delivery is left.
    pub fn is_done(&self) -> bool {
        self.goal.replan.is_none()
            && self.items.iter().all(|item| item.status.is_settled())
            && !self.client_waits()
    }

    /// Whether a client waits for a yes to something that it does itself; the goal has no end before that.
    pub fn client_waits(&self) -> bool {
        self.open_escalations().any(Escalation::is_request)
    }

    /// The items of the plan as it stands, without those whose place another plan took.
    pub fn planned(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.superseded)
    }

    /// Whether a person paused it.
    pub fn is_paused(&self) -> bool {
        self.goal.paused_by.is_some()
    }

    /// Whether a step is under way: a paused goal whose steps have ended is at rest.
    pub fn is_at_work(&self) -> bool {
        // Of a run under review only the review works.
        self.working().filter(|run| self.review_of(run.id).is_none()).any(|run| {
            let composing =
                run.conversation.as_ref().is_some_and(|talk| matches!(talk.doing, Doing::Composing { .. }));
            !(self.is_paused() && composing && run.stage == RunStage::Executing)
        })
    }

    /// The run that reviews what this one did, if it has not ended.
    pub fn review_of(&self, run: RunId) -> Option<&Run> {
        self.running().find(|review| review.reviews.is_some_and(|reviews| reviews.run == run))
    }

    /// Whether a model makes a plan for it.
    pub fn is_being_planned(&self) -> bool {
        self.running().any(Run::is_planning)
    }

    /// Whether a run of an agent item has not ended. Agent items that share a folder take turns.
    pub fn agent_runs(&self) -> bool {
        self.running().any(|run| run.item_id.is_some() && run.conversation.is_some())
    }

    /// The gate results of a run that stand: the latest of each gate.
    pub fn standing_gates(&self, run: RunId) -> Vec<&GateResult> {
        let mut latest: BTreeMap<u32, &GateResult> = BTreeMap::new();
        for result in self.gate_results.iter().filter(|result| result.run_id == run) {
            latest.insert(result.gate, result);
        }
        latest.into_values().collect()
    }
}

/// A goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Its id, minted where it entered.
    pub id: GoalId,
    /// When the scheduler accepted it.
    pub created_at_ms: Millis,
    /// When it last changed.
    pub updated_at_ms: Millis,
    /// When it ended.
    pub completed_at_ms: Option<Millis>,
    /// Who asked for it.
    pub created_by: String,
    /// What was asked. `spec.items` is empty once the items are planned.
    pub spec: GoalSpec,
    /// Where it stands.
    pub status: GoalStatus,
    /// Which of the eight phases it is in.
    pub phase: Phase,
    /// How well it is proven, once it ended.
    pub verdict: Option<Verdict>,
    /// Why it stands where it stands, where the status does not say it all.
    pub reason: Option<Reason>,
    /// What went wrong, if something did.
    pub error: Option<Failure>,
    /// The canonical folder it works in, once started.
    pub workspace: Option<String>,
    /// The goal whose folder it waits for.
    pub waits_for: Option<GoalId>,
    /// A cancellation under way.
    pub cancel: Option<CancelRequest>,
    /// Who paused it: nothing new of it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// How long steps of it ran, in milliseconds; parallel steps count once.
    pub spent_time_ms: u64,
    /// Since when at least one run of it is running.
    pub running_since_ms: Option<Millis>,
    /// Digest, at the start, of each file that a `file_unchanged` gate names; `None` for an absent one.
    pub baseline: BTreeMap<String, Option<String>>,
    /// How the files in its folder were kept before it first wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// Rounds of gates that changed files while nothing else wrote.
    pub quiet_rounds: Vec<QuietRound>,
    /// What is taken for granted, because nobody said otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
    /// How many plans models made for it that held.
    #[serde(default)]
    pub plans: u32,
    /// Why another plan is to be made, until it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replan: Option<Replan>,
    /// One line on how it ended.
    pub summary: Option<String>,
    /// How many more files are new, changed or gone than its artifacts list.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// What it has spent on models, and promised to.
    #[serde(default)]
    pub spending: Spending,
    /// The schedule that submitted it, and for which slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<OfSchedule>,
    /// The conversation in which it was asked for, and which is told what becomes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Goal {
    /// The time budget that is left at `now`, in milliseconds; `None` without a budget.
    pub fn time_left_ms(&self, now: Millis) -> Option<u64> {
        let running = self.running_since_ms.map_or(0, |since| now.saturating_sub(since));
        let limit = self.spec.budget_time_minutes?.saturating_mul(60_000);
        Some(limit.saturating_sub(self.spent_time_ms + running))
    }
}

/// Why another plan is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replan {
    /// What was wrong with the last one, or what is wanted instead.
    pub why: String,
    /// Who wants it: a person, or `evaluation`.
    pub by: String,
}

/// Where a goal stands (`wire.md` §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoalStatus {
    /// Accepted, waiting for its workspace.
    Queued,
    /// Being worked on.
    Active,
    /// Cannot go on without a human.
    Blocked,
    /// Delivered.
    Completed,
    /// Stopped by a person.
    Cancelled,
    /// Could not be delivered.
    Failed,
}

impl GoalStatus {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing will happen to the goal any more.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Cancelled | Self::Failed => true,
            Self::Queued | Self::Active | Self::Blocked => false,
        }
    }
}

/// The eight phases (`architecture.md` §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Validating what was asked.
    Intake,
    /// Finding what is ambiguous.
    Elaboration,
    /// Making and ordering the plan.
    Planning,
    /// Running items.
    Execution,
    /// Running gates.
    Verification,
    /// Judging the evidence.
    Evaluation,
    /// Delivering.
    Publish,
    /// Watching limits and deadlines.
    Monitor,
}

impl Phase {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Elaboration => "elaboration",
            Self::Planning => "planning",
            Self::Execution => "execution",
            Self::Verification => "verification",
            Self::Evaluation => "evaluation",
            Self::Publish => "publish",
            Self::Monitor => "monitor",
        }
    }
}

/// Why a goal stands where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another goal writes in the same folder.
    WaitingForWorkspace,
    /// Intake refused it.
    Refused,
    /// A human has to decide.
    NeedsHuman,
    /// A cancellation waits for running steps to end.
    Cancelling,
    /// A person paused it.
    Paused,
    /// An item failed for good.
    DeadLetter,
    /// A gate that had passed did not hold before delivery.
    GateNoLongerHolds,
}

impl Reason {
    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingForWorkspace => "waiting_for_workspace",
            Self::Refused => "refused",
            Self::NeedsHuman => "needs_human",
            Self::Cancelling => "cancelling",
            Self::Paused => "paused",
            Self::DeadLetter => "dead_letter",
            Self::GateNoLongerHolds => "gate_no_longer_holds",
        }
    }
}

/// Who cancelled, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// The actor.
    pub by: String,
    /// Their words.
    pub reason: Option<String>,
}

/// A work item: one node of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// The goal that it belongs to.
    pub goal_id: GoalId,
    /// Its key in the goal file.
    pub key: String,
    /// Its place in the plan, from 0.
    pub index: u32,
    /// When it was planned.
    pub created_at_ms: Millis,
    /// When it last changed.
    pub updated_at_ms: Millis,
    /// One line for people.
    pub title: String,
    /// What it is to do.
    pub description: String,
    /// Items that must be done first.
    pub needs: Vec<ItemId>,
    /// Its concurrency lane.
    pub lane: Lane,
    /// What it does.
    pub work: Work,
    /// What proves it.
    pub gates: Vec<GateSpec>,
    /// How often a failed attempt is repeated.
    pub max_retries: u32,
    /// How often one was.
    pub retry_count: u32,
    /// Where it stands.
    pub status: ItemStatus,
    /// Not started again before this time.
    pub not_before_ms: Option<Millis>,
    /// How well it is proven.
    pub verdict: Option<Verdict>,
    /// What went wrong last.
    pub error: Option<Failure>,
    /// What its settled calls of models cost.
    #[serde(default)]
    pub spent: Amount,
    /// How long its models and tools ran, in all attempts together, in milliseconds; of agents only.
    #[serde(default)]
    pub ran_ms: u64,
    /// Digests of the calls that a human allowed to be repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Models that failed at it, and are asked only if nobody else answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoided: Vec<String>,
    /// Whether another plan took its place: it counts for nothing any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// The item whose run added it; `None` for one of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<ItemId>,
    /// Digests of what judges it, as a human approved that after the goal had changed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<String>,
}

impl Item {
    /// What repeating its work as a whole means.
    pub fn effect(&self) -> crate::Effect {
        match &self.work {
            Work::Command(command) => command.effect,
            Work::Agent(_) => crate::Effect::Idempotent,
        }
    }

    /// Whether a model does it.
    pub fn is_agent(&self) -> bool {
        match self.work {
            Work::Agent(_) => true,
            Work::Command(_) => false,
        }
    }

    /// A planned item from its specification.
    pub fn planned(
        spec: &ItemSpec,
        index: u32,
        id: ItemId,
        needs: Vec<ItemId>,
        goal: (GoalId, Millis),
    ) -> Self {
        Self {
            id,
            goal_id: goal.0,
            key: spec.id.clone(),
            index,
            created_at_ms: goal.1,
            updated_at_ms: goal.1,
            title: spec.title.clone().unwrap_or_else(|| spec.id.clone()),
            description: spec.description.clone(),
            status: if needs.is_empty() { ItemStatus::Ready } else { ItemStatus::Queued },
            needs,
            lane: spec.lane,
            work: spec.work.clone(),
            gates: spec.gates.clone(),
            max_retries: spec.retries(),
            retry_count: 0,
            not_before_ms: None,
            verdict: None,
            error: None,
            spent: Amount::default(),
            ran_ms: 0,
            allowed: Vec::new(),
            avoided: Vec::new(),
            superseded: false,
            added_by: None,
            approved: Vec::new(),
        }
    }
}

/// Where a work item stands (`wire.md` §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Waits for other items, or for its next attempt.
    Queued,
    /// May start.
    Ready,
    /// Runs.
    InProgress,
    /// Its gates run.
    Verify,
    /// Done.
    Done,
    /// Failed for good.
    Failed,
    /// Waits for a human.
    Blocked,
    /// A human said to go on without it.
    Skipped,
}

impl ItemStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Ready,
        Self::InProgress,
        Self::Verify,
        Self::Done,
        Self::Failed,
        Self::Blocked,
        Self::Skipped,
    ];

    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::InProgress => "in_progress",
            Self::Verify => "verify",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more is to be done for it, and what needs it may start.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Done | Self::Skipped => true,
            Self::Queued | Self::Ready | Self::InProgress | Self::Verify | Self::Failed | Self::Blocked => {
                false
            }
        }
    }
}
