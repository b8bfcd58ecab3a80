//! What is told: the names, sources and keys of `wire.md` §3.3. Ours beyond those follow their pattern.

use pb_model::Epoch;
use serde_json::{Map, Value, json};

use super::bounds::{cut, without_secrets};
use super::{About, CallNote};

/// What is told. The texts in it are cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    GoalSubmitted {
        title: String,
        priority: u8,
    },
    ItemStarting {
        title: String,
    },
    ItemAssigned {
        model: String,
        lane: &'static str,
    },
    RunStarted {
        attempt: u32,
    },
    /// A later incarnation goes on with it.
    RunContinued {
        ran_again: bool,
    },
    /// Older parts of it are told in short from now on.
    ConversationCondensed {
        turns: u32,
        results: u32,
        bytes: u64,
    },
    ItemSucceeded,
    VerificationStarted,
    VerificationCompleted {
        passed: bool,
    },
    /// Something stands elsewhere than before.
    Transition {
        entity: Entity,
        from: &'static str,
        to: &'static str,
    },
    /// A call of a model or a tool begins or ends.
    Call(CallNote),
    Startup {
        epoch: Epoch,
    },
    Shutdown {
        reason: String,
    },
    /// So many events came faster than they could be written, or could not be.
    Dropped {
        count: u64,
    },
}

/// What has a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entity {
    Goal,
    Item,
    Run,
}

impl What {
    /// A goal came.
    pub(crate) fn submitted(title: &str, priority: u8) -> Self {
        Self::GoalSubmitted { title: cut(title.to_owned()), priority }
    }

    /// Work on an item begins.
    pub(super) fn starting(title: &str) -> Self {
        Self::ItemStarting { title: cut(title.to_owned()) }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::GoalSubmitted { .. } => "scheduler.goal.submitted",
            Self::ItemStarting { .. } => "scheduler.workitem.starting",
            Self::ItemAssigned { .. } => "scheduler.workitem.assigned",
            Self::RunStarted { .. } => "scheduler.run.started",
            Self::RunContinued { .. } => "scheduler.run.continued",
            Self::ConversationCondensed { .. } => "scheduler.conversation.condensed",
            Self::ItemSucceeded => "scheduler.workitem.success",
            Self::VerificationStarted => "scheduler.verification.started",
            Self::VerificationCompleted { .. } => "scheduler.verification.completed",
            Self::Transition { .. } => "state.transition",
            Self::Call(call) => call.name(),
            Self::Startup { .. } => "system.startup",
            Self::Shutdown { .. } => "system.shutdown",
            Self::Dropped { .. } => "trace.dropped",
        }
    }

    /// The part of the system that tells it.
    pub(crate) fn source(&self) -> &'static str {
        match self {
            Self::GoalSubmitted { .. }
            | Self::ItemStarting { .. }
            | Self::ItemAssigned { .. }
            | Self::RunStarted { .. }
            | Self::RunContinued { .. }
            | Self::ConversationCondensed { .. }
            | Self::ItemSucceeded
            | Self::VerificationStarted
            | Self::VerificationCompleted { .. }
            | Self::Startup { .. }
            | Self::Shutdown { .. }
            | Self::Dropped { .. } => "scheduler",
            Self::Transition { .. } => "state-machine",
            Self::Call(call) => call.source(),
        }
    }

    /// Its keys, without secrets.
    pub(crate) fn data(self, about: &About) -> Value {
        let own = match self {
            Self::GoalSubmitted { title, priority } => {
                with_ids(about, json!({"title": title, "priority": priority}))
            }
            Self::ItemStarting { title } => with_ids(about, json!({"title": title})),
            Self::ItemAssigned { model, lane } => with_ids(about, json!({"model": model, "laneId": lane})),
            Self::RunStarted { attempt } => with_ids(about, json!({"attempt": attempt})),
            Self::RunContinued { ran_again } => with_ids(about, json!({"ranAgain": ran_again})),
            Self::ConversationCondensed { turns, results, bytes } => {
                with_ids(about, json!({"turns": turns, "results": results, "bytes": bytes}))
            }
            Self::ItemSucceeded | Self::VerificationStarted => with_ids(about, json!({})),
            Self::VerificationCompleted { passed } => with_ids(about, json!({"passed": passed})),
            Self::Transition { entity, from, to } => {
                let (entity, id) = match entity {
                    Entity::Goal => ("goal", about.goal.map(|goal| goal.to_string())),
                    Entity::Item => ("workitem", about.item.map(|item| item.to_string())),
                    Entity::Run => ("run", about.run.map(|run| run.to_string())),
                };
                json!({"entityType": entity, "entityId": id, "from": from, "to": to})
            }
            Self::Call(call) => call.data(&about.call_id().unwrap_or_default()),
            Self::Startup { epoch } => {
                json!({"config": {"version": pb_runtime::VERSION, "pid": std::process::id(), "epoch": epoch}})
            }
            Self::Shutdown { reason } => json!({"reason": reason}),
            Self::Dropped { count } => json!({"count": count}),
        };
        without_secrets(own)
    }
}

/// The ids that clients of the first implementation look for in the data.
fn with_ids(about: &About, own: Value) -> Value {
    let mut data = Map::new();
    let ids = [
        ("goalId", about.goal.map(|goal| goal.to_string())),
        ("workItemId", about.item.map(|item| item.to_string())),
        ("runId", about.run.map(|run| run.to_string())),
    ];
    data.extend(ids.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id?.into()))));
    if let Value::Object(own) = own {
        data.extend(own);
    }
    data.into()
}
