//! The objects that clients see (`wire.md` §4.1): the first implementation's fields, then ours.

mod escalation;

use pb_model::goal::{self, GoalState, ItemStatus, Kept};
use pb_model::spec::{Check, SuccessCriterion, Work};
use pb_model::{Verdict, goal::Failure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use escalation::request_type;
pub use escalation::{
    Approval, ApprovalDetails, ApprovalState, Attempt, Choice, Escalation, Expiry, Packet, Question,
    ResolutionData,
};

/// A goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goal {
    /// Its id.
    pub id: String,
    /// When it was accepted, in milliseconds since 1970.
    pub created_at: u64,
    /// When it last changed.
    pub updated_at: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<u64>,
    /// One line.
    pub title: String,
    /// What is wanted.
    pub description: String,
    /// How one will know.
    pub success_criteria: Vec<SuccessCriterion>,
    /// `queued`, `active`, `blocked`, `completed`, `cancelled` or `failed`.
    #[schemars(with = "goal::GoalStatus")]
    pub status: String,
    /// 0 to 100, higher first.
    pub priority: u8,
    /// Most tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// Most minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_time_minutes: Option<u64>,
    /// Most money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_cost_usd: Option<f64>,
    /// Tokens used.
    pub spent_tokens: u64,
    /// Minutes used, rounded up.
    pub spent_time_minutes: u64,
    /// Money used.
    pub spent_cost_usd: f64,
    /// The part of the money that was assumed, because nobody told what a call cost.
    #[serde(default)]
    pub assumed_cost_usd: f64,
    /// The part of the tokens that was assumed.
    #[serde(default)]
    pub assumed_tokens: u64,
    /// Whether a model was called whose price nobody has said: the money is not all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Answers of models.
    #[serde(default)]
    pub spent_turns: u32,
    /// Most answers of models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_turns: Option<u32>,
    /// When it is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// Whether it ends when its plan stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plan_only: bool,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Which of the eight phases it is in.
    #[serde(default)]
    #[schemars(with = "goal::Phase")]
    pub phase: String,
    /// `verified`, `partial`, `unverified` or `failed`, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<goal::Reason>")]
    pub reason: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// The folder it works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// How the files in it were kept before the goal wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The goal whose folder it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What is taken for granted, because nobody said otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
    /// Why another plan is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replanning: Option<String>,
    /// One line on how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// How many more files are new, changed or gone than its artifacts list.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// Milliseconds during which steps ran.
    #[serde(default)]
    pub spent_time_ms: u64,
    /// Whether it is still in the inbox, waiting for a scheduler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// The schedule that submitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<String>,
    /// For which slot; none if a person had the schedule run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What went wrong: a code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// A stable code.
    pub code: String,
    /// In words.
    pub message: String,
    /// What kind of failure it is: `transient`, `permanent`, `model`, `host` or `policy`.
    #[serde(default)]
    #[schemars(with = "goal::ErrorClass")]
    pub class: String,
    /// Whether trying again may help.
    pub recoverable: bool,
}

impl From<&Failure> for Error {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.clone(),
            message: failure.message.clone(),
            class: failure.class.as_str().to_owned(),
            recoverable: failure.class.is_retried(),
        }
    }
}

impl From<&goal::Goal> for Goal {
    fn from(goal: &goal::Goal) -> Self {
        Self {
            id: goal.id.to_string(),
            created_at: goal.created_at_ms,
            updated_at: goal.updated_at_ms,
            completed_at: goal.completed_at_ms,
            title: goal.spec.title.clone(),
            description: goal.spec.description.clone(),
            success_criteria: goal.spec.success_criteria.clone(),
            status: goal.status.as_str().to_owned(),
            priority: goal.spec.priority,
            budget_tokens: goal.spec.budget_tokens,
            budget_time_minutes: goal.spec.budget_time_minutes,
            budget_cost_usd: goal.spec.budget_cost_usd,
            spent_tokens: goal.spending.settled.tokens,
            spent_time_minutes: goal.spent_time_ms.div_ceil(60_000),
            spent_cost_usd: usd(goal.spending.settled.micro_usd),
            assumed_cost_usd: usd(goal.spending.assumed.micro_usd),
            assumed_tokens: goal.spending.assumed.tokens,
            unpriced: goal.spending.unpriced,
            spent_turns: goal.spending.turns,
            budget_turns: goal.spec.budget_turns,
            deadline: goal.spec.deadline_ms,
            plan_only: goal.spec.plan_only,
            tags: goal.spec.tags.clone(),
            phase: goal.phase.as_str().to_owned(),
            verdict: goal.verdict,
            reason: goal.reason.map(|reason| reason.as_str().to_owned()),
            error: goal.error.as_ref().map(Error::from),
            workspace: goal.workspace.clone(),
            kept: goal.kept.clone(),
            waits_for: goal.waits_for.map(|goal| goal.to_string()),
            assumptions: goal.assumptions.clone(),
            replanning: goal.replan.as_ref().map(|replan| replan.why.clone()),
            summary: goal.summary.clone(),
            unlisted: goal.unlisted,
            spent_time_ms: goal.spent_time_ms,
            waiting: false,
            schedule_id: goal.scheduled.map(|of| of.schedule.to_string()),
            slot: goal.scheduled.and_then(|of| of.slot_ms),
        }
    }
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkItem {
    /// Its id.
    pub id: String,
    /// When it was planned.
    pub created_at: u64,
    /// When it last changed.
    pub updated_at: u64,
    /// The goal.
    pub goal_id: String,
    /// One line.
    pub title: String,
    /// What it is to do.
    pub description: String,
    /// The first implementation's kind of work; always `code`.
    pub item_type: String,
    /// `queued`, `ready`, `in_progress`, `verify`, `done`, `failed`, `blocked` or `skipped`.
    #[schemars(with = "ItemStatus")]
    pub status: String,
    /// The goal's priority.
    pub priority: u8,
    /// Ids of the items it needs, and of those that were added below them.
    pub dependencies: Vec<String>,
    /// Ids of the items that need it.
    pub blocks: Vec<String>,
    /// Always `M`.
    pub estimated_effort: String,
    /// How often a failed attempt was repeated.
    pub retry_count: u32,
    /// How often it may be.
    pub max_retries: u32,
    /// What proves it.
    pub verification_plan: VerificationPlan,
    /// `not_started`, `passed`, `failed` or `skipped`.
    pub verification_status: String,
    /// Its key in the goal file.
    #[serde(default)]
    pub key: String,
    /// `command` or `agent`.
    #[serde(default)]
    pub kind: String,
    /// Its lane.
    #[serde(default)]
    #[schemars(with = "pb_model::spec::Lane")]
    pub lane: String,
    /// How well it is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Not started again before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// Id of the item whose run added it; none for one of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<String>,
    /// Whether another plan took its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
}

/// What proves an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerificationPlan {
    /// Its gates.
    pub quality_gates: Vec<QualityGate>,
    /// Always empty.
    pub acceptance_criteria: Vec<String>,
}

/// A gate of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QualityGate {
    /// Its name.
    pub name: String,
    /// `deterministic`.
    #[serde(rename = "type")]
    pub gate_type: String,
    /// The command, if it runs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The exit code that means "passed".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_exit_code: Option<i32>,
    /// Whether the item fails without it.
    pub required: bool,
    /// Its kind, such as `file_exists`.
    #[serde(default)]
    pub kind: String,
}

impl WorkItem {
    /// The item as part of its goal.
    pub fn of(item: &goal::Item, state: &GoalState) -> Self {
        let blocks = state.waiting_for(item.id).map(|other| other.id.to_string());
        Self {
            id: item.id.to_string(),
            created_at: item.created_at_ms,
            updated_at: item.updated_at_ms,
            goal_id: item.goal_id.to_string(),
            title: item.title.clone(),
            description: item.description.clone(),
            item_type: "code".to_owned(),
            status: item.status.as_str().to_owned(),
            priority: state.goal.spec.priority,
            dependencies: state.waits_on(item).iter().map(ToString::to_string).collect(),
            blocks: blocks.collect(),
            estimated_effort: "M".to_owned(),
            retry_count: item.retry_count,
            max_retries: item.max_retries,
            verification_plan: VerificationPlan {
                quality_gates: item.gates.iter().map(QualityGate::from).collect(),
                acceptance_criteria: Vec::new(),
            },
            verification_status: verification_status(item).to_owned(),
            key: item.key.clone(),
            kind: match item.work {
                Work::Command(_) => "command",
                Work::Agent(_) => "agent",
            }
            .to_owned(),
            lane: item.lane.as_str().to_owned(),
            verdict: item.verdict,
            not_before: item.not_before_ms,
            superseded: item.superseded,
            added_by: item.added_by.map(|above| above.to_string()),
            error: item.error.as_ref().map(Error::from),
        }
    }
}

fn verification_status(item: &goal::Item) -> &'static str {
    match (item.status, item.verdict) {
        (_, Some(Verdict::Verified | Verdict::Partial)) => "passed",
        (_, Some(Verdict::Failed)) | (ItemStatus::Failed, _) => "failed",
        (_, Some(Verdict::Unverified)) => "skipped",
        (_, None) => "not_started",
    }
}

impl From<&pb_model::GateSpec> for QualityGate {
    fn from(gate: &pb_model::GateSpec) -> Self {
        let (command, expected_exit_code) = match &gate.check {
            Check::Command(command) => (Some(command.argv.join(" ")), Some(command.expect_exit)),
            Check::TestsExecuted { argv, .. } => (argv.as_ref().map(|argv| argv.join(" ")), Some(0)),
            Check::Http(http) => (http.argv.as_ref().map(|argv| argv.join(" ")), None),
            Check::FileExists { .. }
            | Check::FileContains { .. }
            | Check::FileUnchanged { .. }
            | Check::JsonSchema { .. }
            | Check::ChangesWithin { .. }
            | Check::FilesLack { .. }
            | Check::Review { .. } => (None, None),
        };
        Self {
            name: gate.label(),
            gate_type: "deterministic".to_owned(),
            command,
            expected_exit_code,
            required: gate.required,
            kind: gate.check.kind().to_owned(),
        }
    }
}

/// One attempt at a work item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// When it started.
    pub created_at: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<u64>,
    /// The item; empty when a model makes the goal's plan, or reviews.
    pub work_item_id: String,
    /// The goal.
    pub goal_id: String,
    /// `command`, `agent`, `planner` or `reviewer`.
    pub agent_type: String,
    /// Which attempt, from 1.
    pub run_sequence: u32,
    /// `running`, `success`, `failure`, `timeout` or `aborted`.
    #[schemars(with = "goal::RunStatus")]
    pub status: String,
    /// The command's exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Tokens used.
    pub tokens_used: u64,
    /// How long the command ran, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_seconds: Option<f64>,
    /// Money used.
    pub cost_usd: f64,
    /// Answers of the model.
    #[serde(default)]
    pub turns: u32,
    /// The model that answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Always empty; artifacts belong to the goal.
    pub artifacts: Vec<String>,
    /// The end of what the command printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_log: Option<String>,
    /// The scheduler incarnation that holds it.
    #[serde(default)]
    pub epoch: u64,
    /// Each time a later incarnation took it over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continued: Vec<Continuation>,
    /// What the kernel did not confine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfined: Option<String>,
    /// What its gates found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateResult>,
    /// The run whose work this one reviews, if that is what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviews: Option<String>,
}

/// A run that a later incarnation of the scheduler took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Continuation {
    /// The incarnation.
    pub epoch: u64,
    /// When.
    pub at: u64,
    /// Whether its command was run again.
    pub ran_again: bool,
    /// Why.
    pub why: String,
}

impl Run {
    /// The run as part of its goal.
    pub fn of(run: &goal::Run, state: &GoalState) -> Self {
        let execution = run.execution.as_ref();
        let spent = run.conversation.as_ref().map(|talk| talk.spent).unwrap_or_default();
        Self {
            id: run.id.to_string(),
            created_at: run.created_at_ms,
            completed_at: run.completed_at_ms,
            work_item_id: run.item_id.map(|item| item.to_string()).unwrap_or_default(),
            goal_id: run.goal_id.to_string(),
            agent_type: agent_type(run).to_owned(),
            reviews: run.reviews.map(|reviews| reviews.run.to_string()),
            run_sequence: run.attempt,
            status: run.status.as_str().to_owned(),
            exit_code: execution.and_then(|execution| match execution.outcome {
                goal::ExecutionOutcome::Exited { code } => Some(code),
                _ => None,
            }),
            error_message: run.error.as_ref().map(|error| error.message.clone()),
            tokens_used: spent.tokens,
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day fit a double")]
            time_seconds: execution.map(|execution| execution.duration_ms as f64 / 1000.0),
            cost_usd: usd(spent.micro_usd),
            turns: run.conversation.as_ref().map_or(0, |talk| talk.turns),
            model: run.conversation.as_ref().and_then(|talk| talk.model.clone()),
            artifacts: Vec::new(),
            execution_log: execution.map(|execution| execution.output_tail.clone()),
            epoch: run.epoch,
            continued: run
                .continued
                .iter()
                .map(|c| Continuation {
                    epoch: c.epoch,
                    at: c.at_ms,
                    ran_again: c.ran_again,
                    why: c.why.clone(),
                })
                .collect(),
            unconfined: execution.and_then(|execution| execution.unconfined.clone()),
            gates: state.standing_gates(run.id).into_iter().map(GateResult::from).collect(),
        }
    }
}

fn agent_type(run: &goal::Run) -> &'static str {
    match (&run.conversation, run.item_id) {
        (None, _) => "command",
        (Some(_), Some(_)) => "agent",
        (Some(_), None) if run.reviews.is_some() => "reviewer",
        (Some(_), None) => "planner",
    }
}

/// Millionths of a US dollar as dollars.
#[expect(clippy::cast_precision_loss, reason = "sums of money here are far below 2^52 millionths")]
pub fn usd(micro: u64) -> f64 {
    micro as f64 / 1_000_000.0
}

/// What a gate found, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateResult {
    /// The run.
    pub run_id: String,
    /// The item.
    pub work_item_id: String,
    /// Place in the run's journal.
    pub step: u32,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether the item fails without it.
    pub required: bool,
    /// Whether it passed.
    pub passed: bool,
    /// One line on what was found.
    pub found: String,
    /// Whether it was run once more before delivery.
    pub recheck: bool,
    /// The program that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Digest of its output, or of the file that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<String>,
    /// The end of its output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output_tail: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Digest of the workspace that the verdict is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_digest: Option<String>,
    /// Files that decide what it finds and that the goal changed since its start; at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
}

impl From<&goal::GateResult> for GateResult {
    fn from(result: &goal::GateResult) -> Self {
        Self {
            run_id: result.run_id.to_string(),
            work_item_id: result.item_id.to_string(),
            step: result.step,
            name: result.name.clone(),
            kind: result.kind.clone(),
            required: result.required,
            passed: result.passed,
            found: result.found.clone(),
            recheck: result.recheck,
            argv: result.evidence.argv.clone(),
            exit_code: result.evidence.exit_code,
            output_digest: result.evidence.output_digest.clone(),
            output_tail: result.evidence.output_tail.clone(),
            duration_ms: result.evidence.duration_ms,
            workspace_digest: result.evidence.workspace_digest.clone(),
            edited: result.evidence.edited.paths.clone(),
        }
    }
}

/// A file that a goal delivered, or had made when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Its id.
    pub id: String,
    /// When it was recorded.
    pub created_at: u64,
    /// The goal.
    pub goal_id: String,
    /// Always `file`.
    pub storage_type: String,
    /// Its path, relative to the workspace.
    pub file_path: String,
    /// Its digest (blake3).
    pub content_hash: String,
    /// Its size.
    pub size_bytes: u64,
    /// Whether the goal changed a file that was there before.
    #[serde(default)]
    pub changed: bool,
    /// Whether it was not delivered: the goal failed, and this is what it had made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether the file was there before and is gone; size and digest are those that it had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

impl From<&goal::Artifact> for Artifact {
    fn from(artifact: &goal::Artifact) -> Self {
        Self {
            id: artifact.id.to_string(),
            created_at: artifact.created_at_ms,
            goal_id: artifact.goal_id.to_string(),
            storage_type: "file".to_owned(),
            file_path: artifact.path.clone(),
            content_hash: artifact.content_hash.clone(),
            size_bytes: artifact.size_bytes,
            changed: artifact.changed,
            partial: artifact.partial,
            removed: artifact.removed,
        }
    }
}
