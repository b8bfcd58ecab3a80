//! What is committed: an event and the row that it changes, as every decision of a goal writes them.

use pb_model::goal::{Run, RunStage, RunStatus};
use pb_model::{GoalId, RunId};
use pb_store::NewEvent;
use serde::Serialize;
use uuid::Uuid;

/// The texts of an event together, in bytes: what the link's benchmark sends too.
const EVENT_BYTES: usize = 333;

/// How durable a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Synchronous {
    /// On the disk when it returns.
    Full,
    /// In the system's memory when it returns: a power cut may lose it. For comparison only.
    Normal,
}

/// The goal of a caller.
pub(crate) fn goal(caller: usize) -> GoalId {
    GoalId::from(Uuid::from_u128(caller as u128 + 1))
}

/// The run of a caller.
pub(crate) fn run(caller: usize) -> Run {
    Run {
        id: RunId::from(Uuid::from_u128(caller as u128 + 1)),
        item_id: None,
        reviews: None,
        added: Vec::new(),
        goal_id: goal(caller),
        attempt: 1,
        epoch: 1,
        status: RunStatus::Running,
        stage: RunStage::Executing,
        created_at_ms: 1_000,
        completed_at_ms: None,
        steps: 1,
        execution: None,
        continued: Vec::new(),
        error: None,
        conversation: None,
    }
}

/// The `n`-th event of a caller.
pub(crate) fn event(caller: usize, n: u64) -> NewEvent {
    let mut event = NewEvent {
        id: Uuid::from_u64_pair(caller as u64, n).to_string(),
        at_ms: n,
        kind: "run.executed".to_owned(),
        body: format!(r#"{{"type":"run_executed","n":{n},"exit":{{"code":0}},"output":"nothing to say"}}"#),
        data: String::new(),
    };
    let other = event.id.len() + event.kind.len() + event.body.len() + goal(caller).to_string().len();
    event.data = format!(r#"{{"n":"{}"}}"#, "x".repeat(EVENT_BYTES.saturating_sub(other + 8)));
    event
}
