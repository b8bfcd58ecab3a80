//! An event of the log as an entry of an audit: who did what to what (`wire.md` §2.6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who did what to what. Keys as the first implementation wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// The event's id: the same each time.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    /// Who: a person or program as commands name it, or `scheduler`.
    pub actor: String,
    /// `user` or `scheduler`.
    pub actor_type: String,
    /// What, such as `run.started`.
    pub action: String,
    /// What it was done to: `goal`, `work_item`, `run`, `tool`, `artifact`, `escalation` or `permission`.
    pub entity_type: String,
    /// Its id.
    pub entity_id: String,
    /// The goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// The work item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The status after it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_value: Option<String>,
    /// What clients were told when it happened.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
}

/// Keys of what is told that say who did it.
const ACTOR_KEYS: [&str; 5] = ["createdBy", "cancelledBy", "resolvedBy", "grantedBy", "deniedBy"];

impl AuditEntry {
    /// The entry that an event is, if it is one: what only shows progress is none.
    ///
    /// `data` is what clients were told, as JSON.
    pub fn of(id: &str, at_ms: u64, kind: &str, goal: &str, data: &str) -> Option<Self> {
        let (action, entity_type, key) = meaning(kind)?;
        let metadata: Value = serde_json::from_str(data).ok()?;
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        let by = ACTOR_KEYS.into_iter().find_map(text);
        Some(Self {
            id: id.to_owned(),
            timestamp: at_ms,
            actor_type: if by.is_some() { "user" } else { "scheduler" }.to_owned(),
            actor: by.unwrap_or_else(|| "scheduler".to_owned()),
            action: action.to_owned(),
            entity_type: entity_type.to_owned(),
            entity_id: text(key).unwrap_or_else(|| goal.to_owned()),
            goal_id: text("goalId").or_else(|| goal.starts_with("goal_").then(|| goal.to_owned())),
            work_item_id: text("workItemId"),
            run_id: text("runId"),
            new_value: text("status"),
            metadata,
        })
    }
}

/// The action, what it is done to, and the key of what is told that holds its id.
fn meaning(kind: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match kind {
        "goal.created" => ("goal.created", "goal", "goalId"),
        "goal.cancelled" => ("goal.cancelled", "goal", "goalId"),
        "goal.started" | "goal.updated" | "goal.completed" | "goal.failed" | "goal.blocked"
        | "goal.replanning" => ("goal.status_changed", "goal", "goalId"),
        "budget.exceeded" => ("goal.budget_exceeded", "goal", "goalId"),
        "workitem.created" | "workitem.added" => ("work_item.created", "work_item", "workItemId"),
        "workitem.updated" | "workitem.started" | "workitem.completed" | "workitem.failed"
        | "workitem.blocked" => ("work_item.status_changed", "work_item", "workItemId"),
        "run.started" | "run.continued" => ("run.started", "run", "runId"),
        "run.completed" => ("run.completed", "run", "runId"),
        "tool.completed" => ("tool.completed", "tool", "name"),
        "guard.tripped" => ("tool.blocked", "tool", "name"),
        "artifact.created" => ("artifact.created", "artifact", "artifactId"),
        "evaluation.decided" => ("decision.recorded", "work_item", "workItemId"),
        "escalation.created" => ("escalation.created", "escalation", "escalationId"),
        "escalation.resolved" => ("escalation.resolved", "escalation", "escalationId"),
        "approval.requested" => ("permission.requested", "permission", "approvalId"),
        "approval.granted" => ("permission.granted", "permission", "approvalId"),
        "approval.denied" => ("permission.denied", "permission", "approvalId"),
        "approval.expired" => ("permission.expired", "permission", "approvalId"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_who_did_what_to_what() {
        let entry = |kind: &str, data: &str| AuditEntry::of("evt_1", 7, kind, "goal_9", data);
        let made = entry("goal.created", r#"{"goalId":"goal_9","createdBy":"token:手机","status":"queued"}"#)
            .unwrap();
        assert_eq!(
            (made.actor.as_str(), made.actor_type.as_str(), made.action.as_str(), made.entity_id.as_str()),
            ("token:手机", "user", "goal.created", "goal_9")
        );
        assert_eq!(made.new_value.as_deref(), Some("queued"));
        let run =
            entry("run.started", r#"{"goalId":"goal_9","workItemId":"item_1","runId":"run_1"}"#).unwrap();
        assert_eq!(
            (run.actor.as_str(), run.entity_type.as_str(), run.entity_id.as_str()),
            ("scheduler", "run", "run_1")
        );
        assert_eq!(run.work_item_id.as_deref(), Some("item_1"));
        assert_eq!(entry("model.answered", "{}"), None, "progress is no entry");
        assert_eq!(entry("goal.created", "no JSON"), None);
    }
}
