//! The keys of events about budgets, and about what people said.

use pb_model::EscalationId;
use pb_model::approval::ApprovalEvent;
use pb_model::goal::{Event, Goal, GoalState, WARN_PERCENT};
use pb_model::spec::ItemSpec;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::{request_type, usd};

pub(super) fn particulars(event: &Event, state: &GoalState) -> Value {
    match event {
        Event::EscalationResolved { escalation, resolution, .. } => json!({
            "escalationId": escalation,
            "action": resolution.answer,
            "resolvedBy": resolution.by,
            "raised": resolution.raised,
            "text": resolution.text,
            "answers": resolution.answers,
            "expired": resolution.expired,
        }),
        Event::ApprovalChanged { escalation, change, .. } => approval(*escalation, change, state),
        Event::GoalElaborated { assumptions, criteria } => {
            json!({"assumptions": assumptions, "successCriteria": criteria})
        }
        Event::EvaluationDecided { decision, reason, .. } => {
            json!({"decision": decision.as_str(), "detail": decision, "reason": reason})
        }
        Event::GoalReplanning { why, by } => json!({"why": why, "replannedBy": by}),
        Event::ItemSuperseded { .. } => json!({"superseded": true}),
        Event::ItemsAdded { items, .. } => {
            let added = |spec: &ItemSpec| AddedItem {
                id: spec.id.clone(),
                title: spec.title.as_ref().unwrap_or(&spec.id).clone(),
            };
            json!({"added": items.iter().map(|addition| added(&addition.spec)).collect::<Vec<_>>()})
        }
        Event::BudgetWarned { cap, percent } => {
            // The first implementation's words.
            let level = if WARN_PERCENT.first() == Some(percent) { "warning" } else { "critical" };
            let status = budget_status(&state.goal, level);
            json!({"level": level, "cap": cap, "percent": percent, "status": status})
        }
        Event::BudgetExceeded { cap, .. } => {
            json!({"cap": cap, "status": budget_status(&state.goal, "exceeded")})
        }
        Event::GoalPaused { by } => json!({"pausedBy": by}),
        Event::GoalResumed { by } => json!({"resumedBy": by}),
        Event::GoalPrioritized { priority, by } => json!({"priority": priority, "prioritizedBy": by}),
        Event::ItemSkipped { by, .. } => json!({"skippedBy": by}),
        Event::GatesApproved { by, edited, .. } => json!({"approvedBy": by, "edited": edited}),
        _ => json!({}),
    }
}

/// How a goal stands to its caps (`wire.md` §3.1).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetStatus {
    /// The goal.
    pub goal_id: String,
    /// Cap by cap.
    pub budget: BudgetCaps,
    /// `warning`, `critical` or `exceeded`.
    pub warning_level: String,
}

/// The caps of a goal and what is used of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BudgetCaps {
    /// Tokens.
    pub tokens: BudgetTokens,
    /// Running time.
    pub time: BudgetTime,
    /// Money.
    pub cost: BudgetCost,
}

/// Tokens; null where there is no cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BudgetTokens {
    /// The cap.
    pub limit: Option<u64>,
    /// Used.
    pub spent: u64,
    /// Left.
    pub remaining: Option<u64>,
}

/// Minutes of running time; null where there is no cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetTime {
    /// The cap.
    pub limit_minutes: Option<u64>,
    /// Used, rounded up.
    pub spent_minutes: u64,
    /// Left.
    pub remaining_minutes: Option<u64>,
}

/// US dollars; null where there is no cap.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetCost {
    /// The cap.
    pub limit_usd: Option<f64>,
    /// Used.
    pub spent_usd: f64,
    /// Left.
    pub remaining_usd: Option<f64>,
}

/// An item that a run adds to its goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AddedItem {
    /// Its key.
    pub id: String,
    /// One line.
    pub title: String,
}

fn budget_status(goal: &Goal, level: &str) -> BudgetStatus {
    let (spec, settled) = (&goal.spec, goal.spending.settled);
    let minutes = goal.spent_time_ms.div_ceil(60_000);
    let spent_usd = usd(settled.micro_usd);
    let left = |limit: Option<u64>, spent: u64| limit.map(|limit| limit.saturating_sub(spent));
    BudgetStatus {
        goal_id: goal.id.to_string(),
        budget: BudgetCaps {
            tokens: BudgetTokens {
                limit: spec.budget_tokens,
                spent: settled.tokens,
                remaining: left(spec.budget_tokens, settled.tokens),
            },
            time: BudgetTime {
                limit_minutes: spec.budget_time_minutes,
                spent_minutes: minutes,
                remaining_minutes: left(spec.budget_time_minutes, minutes),
            },
            cost: BudgetCost {
                limit_usd: spec.budget_cost_usd,
                spent_usd,
                remaining_usd: spec.budget_cost_usd.map(|limit| (limit - spent_usd).max(0.0)),
            },
        },
        warning_level: level.to_owned(),
    }
}

/// The keys of `wire.md` §2.8.
fn approval(id: EscalationId, change: &ApprovalEvent, state: &GoalState) -> Value {
    let asked = state.escalation(id);
    let mut told = json!({
        "approvalId": id,
        "requestType": asked.map_or("tool_execution", request_type),
        "description": asked.map(|asked| &asked.title),
    });
    match change {
        ApprovalEvent::Granted { by } => {
            told["grantedBy"] = json!(by);
            told["conditions"] = json!(asked.and_then(|asked| asked.resolution.as_ref()?.text.as_deref()));
        }
        ApprovalEvent::Denied { by } => {
            told["deniedBy"] = json!(by);
            told["reason"] = json!(asked.and_then(|asked| asked.resolution.as_ref()?.text.as_deref()));
        }
        ApprovalEvent::Requested | ApprovalEvent::Expired | ApprovalEvent::Used | ApprovalEvent::Voided => {}
    }
    told
}
