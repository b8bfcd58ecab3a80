//! The lifecycle of a goal: values, and two pure functions over them.
//!
//! ```text
//!            submit            workspace free           all items done          gates hold
//! (nothing) -------> queued ------------------> active ----------------> active ----------> completed
//!                      |  \                       | |   (phase publish)
//!               cancel |   \ refused              | +--- an item failed, the rest ended ---> failed
//!                      v    v                     | +--- nothing can go on without a human -> blocked
//!                 cancelled failed                +----- cancel, when all runs ended ------> cancelled
//!
//! an item:  queued -> ready -> in_progress -> verify -> done
//!              ^                    |            |
//!              +---- retry later ---+------------+--> failed | blocked (escalated)
//! ```
//!
//! [`decide`] answers a [`Command`] with [`Event`]s or a [`Rejection`]; [`evolve`] folds an event;
//! [`wants`] says what the daemon should have in flight for a state. After a crash the same three
//! functions go on from the stored state.

mod command;
mod decide;
mod event;
mod evolve;
mod state;
mod wants;

pub use command::{Command, Moment, Rejection};
pub use decide::decide;
pub use event::{Event, Touched};
pub use evolve::evolve;
pub use state::{
    Artifact, AttemptSummary, CancelRequest, Continuation, Escalation, EscalationOption, EscalationType,
    Evidence, Execution, ExecutionOutcome, Failure, GateResult, Goal, GoalState, GoalStatus, Item,
    ItemStatus, Packet, Phase, Reason, Run, RunStage, RunStatus,
};
pub use wants::{Want, next_wake, wants};
