//! Goals that are only in the inbox yet: clients see them as queued.

use pb_model::goal::{GoalStatus, Phase};
use pb_model::{GoalId, GoalSpec};
use pb_protocol::RpcError;
use pb_protocol::domain::Goal;
use pb_protocol::methods::Method;
use pb_protocol::methods::goal::Submit;
use pb_store::{InboxRow, NewCommand};
use serde::{Deserialize, Serialize};

use crate::hub::Hub;

/// Rows read from the inbox at once.
const PAGE_ROWS: usize = 1000;

/// The method whose rows are goals.
pub(crate) const SUBMIT: &str = Submit::NAME;

/// The parameters of a `goal.submit` row, as the scheduler reads them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubmitRow {
    /// The goal's id, minted here.
    #[serde(rename = "goalId")]
    pub(crate) goal_id: GoalId,
    /// What is asked for.
    pub(crate) spec: GoalSpec,
}

/// Everything in the inbox, executed or not, in order. A row that was executed stays for a second;
/// the log says up to which position.
pub(crate) async fn rows(hub: &Hub) -> Result<Vec<InboxRow>, RpcError> {
    let reader = hub.inbox.reader();
    let mut rows: Vec<InboxRow> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.pos);
        let page = reader.after(after, PAGE_ROWS).await.map_err(RpcError::internal)?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// The goal of a `goal.submit` row, as clients see it; `None` for other rows.
pub(crate) fn goal(command: &NewCommand) -> Option<Goal> {
    if command.method != SUBMIT {
        return None;
    }
    let row: SubmitRow = serde_json::from_str(&command.params).ok()?;
    let spec = row.spec;
    Some(Goal {
        id: row.goal_id.to_string(),
        created_at: command.at_ms,
        updated_at: command.at_ms,
        completed_at: None,
        title: spec.title,
        description: spec.description,
        success_criteria: spec.success_criteria,
        status: GoalStatus::Queued.as_str().to_owned(),
        priority: spec.priority,
        budget_tokens: spec.budget_tokens,
        budget_time_minutes: spec.budget_time_minutes,
        budget_cost_usd: spec.budget_cost_usd,
        spent_tokens: 0,
        spent_time_minutes: 0,
        spent_cost_usd: 0.0,
        assumed_cost_usd: 0.0,
        assumed_tokens: 0,
        unpriced: false,
        spent_turns: 0,
        budget_turns: spec.budget_turns,
        deadline: spec.deadline_ms,
        plan_only: spec.plan_only,
        tags: spec.tags,
        phase: Phase::Intake.as_str().to_owned(),
        verdict: None,
        reason: None,
        error: None,
        workspace: spec.workspace,
        kept: None,
        waits_for: None,
        assumptions: Vec::new(),
        replanning: None,
        summary: None,
        unlisted: 0,
        spent_time_ms: 0,
        waiting: true,
        schedule_id: None,
        slot: None,
    })
}
