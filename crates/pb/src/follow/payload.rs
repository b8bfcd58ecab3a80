//! What the lines need from an event's data (`pb-protocol/src/event.rs` writes it).

use pb_model::Verdict;
use pb_model::goal::{Cap, Kept};
use pb_protocol::domain::{Artifact, Error, Escalation, GateResult, Goal, Run, WorkItem};
use serde::Deserialize;

/// The keys that we read; the rest is for other clients.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Payload {
    pub(super) work_item_id: Option<String>,
    pub(super) goal: Option<Goal>,
    pub(super) work_item: Option<WorkItem>,
    pub(super) run: Option<Run>,
    pub(super) gate: Option<GateResult>,
    pub(super) artifact: Option<Artifact>,
    pub(super) escalation: Option<Escalation>,
    pub(super) error: Option<Error>,
    pub(super) verdict: Option<Verdict>,
    /// `goal.updated`: the plan stands with so many items.
    pub(super) items: Option<u32>,
    /// `goal.updated`: the goal whose folder it waits for.
    pub(super) waits_for: Option<String>,
    pub(super) workspace: Option<String>,
    /// `goal.started`: how the files in it were kept.
    pub(super) kept: Option<Kept>,
    /// `goal.updated`: a new incarnation of the scheduler took the goal over.
    pub(super) epoch: Option<u64>,
    /// `goal.updated`: who cancels.
    pub(super) cancelled_by: Option<String>,
    /// `goal.updated`: who paused it, had it go on, changed its priority.
    pub(super) paused_by: Option<String>,
    pub(super) resumed_by: Option<String>,
    pub(super) priority: Option<u8>,
    /// `escalation.resolved`: the answer, and who gave it.
    pub(super) action: Option<String>,
    pub(super) resolved_by: Option<String>,
    /// `budget.warning`: so much of a cap is used.
    pub(super) cap: Option<Cap>,
    pub(super) percent: Option<u8>,
    /// `workitem.updated`: who said to go on without the item.
    pub(super) skipped_by: Option<String>,
    pub(super) superseded: Option<bool>,
    /// `workitem.added`: what is added once the item is done.
    pub(super) added: Vec<Added>,
    /// What was made out of the goal, and of attempts.
    pub(super) assumptions: Vec<String>,
    pub(super) decision: Option<String>,
    pub(super) reason: Option<String>,
    /// Who said yes, or no.
    pub(super) granted_by: Option<String>,
    pub(super) denied_by: Option<String>,
    /// `workitem.updated`: the item is tried again.
    pub(super) retry_count: Option<u32>,
    pub(super) not_before: Option<u64>,
    /// `run.continued`.
    pub(super) ran_again: Option<bool>,
    pub(super) why: Option<String>,
    /// `model.*` and `tool.*`: the step of the run's journal.
    pub(super) step: Option<u32>,
    pub(super) run_id: Option<String>,
    pub(super) model: Option<String>,
    /// `model.*`: what it is charged.
    pub(super) tokens: Option<u64>,
    pub(super) cost_usd: Option<f64>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) assumed: Option<bool>,
    /// `model.answered`: its words, and what it calls.
    pub(super) text: Option<String>,
    pub(super) calls: Vec<Called>,
    /// `tool.completed`.
    pub(super) tool: Option<String>,
    pub(super) title: Option<String>,
    pub(super) outcome: Option<String>,
    pub(super) found: Option<String>,
    /// `conversation.condensed`: how many turns and results are told in short.
    pub(super) turns: Option<u64>,
    pub(super) results: Option<u64>,
    /// `guard.tripped`: what is done about it.
    pub(super) rung: Option<String>,
    pub(super) duration_ms: Option<u64>,
    /// `verification.started`: the gates find out whether lost work was done.
    pub(super) probe: Option<bool>,
}

/// An item that a run adds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Added {
    pub(super) id: String,
}

/// A tool that a model calls.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Called {
    pub(super) tool: String,
    pub(super) title: String,
}

/// An ephemeral event: what a model says or a tool prints, while it does.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Delta {
    pub(super) request_id: String,
    pub(super) chunk: String,
    pub(super) kind: Option<String>,
    pub(super) tool: Option<String>,
}
