//! What may be asked of a goal, by a person or by the daemon itself.

use std::collections::BTreeMap;

use super::state::{Artifact, Execution, Failure, GateResult};
use crate::freshness::QuietRound;
use crate::spec::{GoalSpec, Invalid};
use crate::{Epoch, EscalationId, GoalId, ItemId, Millis, RunId};

/// The moment of a decision: time and randomness, as arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now_ms: Millis,
    /// A fresh id, in case a human has to be asked.
    pub escalation: EscalationId,
    /// A fresh random number, for delays.
    pub seed: u64,
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
    /// The goal's folder is taken by another goal.
    WaitFor { workspace: String, behind: GoalId },
    /// The goal's folder is ours.
    Start { workspace: String, baseline: BTreeMap<String, Option<String>> },
    /// Begin an attempt at a ready item.
    StartRun { item: ItemId, run: RunId, epoch: Epoch },
    /// A new incarnation takes over what an earlier one was doing.
    TakeOver { epoch: Epoch, alive_until_ms: Millis },
    /// The run's command ended.
    FinishExecution { run: RunId, epoch: Epoch, execution: Box<Execution> },
    /// The run's gates ended.
    FinishVerification { run: RunId, epoch: Epoch, results: Vec<GateResult>, round: Option<QuietRound> },
    /// All items are done: deliver.
    BeginPublish,
    /// The last look: gates that were run once more, and the files that are delivered.
    FinishPublish { rechecked: Vec<GateResult>, round: Option<QuietRound>, artifacts: Vec<Artifact> },
    /// A person stops the goal.
    Cancel { by: String, reason: Option<String> },
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
    /// The run is not held by this incarnation, or has ended: write nothing, stop what it started.
    #[error("the run is not held by this incarnation any more")]
    Fenced,
    /// The command does not fit the goal's state; a late duplicate, or a bug.
    #[error("not now: {0}")]
    NotNow(&'static str),
}
