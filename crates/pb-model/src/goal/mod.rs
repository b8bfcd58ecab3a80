//! The lifecycle of a goal: values, and two pure functions over them.
//!
//! ```text
//!            submit            workspace free           all items done          gates hold
//! (nothing) -------> queued ------------------> active ----------------> active ----------> completed
//!                      |  \                       | |   (phase publish)
//!               cancel |   \ refused              | +--- an item failed, nothing goes on --> failed
//!                      v    v                     | +--- nothing can go on without a human -> blocked
//!                 cancelled failed                +----- cancel, when all runs ended ------> cancelled
//!
//! blocked --- every question answered ---> queued         failed --- retry ---> queued
//!
//! an item:  queued -> ready -> in_progress -> verify -> done
//!              ^        ^           |            |
//!              |        |           |            +--> failed | blocked (escalated) --- skip ---> skipped
//!              |        |           |                    |
//!              |        +-----------|--- retry, answer --+
//!              +---- retry later ---+
//! ```
//!
//! A person may pause a goal while it is queued or active: what is under way ends, nothing new starts, and
//! it stays where it is until it is resumed.
//!
//! A goal without a plan has one made by a model first: a run without an item, while it is queued. How a
//! run talks with a model is drawn in `conversation.rs`.
//!
//! [`decide`] answers a [`Command`] with [`Event`]s or a [`Rejection`]; [`evolve`] folds an event;
//! [`wants`] says what the daemon should have in flight for a state. After a crash the same three
//! functions go on from the stored state.

mod adding;
mod allowance;
mod asking;
mod branches;
mod cap;
mod command;
mod conversation;
mod day;
mod decide;
mod escalation;
mod evaluation;
mod event;
mod evolve;
mod failure;
mod guard;
mod kept;
mod plan_spec;
mod spending;
mod state;
pub mod states;
mod wants;

pub use adding::{
    ADD_ITEMS, ADDED_DEPTH_MAX, ADDED_ITEMS_DEFAULT, ADDED_ITEMS_MAX, Addition, RUN_COMMAND, inherited,
};
pub use asking::{
    ANSWER_BYTES_MAX, ANSWER_WITHIN_S_DEFAULT, ANSWER_WITHIN_S_MAX, ASK_PERSON, ASSUMPTIONS_MAX, Asks,
    CHOICES_MAX, Clarification, QUESTION_BYTES_MAX, QUESTIONS_DEFAULT, QUESTIONS_MAX,
    REQUEST_DETAILS_BYTES_MAX, REQUEST_TYPE_BYTES_MAX, REQUESTS_MAX,
};
pub use cap::{Cap, Caps};
pub use command::{ApprovalRequest, Command, Moment, Next, Planned, Rejection};
pub use conversation::{
    AfterFailure, CALLS_MAX, Call, CallEnd, CallResult, Condensed, Condensing, Conversation, Doing, FINISH,
    Hindrance, IDLE_TURNS_MAX, MODEL_FAILURES_MAX, PLANNING_TURNS_MAX, PLANS_REFUSED_MAX, Reviewed,
    SUBMIT_PLAN, SUBMIT_REVIEW, Thought, ThoughtOutcome, Used, batch,
};
pub use day::{DayBudget, LocalDay};
pub use decide::decide;
pub use escalation::{
    Answer, AttemptSummary, Escalation, EscalationOption, EscalationType, Expiry, Packet, Raised, Reply,
    Resolution, UnknownAnswer,
};
pub use evaluation::{Evaluation, GATE_FAILURES_BEFORE_SWITCH, REPLANS_MAX};
pub use event::{Event, Touched};
pub use evolve::evolve;
pub use failure::{ErrorClass, Failure};
pub use guard::{
    CYCLE_CALLS_MAX, Guard, REPEATS_MAX, Rung, STALE_TURNS_MAX, Seen, TURNS_WARN_PERCENT, Telling, Watch,
};
pub use kept::Kept;
pub use spending::{Amount, Charge, CostLine, MicroUsd, Reservation, Spending, Usd, WARN_PERCENT, micro_usd};
pub use state::{
    Artifact, CancelRequest, Continuation, EDITED_MAX, Edited, Evidence, Execution, ExecutionOutcome,
    GateResult, Goal, GoalState, GoalStatus, Item, ItemStatus, Phase, Reason, Replan, Reviews, Run, RunStage,
    RunStatus,
};
pub use wants::{Want, next_wake, wants};
