//! Conversations: what a session wants is done here, beside the loop, and ends in one [`Talked`].
//!
//! * `compose` puts the next request together and says what it may cost at most,
//! * `think` calls the model, and makes of its answer words, a question, or a goal that would be taken,
//! * `news` says what is told of a goal in the conversation that it was made in.
//!
//! What follows from each is decided in `pb_model::session`; a goal is submitted, or cancelled, in the commit in
//! which the answer is kept (`turn/session.rs`).

mod compose;
mod known;
mod news;
mod think;
mod tools;

use pb_model::goal::{Hindrance, Next};
use pb_model::session::{SessionCommand, SessionThought, SessionWant};
use pb_model::{Epoch, GoalId, SessionId};

pub(crate) use compose::compose;
pub(crate) use known::Sessions;
pub(crate) use news::news;
pub(crate) use think::think;

/// How something that a session wanted ended.
#[derive(Debug, Clone)]
pub(crate) enum Talked {
    /// The next request was put together.
    Composed { session: SessionId, epoch: Epoch, next: Result<Next, Hindrance> },
    /// The call of the model ended.
    Thought { session: SessionId, epoch: Epoch, n: u32, thought: Box<SessionThought> },
}

impl Talked {
    /// The session and the want that this ends.
    pub(crate) fn key(&self) -> (SessionId, SessionWant) {
        match self {
            Self::Composed { session, .. } => (*session, SessionWant::Compose),
            Self::Thought { session, n, .. } => (*session, SessionWant::Think(*n)),
        }
    }

    /// What it means for the session.
    pub(crate) fn command(&self) -> SessionCommand {
        match self.clone() {
            Self::Composed { epoch, next, .. } => SessionCommand::Reserve { epoch, next },
            Self::Thought { epoch, n, thought, .. } => SessionCommand::FinishThinking { n, epoch, thought },
        }
    }

    /// The goal that it cancels, which is needed in memory for that.
    pub(crate) fn cancels(&self) -> Option<GoalId> {
        use pb_model::session::{Heard, Reply};
        match self {
            Self::Thought { thought, .. } => match &thought.heard {
                Heard::Answered(Reply::CancelledGoal { goal, .. }) => Some(*goal),
                Heard::Answered(Reply::Said { .. } | Reply::MadeGoal { .. }) | Heard::Failed { .. } => None,
            },
            Self::Composed { .. } => None,
        }
    }
}
