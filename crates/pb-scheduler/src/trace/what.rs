//! Everything that is told: names and keys of `wire.md` §3.3; ours beyond those follow their pattern, and, about
//! models and tools, OpenTelemetry's conventions for generative AI.
//!
//! A line is: variant, name, source, span, whether the ids stand in the data too, and its keys. docs/TRACE.md is
//! made of it.

use pb_model::goal::Cap;
use pb_model::{Epoch, EscalationId, GoalId, RunId, Tier};

use super::content::{Json, Name, Text};
use super::data::{Data, Plain, Shown};
use super::kind::{Kind, Level, has_ids, kinds};
use super::messages::{Messages, Reply};

/// A number of milliseconds, or a moment.
type Ms = u64;

kinds! {
    // The daemon.

    /// The scheduler starts.
    Startup "system.startup" "scheduler" Daemon {
        "config" config: Plain,
    }
    /// The scheduler ends.
    Shutdown "system.shutdown" "scheduler" Daemon {
        "reason" reason: String,
        "durationMs" duration_ms: Ms,
    }
    /// What the store took since the last such event, at most one a second: durations in microseconds.
    StoreCommits "store.commits" "store" Daemon {
        "count" count: u32,
        "writes" writes: u64,
        "batchP50" batch_p50: u32,
        "batchMax" batch_max: u32,
        "durationUsP50" duration_p50_us: u32,
        "durationUsMax" duration_max_us: u32,
    }
    /// So many events came faster than they could be written, or could not be.
    Dropped "trace.dropped" "scheduler" Daemon {
        "count" count: u64,
    }

    // A goal.

    /// A goal came.
    GoalSubmitted "scheduler.goal.submitted" "scheduler" Goal ids {
        "title" title: Text,
        "priority" priority: u8,
        "by" by: String,
        "sessionId" session: Option<String>,
        "scheduleId" schedule: Option<String>,
    }
    /// What it means was made out.
    GoalElaborated "scheduler.goal.elaborated" "scheduler" Goal ids {
        "assumptions" assumptions: usize,
        "criteria" criteria: usize,
    }
    /// Its plan stands.
    GoalPlanned "scheduler.goal.planned" "scheduler" Goal ids {
        "items" items: u32,
    }
    /// Another plan is to be made.
    GoalReplanning "scheduler.goal.replanning" "scheduler" Goal ids {
        "why" why: Text,
        "by" by: String,
    }
    /// Its folder is its own.
    GoalStarted "scheduler.goal.started" "scheduler" Goal ids {
        "workspace" workspace: String,
    }
    /// Another incarnation goes on with it.
    GoalTakenOver "scheduler.goal.taken_over" "scheduler" Goal ids {
        "epoch" epoch: Epoch,
        "aliveUntil" alive_until: Ms,
    }
    /// The clock jumped while it ran.
    ClockJumped "scheduler.clock.jumped" "scheduler" Goal ids {
        "byMs" by_ms: i64,
    }
    /// It cannot go on without a person.
    GoalBlocked "scheduler.goal.blocked" "scheduler" Goal ids {
        "escalations" escalations: usize,
        "summary" summary: Text,
    }
    /// A person paused it.
    GoalPaused "scheduler.goal.paused" "scheduler" Goal ids {
        "by" by: String,
    }
    /// It goes on.
    GoalResumed "scheduler.goal.resumed" "scheduler" Goal ids {
        "by" by: String,
    }
    /// A person changed its priority.
    GoalPrioritized "scheduler.goal.prioritized" "scheduler" Goal ids {
        "priority" priority: u8,
        "by" by: String,
    }
    /// It is to be cancelled once its steps have ended.
    GoalCancelling "scheduler.goal.cancelling" "scheduler" Goal ids {
        "by" by: String,
        "reason" reason: Option<Text>,
    }
    /// It was delivered.
    GoalCompleted "scheduler.goal.completed" "scheduler" Goal ids {
        "verdict" verdict: &'static str,
        "summary" summary: Text,
        "artifacts" artifacts: usize,
        "durationMs" duration_ms: Ms,
    }
    /// It could not be delivered.
    GoalFailed "scheduler.goal.failed" "scheduler" Goal ids {
        "reason" reason: &'static str,
        "error.type" code: String,
        "class" class: &'static str,
        "error" error: Text,
        "durationMs" duration_ms: Ms,
    }
    /// It was cancelled.
    GoalCancelled "scheduler.goal.cancelled" "scheduler" Goal ids {
        "by" by: String,
        "reason" reason: Option<Text>,
        "durationMs" duration_ms: Ms,
    }
    /// Its history was dropped.
    GoalCompacted "scheduler.goal.compacted" "scheduler" Goal ids {
        "events" events: u64,
    }
    /// A phase begins.
    PhaseStarted "phase.started" "scheduler" Phase {
        "phase" phase: &'static str,
    }
    /// A phase ends; `atLeast` when it began in an earlier process.
    PhaseEnded "phase.ended" "scheduler" Phase {
        "phase" phase: &'static str,
        "durationMs" duration_ms: Ms,
        "atLeast" at_least: Option<bool>,
    }
    /// It waits for a folder that another goal writes in.
    LockWaitStarted "lock.wait.started" "scheduler" Goal {
        "workspace" workspace: String,
        "behind" behind: GoalId,
    }
    /// It waits no more, for the folder is free or it has ended; `atLeast` when that began in an earlier process.
    LockWaitEnded "lock.wait.ended" "scheduler" Goal {
        "durationMs" duration_ms: Ms,
        "atLeast" at_least: Option<bool>,
    }
    /// Something stands elsewhere than before.
    Transition "state.transition" "state-machine" Within {
        "entityType" entity: &'static str,
        "entityId" id: String,
        "from" from: &'static str,
        "to" to: &'static str,
    }

    // Its items.

    /// It was planned.
    ItemCreated "scheduler.workitem.created" "scheduler" Goal ids {
        "title" title: Text,
        "needs" needs: usize,
    }
    /// A run adds items to its goal.
    ItemsAdded "scheduler.workitem.added" "scheduler" Run ids {
        "items" items: usize,
    }
    /// Work on it begins.
    ItemStarting "scheduler.workitem.starting" "scheduler" Run ids {
        "title" title: Text,
    }
    /// Its lane has a place for it; `model` is the one that was asked for.
    ItemAssigned "scheduler.workitem.assigned" "scheduler" Run ids {
        "model" model: String,
        "laneId" lane: &'static str,
    }
    /// It had waited for a place in its lane.
    LaneWaited "lane.waited" "scheduler" Run {
        "laneId" lane: &'static str,
        "durationMs" duration_ms: Ms,
    }
    /// It is done.
    ItemSucceeded "scheduler.workitem.success" "scheduler" Run ids {
        "verdict" verdict: &'static str,
    }
    /// It is tried again, not before that moment.
    ItemRetrying "scheduler.workitem.retrying" "scheduler" Goal ids {
        "retryCount" retry_count: u32,
        "delayMs" delay_ms: Ms,
        "notBefore" not_before: Ms,
        "error.type" code: String,
        "error" error: Text,
    }
    /// It failed for good.
    ItemFailed "scheduler.workitem.failed" "scheduler" Goal ids {
        "error.type" code: String,
        "class" class: &'static str,
        "error" error: Text,
    }
    /// It waits for a person.
    ItemBlocked "scheduler.workitem.blocked" "scheduler" Goal ids {
        "escalationId" escalation: EscalationId,
        "error.type" code: String,
        "error" error: Text,
    }
    /// A person has it tried again; `allows` a call that may be made twice.
    ItemReopened "scheduler.workitem.reopened" "scheduler" Goal ids {
        "allows" allows: bool,
    }
    /// A person goes on without it.
    ItemSkipped "scheduler.workitem.skipped" "scheduler" Goal ids {
        "by" by: String,
    }
    /// Another plan takes its place.
    ItemSuperseded "scheduler.workitem.superseded" "scheduler" Goal ids {
    }

    // Their attempts.

    /// An attempt begins: at an item, at a plan, or at the review of another run.
    RunStarted "scheduler.run.started" "scheduler" Run ids {
        "attempt" attempt: u32,
        "purpose" purpose: &'static str,
        "reviews" reviews: Option<RunId>,
    }
    /// A later incarnation goes on with it.
    RunContinued "scheduler.run.continued" "scheduler" Run ids {
        "ranAgain" ran_again: bool,
        "why" why: Text,
    }
    /// It ended.
    RunCompleted "scheduler.run.completed" "scheduler" Run ids {
        "status" status: &'static str,
        "error.type" code: Option<String>,
        "error" error: Option<Text>,
        "durationMs" duration_ms: Ms,
    }
    /// Older parts of its conversation are told in short from now on.
    ConversationCondensed "scheduler.conversation.condensed" "scheduler" Run ids {
        "turns" turns: u32,
        "results" results: u32,
        "bytes" bytes: u64,
    }
    /// Its conversation goes nowhere: what was seen, and what is done about it.
    GuardTripped "guard.tripped" "scheduler" Run {
        "guard" guard: &'static str,
        "rung" rung: &'static str,
        "toolName" tool: Option<Name>,
    }
    /// Its gates begin; `probe` when they find out whether lost work was done.
    VerificationStarted "scheduler.verification.started" "scheduler" Run ids {
        "probe" probe: bool,
    }
    /// Its gates ended.
    VerificationCompleted "scheduler.verification.completed" "scheduler" Run ids {
        "passed" passed: bool,
        "verdict" verdict: &'static str,
        "summary" summary: Text,
        "recheck" recheck: bool,
    }
    /// What is done about an attempt that was not enough, and why.
    EvaluationDecided "scheduler.evaluation.decided" "scheduler" Run ids {
        "decision" decision: &'static str,
        "reason" reason: Text,
    }
    /// A gate begins.
    GateStarted "gate.started" "gates" Step {
        "gate" gate: usize,
        "kind" kind: &'static str,
        "name" name: Text,
        "required" required: bool,
        "recheck" recheck: bool,
    }
    /// A gate ended, with its evidence; `edited` files that decide it were changed by the goal.
    GateEnded "gate.ended" "gates" Step {
        "gate" gate: u32,
        "kind" kind: String,
        "name" name: Text,
        "required" required: bool,
        "recheck" recheck: bool,
        "passed" passed: bool,
        "found" found: Text,
        "exitCode" exit_code: Option<i32>,
        "output" output: Option<Text>,
        "outputDigest" output_digest: Option<String>,
        "workspaceDigest" workspace_digest: Option<String>,
        "edited" edited: Option<usize>,
        "durationMs" duration_ms: Ms,
    }
    /// A person lets gates count though the goal changed what decides them.
    GatesApproved "gate.approved" "gates" Run {
        "by" by: String,
        "edited" edited: usize,
    }

    // What people are asked.

    /// A person is asked.
    EscalationCreated "escalation.created" "scheduler" Within {
        "escalationId" id: EscalationId,
        "escalationType" kind: &'static str,
        "title" title: Text,
        "cause" cause: Text,
        "expiresAt" expires_at: Option<Ms>,
    }
    /// A person answered, or nobody did in time.
    EscalationResolved "escalation.resolved" "scheduler" Within {
        "escalationId" id: EscalationId,
        "answer" answer: &'static str,
        "by" by: String,
        "text" text: Option<Text>,
        "expired" expired: bool,
        "durationMs" duration_ms: Ms,
    }
    /// Something about a call that needs a yes.
    ApprovalChanged "approval.changed" "policy" Within {
        "escalationId" id: EscalationId,
        "change" change: &'static str,
        "by" by: Option<String>,
    }

    // What it may cost.

    /// What a call of a model may cost at most is put aside.
    BudgetReserved "budget.reserved" "budget" Step {
        "model" model: Name,
        "otherModel" other_model: Option<Name>,
        "tokens" tokens: u64,
        "microUsd" micro_usd: u64,
        "gen_ai.request.max_tokens" output_tokens_max: u32,
        "unpriced" unpriced: bool,
    }
    /// What it did cost; `assumed` when nobody told, so that all of it is charged.
    BudgetSettled "budget.settled" "budget" Step {
        "model" model: Name,
        "tokens" tokens: u64,
        "microUsd" micro_usd: u64,
        "assumed" assumed: bool,
        "overrun" overrun: bool,
        "unpriced" unpriced: bool,
        "durationMs" duration_ms: Option<Ms>,
    }
    /// So much of a cap is used.
    BudgetWarned "budget.warning" "budget" Goal {
        "cap" cap: Cap,
        "percent" percent: u8,
    }
    /// A cap is reached.
    BudgetExceeded "budget.exceeded" "budget" Goal {
        "cap" cap: Cap,
    }

    // Models.

    /// A step asks for an answer: of the first model, or of another one.
    TierRequest "llm.tier.request" "llm-service" Step {
        "tier" tier: Tier,
        "primaryModel" primary: Option<Name>,
        "fallbackModel" fallback: Option<Name>,
        "messageCount" messages: usize,
    }
    /// A model is asked.
    ModelAttempt "llm.model.attempt" "llm-service" Call {
        "tier" tier: Tier,
        "model" model: Name,
    }
    /// It answered.
    ModelSucceeded "llm.model.success" "llm-service" Call {
        "tier" tier: Tier,
        "model" model: Name,
        "responseLength" response_bytes: usize,
        "tokensUsed" tokens: Option<u64>,
    }
    /// It did not.
    ModelFailed "llm.model.failed" "llm-service" Call {
        "tier" tier: Tier,
        "model" model: Name,
        "error" error: Text,
        "recoverable" recoverable: bool,
    }
    /// Another model is asked than before: because that one failed, or because of a guard or an evaluation.
    ModelSwitched "llm.model.switched" "llm-service" Within {
        "from" from: Option<Name>,
        "to" to: Option<Name>,
        "tier" tier: Option<Tier>,
        "why" why: &'static str,
    }
    /// A failed call is made again, not before that moment.
    ModelRetried "llm.retry" "llm-service" Step {
        "model" model: Name,
        "failures" failures: u32,
        "delayMs" delay_ms: Ms,
        "notBefore" not_before: Ms,
        "error" error: Text,
    }
    /// The request; of its messages those that are new since the last answer.
    Request "llm.request" "llm-provider" Call {
        "requestId" id: String,
        "model" model: Name,
        "messageCount" messages: usize,
        "options" options: Plain,
        "gen_ai.operation.name" operation: &'static str,
        "gen_ai.provider.name" provider: Name,
        "gen_ai.request.model" request_model: Name,
        "gen_ai.request.max_tokens" output_tokens_max: u32,
        "gen_ai.input.messages" new: Messages,
    }
    /// The answer.
    Response "llm.response" "llm-provider" Call {
        "requestId" id: String,
        "model" model: Name,
        "durationMs" duration_ms: Ms,
        "timeToFirstTokenMs" first_token_ms: Option<Ms>,
        "response" response: Reply,
        "gen_ai.operation.name" operation: &'static str,
        "gen_ai.provider.name" provider: Name,
        "gen_ai.response.model" response_model: Name,
        "gen_ai.response.finish_reasons" finish_reasons: Vec<&'static str>,
        "gen_ai.usage.input_tokens" input_tokens: Option<u64>,
        "gen_ai.usage.output_tokens" output_tokens: Option<u64>,
    }
    /// There is no answer.
    RequestFailed "llm.error" "llm-provider" Call {
        "requestId" id: String,
        "model" model: Name,
        "durationMs" duration_ms: Ms,
        "timeToFirstTokenMs" first_token_ms: Option<Ms>,
        "error" error: Text,
        "gen_ai.operation.name" operation: &'static str,
        "gen_ai.provider.name" provider: Name,
        "gen_ai.request.model" request_model: Name,
        "error.type" kind: &'static str,
    }
    /// What an answer used.
    Tokens "llm.tokens" "llm-provider" Call {
        "requestId" id: String,
        "model" model: Name,
        "inputTokens" input: u64,
        "outputTokens" output: u64,
        "totalTokens" total: u64,
        "gen_ai.usage.input_tokens" input_tokens: u64,
        "gen_ai.usage.output_tokens" output_tokens: u64,
    }

    // Tools.

    /// A tool, or the command of an item, is called.
    ToolInvoked "tool.invoke" "tool-registry" Step {
        "invocationId" id: String,
        "toolName" tool: Name,
        "args" args: Json,
        "gen_ai.operation.name" operation: &'static str,
        "gen_ai.tool.name" name: Name,
        "gen_ai.tool.call.id" call_id: Option<Name>,
    }
    /// What is said to the call of a tool before it is made: `approved`, `denied`, `asked` or `withheld`.
    PolicyDecided "policy.decided" "policy" Step {
        "toolName" tool: Name,
        "decision" decision: &'static str,
        "why" why: Text,
    }
    /// What the call came to.
    ToolSucceeded "tool.result" "tool-registry" Step {
        "invocationId" id: String,
        "toolName" tool: Name,
        "result" result: Text,
        "durationMs" duration_ms: Ms,
        "gen_ai.operation.name" operation: &'static str,
        "gen_ai.tool.name" name: Name,
    }
    /// What went wrong with it.
    ToolFailed "tool.error" "tool-registry" Step {
        "invocationId" id: String,
        "toolName" tool: Name,
        "error" error: Text,
        "durationMs" duration_ms: Ms,
        "gen_ai.operation.name" operation: &'static str,
        "gen_ai.tool.name" name: Name,
        "error.type" end: &'static str,
    }

    // Conversations.

    /// A conversation begins.
    SessionStarted "session.started" "session-manager" Session ids {
        "by" by: String,
    }
    /// A person said something.
    MessageReceived "conversation.message.received" "session-manager" Session ids {
        "messageLength" length: usize,
        "hasAttachments" has_attachments: bool,
    }
    /// A model is asked for an answer.
    ProcessStarted "session.process.start" "session-manager" Session ids {
        "messagePreview" preview: Text,
        "hasAttachments" has_attachments: bool,
    }
    /// There is an answer.
    ProcessCompleted "session.process.complete" "session-manager" Session ids {
        "responseLength" length: usize,
        "finalState" state: &'static str,
        "hasTask" has_task: bool,
        "response" response: Text,
    }
    /// It is told.
    MessageCompleted "conversation.message.completed" "session-manager" Session ids {
        "responseLength" length: usize,
        "state" state: &'static str,
        "hasTask" has_task: bool,
        "durationMs" duration_ms: Option<Ms>,
    }
    /// A call of a model failed, or there is no answer.
    MessageFailed "conversation.message.error" "session-manager" Session ids {
        "error" error: Text,
        "delayMs" delay_ms: Option<Ms>,
    }
    /// The conversation is told what becomes of a goal that was made in it.
    ProgressUpdated "session.progress.update" "session-manager" Session ids {
        "goalId" goal: GoalId,
        "status" status: Option<&'static str>,
        "text" text: Text,
    }
    /// It is over.
    SessionEnded "session.ended" "session-manager" Session ids {
        "by" by: String,
        "durationMs" duration_ms: Ms,
    }

    // Schedules.

    /// A schedule was made.
    ScheduleCreated "schedule.created" "scheduler" Schedule ids {
        "title" title: Text,
        "by" by: String,
    }
    /// A slot was claimed, and its goal submitted.
    ScheduleClaimed "schedule.claimed" "scheduler" Schedule ids {
        "goalId" goal: GoalId,
        "slot" slot_ms: Ms,
        "lateMs" late_ms: Ms,
        "nextSlot" next_slot_ms: Option<Ms>,
    }
    /// A person had it run at once.
    ScheduleRan "schedule.ran" "scheduler" Schedule ids {
        "goalId" goal: GoalId,
        "by" by: String,
    }
    /// Slots were not run.
    ScheduleSkipped "schedule.skipped" "scheduler" Schedule ids {
        "count" count: u64,
        "firstSlot" first_ms: Ms,
        "lastSlot" last_ms: Ms,
        "why" why: &'static str,
    }
    /// Its goal ended; `error` when it was not delivered.
    ScheduleGoalEnded "schedule.goal_ended" "scheduler" Schedule ids {
        "goalId" goal: GoalId,
        "outcome" outcome: &'static str,
        "error" error: Option<Text>,
    }
    /// It is broken; a person has to look.
    ScheduleBroke "schedule.broke" "scheduler" Schedule ids {
        "goalId" goal: Option<GoalId>,
        "reason" reason: Text,
    }
    /// A person paused it, has it go on, or removed it.
    ScheduleChanged "schedule.changed" "scheduler" Schedule ids {
        "change" change: &'static str,
        "by" by: String,
    }
}
