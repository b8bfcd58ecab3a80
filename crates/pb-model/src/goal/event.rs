//! What happened: the facts of a goal's history. One history feeds every reader.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::adding::Addition;
use super::cap::Cap;
use super::conversation::{Call, CallEnd, Condensed, Used};
use super::escalation::{Escalation, Resolution};
use super::evaluation::Evaluation;
use super::failure::Failure;
use super::guard::{Guard, Rung};
use super::kept::Kept;
use super::spending::{Charge, Reservation};
use super::state::{
    Artifact, CancelRequest, Execution, GateResult, Goal, GoalState, Item, Reason, Run, RunStatus,
};
use crate::approval::ApprovalEvent;
use crate::freshness::QuietRound;
use crate::spec::SuccessCriterion;
use crate::{ArtifactId, Epoch, EscalationId, GoalId, ItemId, Millis, RunId, Verdict};

/// A fact. Serialized forms are additive: a later version may add fields with defaults and
/// variants, never change one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the id or value that it says")]
pub enum Event {
    /// Intake accepted the goal.
    GoalCreated { goal: Box<Goal> },
    /// An item was planned.
    ItemCreated { item: Box<Item> },
    /// The plan stands: so many items.
    GoalPlanned { items: u32 },
    /// Another goal writes in the folder.
    GoalWaiting { workspace: String, behind: GoalId },
    /// The workspace is ours; `baseline` as in [`Goal::baseline`].
    GoalStarted {
        workspace: String,
        baseline: BTreeMap<String, Option<String>>,
        /// At the first start: how the files in it are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Kept>,
    },
    /// A new incarnation took the goal over; the last one was seen alive at `alive_until_ms`.
    GoalTakenOver { epoch: Epoch, alive_until_ms: Millis },
    /// The clock jumped by so much, which is nobody's running time.
    ClockJumped { by_ms: i64 },
    /// Everything the item needs is done.
    ItemReady { item: ItemId },
    /// An attempt at the item begins.
    ItemStarted { item: ItemId, run: RunId },
    /// The attempt itself.
    RunStarted { run: Box<Run> },
    /// A later incarnation goes on with the run; `ran_again` when its command starts once more.
    RunContinued { item: Option<ItemId>, run: RunId, epoch: Epoch, ran_again: bool, why: String },
    /// The run's command ended.
    RunExecuted { item: ItemId, run: RunId, execution: Box<Execution> },
    /// A model is about to be called; what it may cost at most is put aside.
    ModelRequested {
        item: Option<ItemId>,
        model: String,
        /// Who could be asked instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other_model: Option<String>,
        reservation: Reservation,
    },
    /// The model answered.
    ModelAnswered {
        item: Option<ItemId>,
        run: RunId,
        n: u32,
        model: String,
        used: Option<Used>,
        charge: Charge,
        /// The beginning of its words.
        text: String,
        calls: Vec<Call>,
        cut_short: bool,
        duration_ms: u64,
    },
    /// The call of the model failed; `lost` when its end was not seen, so that nothing can be journaled.
    ModelFailed {
        item: Option<ItemId>,
        run: RunId,
        n: u32,
        model: String,
        error: String,
        charge: Charge,
        not_before_ms: Option<Millis>,
        lost: bool,
        #[serde(default)]
        duration_ms: u64,
        /// The request's length, if it was refused as too long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused_bytes: Option<u64>,
    },
    /// A tool was called.
    ToolCompleted {
        item: Option<ItemId>,
        run: RunId,
        call: Box<Call>,
        end: CallEnd,
        /// The beginning of what it came to.
        found: String,
        /// Digest of all of it.
        #[serde(default)]
        output_digest: String,
        /// Digest of the workspace after it, where that was looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workspace: Option<String>,
        duration_ms: u64,
    },
    /// The run adds items to its goal; they are created once its own item is done.
    ItemsAdded { item: ItemId, run: RunId, items: Vec<Addition> },
    /// The conversation goes nowhere: what was seen, and what is done about it.
    GuardTripped { item: Option<ItemId>, run: RunId, guard: Guard, rung: Rung },
    /// The conversation would not fit its model: from now on its older parts are told in short. `turns` and
    /// `results` say of how many, `bytes` by how much its next request is shorter.
    ConversationCondensed {
        item: Option<ItemId>,
        run: RunId,
        condensed: Condensed,
        turns: u32,
        results: u32,
        bytes: u64,
    },
    /// The item's gates begin; `probe` when they find out whether lost work was done.
    VerificationStarted { item: ItemId, run: RunId, probe: bool },
    /// A gate ended.
    GateCompleted { result: Box<GateResult> },
    /// The item's gates ended.
    VerificationCompleted {
        item: ItemId,
        run: RunId,
        passed: bool,
        verdict: Verdict,
        summary: String,
        round: Option<QuietRound>,
        recheck: bool,
    },
    /// The run ended.
    RunCompleted { item: Option<ItemId>, run: RunId, status: RunStatus, error: Option<Failure> },
    /// The item will be tried again.
    ItemRetrying { item: ItemId, retry_count: u32, not_before_ms: Millis, error: Failure },
    /// What is done about an attempt whose work or evidence was not enough, and why.
    EvaluationDecided { item: ItemId, run: RunId, decision: Evaluation, reason: String },
    /// The item is done.
    ItemCompleted { item: ItemId, run: RunId, verdict: Verdict },
    /// The item failed for good.
    ItemFailed { item: ItemId, error: Failure },
    /// The item waits for a human.
    ItemBlocked { item: ItemId, escalation: EscalationId, error: Failure },
    /// A human said that the item is to be tried again; `allow` is a call that it may repeat.
    ItemReopened { item: ItemId, allow: Option<String> },
    /// Another plan takes the item's place.
    ItemSuperseded { item: ItemId },
    /// Another plan is to be made; what is done, and what runs, stays.
    GoalReplanning { why: String, by: String },
    /// A human said that the item's gates count, though the goal changed what decides them; `digests` as in
    /// [`Item::approved`].
    GatesApproved { item: ItemId, run: RunId, by: String, edited: Vec<String>, digests: Vec<String> },
    /// A human said to go on without the item.
    ItemSkipped { item: ItemId, by: String },
    /// A human is asked.
    EscalationCreated { escalation: Box<Escalation> },
    /// So much of a cap of the goal is used, in percent.
    BudgetWarned { cap: Cap, percent: u8 },
    /// A cap is reached; a human is asked.
    BudgetExceeded { item: Option<ItemId>, cap: Cap },
    /// Something about a call that needs a yes.
    ApprovalChanged {
        escalation: EscalationId,
        item: Option<ItemId>,
        run: Option<RunId>,
        change: ApprovalEvent,
    },
    /// What the goal means was made out: what is assumed, and how it will be known, if nobody had said.
    GoalElaborated { assumptions: Vec<String>, criteria: Vec<SuccessCriterion> },
    /// A human answered.
    EscalationResolved {
        escalation: EscalationId,
        item: Option<ItemId>,
        /// The run of which a call waited for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        resolution: Box<Resolution>,
    },
    /// All items are done; delivery begins.
    GoalPublishing,
    /// A file was delivered.
    ArtifactCreated { artifact: Box<Artifact> },
    /// The goal is delivered.
    GoalCompleted {
        verdict: Verdict,
        summary: String,
        /// How many more files are new, changed or gone than were listed.
        #[serde(default)]
        unlisted: u64,
    },
    /// The goal cannot go on without a human.
    GoalBlocked { escalations: Vec<EscalationId>, summary: String },
    /// A person paused the goal: what runs ends, nothing new starts.
    GoalPaused { by: String },
    /// The goal goes on: it was paused, blocked, or had failed.
    GoalResumed { by: String },
    /// A person changed its priority.
    GoalPrioritized { priority: u8, by: String },
    /// The goal cannot be delivered.
    GoalFailed { reason: Reason, error: Failure },
    /// A cancellation was asked for while steps run.
    GoalCancelling { cancel: CancelRequest },
    /// The goal was cancelled and nothing of it runs.
    GoalCancelled { cancel: CancelRequest },
    /// The goal ended long ago: this stands for the `events` before it, which are dropped. Folding goes on
    /// from `state`.
    GoalCompacted { events: u64, state: Box<GoalState> },
}

/// A row that an event changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// The goal's row.
    Goal,
    /// An item's row.
    Item(ItemId),
    /// A run's row.
    Run(RunId),
    /// A gate result's row, by run and step.
    Gate(RunId, u32),
    /// An artifact's row.
    Artifact(ArtifactId),
    /// An escalation's row.
    Escalation(EscalationId),
}

impl Event {
    /// The event's name on the wire (`wire.md` §2.8; names that the first gateway lacked follow its pattern).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GoalCreated { .. } => "goal.created",
            Self::GoalPlanned { .. }
            | Self::GoalWaiting { .. }
            | Self::GoalTakenOver { .. }
            | Self::ClockJumped { .. }
            | Self::GoalPublishing
            | Self::GoalPaused { .. }
            | Self::GoalResumed { .. }
            | Self::GoalPrioritized { .. }
            | Self::GoalCancelling { .. } => "goal.updated",
            Self::GoalReplanning { .. } => "goal.replanning",
            Self::GoalElaborated { .. } => "goal.elaborated",
            Self::GoalStarted { .. } => "goal.started",
            Self::GoalCompleted { .. } => "goal.completed",
            Self::GoalBlocked { .. } => "goal.blocked",
            Self::GoalFailed { .. } => "goal.failed",
            Self::GoalCancelled { .. } => "goal.cancelled",
            Self::GoalCompacted { .. } => "goal.compacted",
            Self::ItemCreated { .. } => "workitem.created",
            Self::ItemsAdded { .. } => "workitem.added",
            Self::ItemReady { .. }
            | Self::ItemRetrying { .. }
            | Self::ItemReopened { .. }
            | Self::ItemSuperseded { .. }
            | Self::ItemSkipped { .. } => "workitem.updated",
            Self::ItemStarted { .. } => "workitem.started",
            Self::ItemCompleted { .. } => "workitem.completed",
            Self::ItemFailed { .. } => "workitem.failed",
            Self::ItemBlocked { .. } => "workitem.blocked",
            Self::RunStarted { .. } => "run.started",
            Self::RunContinued { .. } => "run.continued",
            Self::RunExecuted { .. } => "run.executed",
            Self::RunCompleted { .. } => "run.completed",
            Self::ModelRequested { .. } => "model.requested",
            Self::ModelAnswered { .. } => "model.answered",
            Self::ModelFailed { .. } => "model.failed",
            Self::ToolCompleted { .. } => "tool.completed",
            Self::GuardTripped { .. } => "guard.tripped",
            Self::EvaluationDecided { .. } => "evaluation.decided",
            Self::ConversationCondensed { .. } => "conversation.condensed",
            Self::VerificationStarted { .. } => "verification.started",
            Self::VerificationCompleted { .. } => "verification.completed",
            Self::GateCompleted { .. } => "gate.completed",
            Self::GatesApproved { .. } => "gate.approved",
            Self::EscalationCreated { .. } => "escalation.created",
            Self::EscalationResolved { .. } => "escalation.resolved",
            Self::ApprovalChanged { change, .. } => match change {
                ApprovalEvent::Requested => "approval.requested",
                ApprovalEvent::Granted { .. } => "approval.granted",
                ApprovalEvent::Denied { .. } => "approval.denied",
                ApprovalEvent::Expired => "approval.expired",
                ApprovalEvent::Used => "approval.used",
                ApprovalEvent::Voided => "approval.voided",
            },
            Self::BudgetWarned { .. } => "budget.warning",
            Self::BudgetExceeded { .. } => "budget.exceeded",
            Self::ArtifactCreated { .. } => "artifact.created",
        }
    }

    /// The item that the event is about.
    pub fn item_id(&self) -> Option<ItemId> {
        match self {
            Self::ItemCreated { item } => Some(item.id),
            Self::RunStarted { run } => run.item_id,
            Self::GateCompleted { result } => Some(result.item_id),
            Self::EscalationCreated { escalation } => escalation.item_id,
            Self::ItemReady { item }
            | Self::ItemStarted { item, .. }
            | Self::ItemRetrying { item, .. }
            | Self::ItemCompleted { item, .. }
            | Self::ItemFailed { item, .. }
            | Self::ItemBlocked { item, .. }
            | Self::ItemReopened { item, .. }
            | Self::ItemSuperseded { item }
            | Self::EvaluationDecided { item, .. }
            | Self::ItemSkipped { item, .. }
            | Self::GatesApproved { item, .. }
            | Self::ItemsAdded { item, .. }
            | Self::RunExecuted { item, .. }
            | Self::VerificationStarted { item, .. }
            | Self::VerificationCompleted { item, .. } => Some(*item),
            Self::RunContinued { item, .. }
            | Self::EscalationResolved { item, .. }
            | Self::ApprovalChanged { item, .. }
            | Self::BudgetExceeded { item, .. }
            | Self::RunCompleted { item, .. }
            | Self::ModelRequested { item, .. }
            | Self::ModelAnswered { item, .. }
            | Self::ModelFailed { item, .. }
            | Self::GuardTripped { item, .. }
            | Self::ConversationCondensed { item, .. }
            | Self::ToolCompleted { item, .. } => *item,
            Self::GoalCreated { .. }
            | Self::GoalElaborated { .. }
            | Self::GoalReplanning { .. }
            | Self::GoalPlanned { .. }
            | Self::GoalWaiting { .. }
            | Self::GoalStarted { .. }
            | Self::GoalTakenOver { .. }
            | Self::ClockJumped { .. }
            | Self::GoalPublishing
            | Self::ArtifactCreated { .. }
            | Self::GoalCompleted { .. }
            | Self::GoalBlocked { .. }
            | Self::GoalPaused { .. }
            | Self::GoalResumed { .. }
            | Self::GoalPrioritized { .. }
            | Self::BudgetWarned { .. }
            | Self::GoalFailed { .. }
            | Self::GoalCancelling { .. }
            | Self::GoalCancelled { .. }
            | Self::GoalCompacted { .. } => None,
        }
    }

    /// The run that the event is about.
    pub fn run_id(&self) -> Option<RunId> {
        match self {
            Self::RunStarted { run } => Some(run.id),
            Self::GateCompleted { result } => Some(result.run_id),
            Self::EscalationCreated { escalation } => escalation.run_id,
            Self::EscalationResolved { run, .. } | Self::ApprovalChanged { run, .. } => *run,
            Self::ModelRequested { reservation, .. } => Some(reservation.run),
            Self::ModelAnswered { run, .. }
            | Self::ModelFailed { run, .. }
            | Self::ToolCompleted { run, .. }
            | Self::GuardTripped { run, .. }
            | Self::EvaluationDecided { run, .. }
            | Self::ConversationCondensed { run, .. }
            | Self::ItemStarted { run, .. }
            | Self::ItemCompleted { run, .. }
            | Self::RunContinued { run, .. }
            | Self::RunExecuted { run, .. }
            | Self::GatesApproved { run, .. }
            | Self::ItemsAdded { run, .. }
            | Self::RunCompleted { run, .. }
            | Self::VerificationStarted { run, .. }
            | Self::VerificationCompleted { run, .. } => Some(*run),
            Self::ItemCreated { .. }
            | Self::ItemReady { .. }
            | Self::ItemRetrying { .. }
            | Self::ItemFailed { .. }
            | Self::ItemBlocked { .. }
            | Self::ItemReopened { .. }
            | Self::ItemSuperseded { .. }
            | Self::ItemSkipped { .. }
            | Self::BudgetExceeded { .. }
            | Self::GoalCreated { .. }
            | Self::GoalElaborated { .. }
            | Self::GoalReplanning { .. }
            | Self::GoalPlanned { .. }
            | Self::GoalWaiting { .. }
            | Self::GoalStarted { .. }
            | Self::GoalTakenOver { .. }
            | Self::ClockJumped { .. }
            | Self::GoalPublishing
            | Self::ArtifactCreated { .. }
            | Self::GoalCompleted { .. }
            | Self::GoalBlocked { .. }
            | Self::GoalPaused { .. }
            | Self::GoalResumed { .. }
            | Self::GoalPrioritized { .. }
            | Self::BudgetWarned { .. }
            | Self::GoalFailed { .. }
            | Self::GoalCancelling { .. }
            | Self::GoalCancelled { .. }
            | Self::GoalCompacted { .. } => None,
        }
    }

    /// The rows that the event changes. Every event changes the goal's row, which carries `updated_at_ms`.
    pub fn touched(&self) -> Vec<Touched> {
        let mut rows = vec![Touched::Goal];
        rows.extend(self.item_id().map(Touched::Item));
        match self {
            Self::GateCompleted { result } => rows.push(Touched::Gate(result.run_id, result.step)),
            Self::ArtifactCreated { artifact } => rows.push(Touched::Artifact(artifact.id)),
            Self::EscalationCreated { escalation } => rows.push(Touched::Escalation(escalation.id)),
            Self::EscalationResolved { escalation, .. } | Self::ApprovalChanged { escalation, .. } => {
                rows.push(Touched::Escalation(*escalation));
            }
            _ => {}
        }
        rows.extend(self.run_id().map(Touched::Run));
        rows
    }
}
