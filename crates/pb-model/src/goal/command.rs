//! What may be asked of a goal, by a person or by the daemon itself.

use std::collections::BTreeMap;

use super::conversation::{CallResult, Condensing, Hindrance, Thought};
use super::day::DayBudget;
use super::escalation::Reply;
use super::failure::Failure;
use super::kept::Kept;
use super::spending::Amount;
use super::state::{Artifact, Execution, GateResult};
use crate::freshness::QuietRound;
use crate::schedule::OfSchedule;
use crate::spec::{GoalSpec, Invalid, ItemSpec};
use crate::{Epoch, EscalationId, GoalId, ItemId, Millis, RunId, SessionId};

/// The moment of a decision: time and randomness, as arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now_ms: Millis,
    /// A fresh id, in case a human has to be asked.
    pub escalation: EscalationId,
    /// A fresh id, in case a run begins by itself.
    pub run: RunId,
    /// A fresh random number, for delays.
    pub seed: u64,
    /// What all goals have spent today, and may spend.
    pub day: DayBudget,
}

/// A command.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the id or value that it says")]
pub enum Command {
    /// A person asks for a goal.
    Submit { id: GoalId, spec: Box<GoalSpec>, by: String },
    /// Intake looked at the machine and says no.
    Refuse { error: Failure },
    /// Make the plan that the goal brought; one id an item.
    Plan { items: Vec<ItemId> },
    /// Begin to have a plan made by a model.
    StartPlanning { run: RunId, epoch: Epoch },
    /// The goal's folder is taken by another goal.
    WaitFor { workspace: String, behind: GoalId },
    /// The goal's folder is ours; how its files are kept, at the first start.
    Start { workspace: String, baseline: BTreeMap<String, Option<String>>, kept: Option<Kept> },
    /// Begin an attempt at a ready item.
    StartRun { item: ItemId, run: RunId, epoch: Epoch },
    /// A new incarnation takes over what an earlier one was doing.
    TakeOver { epoch: Epoch, alive_until_ms: Millis },
    /// The run's command ended.
    FinishExecution { run: RunId, epoch: Epoch, execution: Box<Execution> },
    /// The next request of the run's conversation was put together; it may cost so much.
    Reserve { run: RunId, epoch: Epoch, next: Result<Next, Hindrance> },
    /// The call of the model ended.
    FinishThinking { run: RunId, epoch: Epoch, n: u32, thought: Box<Thought> },
    /// Calls of tools ended, in order; `next` as in `Reserve`, when it could be put together at once.
    FinishActing {
        run: RunId,
        epoch: Epoch,
        results: Vec<CallResult>,
        /// Digest of the workspace after them, where nothing else is new.
        workspace: Option<String>,
        plan: Option<Planned>,
        next: Option<Next>,
    },
    /// The run's gates ended.
    FinishVerification { run: RunId, epoch: Epoch, results: Vec<GateResult>, round: Option<QuietRound> },
    /// All items are done: deliver.
    BeginPublish,
    /// The last look: gates that were run once more, and the files that are delivered.
    FinishPublish {
        rechecked: Vec<GateResult>,
        round: Option<QuietRound>,
        artifacts: Vec<Artifact>,
        /// How many more files there are than `artifacts` has.
        unlisted: u64,
    },
    /// The clock jumped by so much while the goal ran: the machine slept, or somebody set it.
    ClockJumped { by_ms: i64 },
    /// Time has passed: a mark of a time budget is reached, or the deadline.
    Tick,
    /// The goal's history has grown to so much.
    Outgrow { events: u64, bytes: u64 },
    /// A person stops the goal.
    Cancel { by: String, reason: Option<String> },
    /// A person has it stand still: what is under way ends, nothing new starts.
    Pause { by: String },
    /// A person has it go on: it was paused, or is blocked and `reply` answers what is asked.
    Resume { by: String, reply: Option<Reply> },
    /// A person answers one question.
    Answer { escalation: EscalationId, reply: Reply, by: String },
    /// A person has a goal that failed tried again.
    Retry { by: String },
    /// A client asks for a person's yes to something that it does itself.
    RequestApproval { request: Box<ApprovalRequest>, by: String },
    /// A person changes its priority.
    Prioritize { priority: u8, by: String },
    /// A schedule asks for a goal.
    SubmitScheduled { id: GoalId, spec: Box<GoalSpec>, by: String, of: OfSchedule },
    /// A person asks for a goal in a conversation.
    SubmitFromSession { id: GoalId, spec: Box<GoalSpec>, by: String, session: SessionId },
}

/// A request that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The model that is asked first.
    pub model: String,
    /// One that could be asked instead.
    pub other_model: Option<String>,
    /// What the call may cost at most.
    pub amount: Amount,
    /// Most tokens of the answer.
    pub output_tokens: u32,
    /// Digest of the request, for the journal (blake3, hex).
    pub request_hash: String,
    /// Whether nobody has said what one of those who may answer costs.
    pub unpriced: bool,
    /// What is left out of it from now on, if it would not fit.
    pub condensing: Option<Condensing>,
}

/// Something that a client does itself, once a person has said yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// What kind of thing, in the client's words; at most [`REQUEST_TYPE_BYTES_MAX`](super::REQUEST_TYPE_BYTES_MAX).
    pub request_type: String,
    /// What it is, for the person; at most [`QUESTION_BYTES_MAX`](super::QUESTION_BYTES_MAX).
    pub description: String,
    /// The item that it is about.
    pub item: Option<ItemId>,
    /// The run that it is about.
    pub run: Option<RunId>,
    /// What else the person should see, as JSON; empty if nothing. At most [`REQUEST_DETAILS_BYTES_MAX`](super::REQUEST_DETAILS_BYTES_MAX).
    pub details: String,
}

/// A plan that a model made; one id an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its items.
    pub items: Vec<ItemSpec>,
    /// Fresh ids.
    pub ids: Vec<ItemId>,
    /// What it takes for granted.
    pub assumptions: Vec<String>,
    /// How it will be known that the goal is reached, where the person did not say.
    pub criteria: Vec<String>,
}

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The specification does not hold.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is no such goal.
    #[error("goal not found")]
    UnknownGoal,
    /// There is one already.
    #[error("the goal exists already")]
    Exists,
    /// It was cancelled before.
    #[error("Goal already cancelled")]
    AlreadyCancelled,
    /// It ended otherwise.
    #[error("Cannot cancel a {0} goal")]
    AlreadyEnded(&'static str),
    /// It stands where this cannot be done.
    #[error("a goal that is {1} cannot be {0}")]
    Cannot(&'static str, &'static str),
    /// There is no such question.
    #[error("escalation not found")]
    UnknownEscalation,
    /// Somebody was first.
    #[error("answered already: {answer}, by {by}")]
    AlreadyAnswered {
        /// What was answered.
        answer: &'static str,
        /// Who answered.
        by: String,
    },
    /// It waits for an answer, or for another one.
    #[error("{problem}; answer with one of: {offered}")]
    NeedsAnswer {
        /// What is wrong, in words.
        problem: String,
        /// What is offered.
        offered: String,
    },
    /// It cannot be answered, or asked, so.
    #[error("{0}")]
    BadAnswer(String),
    /// The run is not held by this incarnation, or has ended: write nothing, stop what it started.
    #[error("the run is not held by this incarnation any more")]
    Fenced,
    /// The command does not fit the goal's state; a late duplicate, or a bug.
    #[error("not now: {0}")]
    NotNow(&'static str),
}
