//! What happens in a session.

use serde::{Deserialize, Serialize};

use super::{Session, SessionGoal, Turn};
use crate::goal::{Charge, GoalStatus, Reservation, Used};
use crate::spec::GoalSpec;
use crate::{Epoch, GoalId, Millis};

/// What happened in a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants' docs name their fields; each is the id or value that it says")]
pub enum SessionEvent {
    /// It began.
    Started { session: Box<Session> },
    /// A person said something.
    Said { turn: Turn },
    /// A model is about to be asked, and what that may cost is put aside.
    ModelRequested { epoch: Epoch, up_to: u64, model: String, reservation: Reservation },
    /// The call failed; `lost` if nobody saw its end.
    ModelFailed {
        n: u32,
        model: String,
        error: String,
        charge: Charge,
        not_before_ms: Option<Millis>,
        lost: bool,
    },
    /// The model answered, and the answer is `turn`; a goal may be cancelled in the same commit.
    Responded {
        n: u32,
        model: String,
        used: Option<Used>,
        charge: Charge,
        turn: Turn,
        asks: bool,
        cancels: Option<GoalId>,
    },
    /// The model answered with a goal, which is submitted in the same commit.
    MadeGoal {
        n: u32,
        model: String,
        used: Option<Used>,
        charge: Charge,
        turn: Turn,
        goal: SessionGoal,
        spec: Box<GoalSpec>,
    },
    /// There is no answer to the messages so far; `turn` says why.
    GaveUp { turn: Turn },
    /// Something is to be told of a goal that was made here.
    Told { turn: Turn, goal: GoalId, ended: Option<GoalStatus> },
    /// It is over.
    Ended { by: String },
    /// The events before this one are dropped; it stands for them.
    Compacted { session: Box<Session>, events: u64 },
}

impl SessionEvent {
    /// Its name on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "conversation.started",
            Self::Said { .. } => "conversation.message",
            Self::ModelRequested { .. } => "conversation.requested",
            Self::ModelFailed { .. } => "conversation.failed",
            Self::Responded { .. } | Self::MadeGoal { .. } | Self::GaveUp { .. } => "conversation.response",
            Self::Told { ended: None, .. } => "task.narration",
            Self::Told { ended: Some(_), .. } => "task.result",
            Self::Ended { .. } => "conversation.ended",
            Self::Compacted { .. } => "conversation.compacted",
        }
    }
}
