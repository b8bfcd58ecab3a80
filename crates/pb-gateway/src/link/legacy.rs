//! Schedulers that keep no log: those of the first implementation (`wire.md` §1.2, §3). What they say is
//! shown live, marked, and is nowhere else; what they are asked is `ping` and nothing more.
//!
//! They are given no command. A command is in our inbox, which they cannot read, and names a goal of our
//! log, which they do not have: one that did execute it would do so behind the log's back.

use pb_protocol::frame::EventFrame;
use pb_protocol::ipc::SchedulerEvent;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

/// What clients are told: the event's name on the link, its name for them, and the keys of its content
/// that are theirs (`wire.md` §3.2).
const EVENTS: [(&str, &str, &[&str]); 14] = [
    ("goal_started", "goal.started", &[]),
    ("goal_completed", "goal.completed", &[]),
    ("goal_failed", "goal.failed", &["error"]),
    ("work_item_started", "workitem.started", &["model", "laneId"]),
    ("work_item_completed", "workitem.completed", &[]),
    ("work_item_failed", "workitem.failed", &["error"]),
    ("run_started", "run.started", &[]),
    ("run_completed", "run.completed", &["success"]),
    ("verification_started", "verification.started", &[]),
    ("verification_completed", "verification.completed", &["passed", "summary"]),
    ("escalation_created", "escalation.created", &["type", "error"]),
    ("escalation_resolved", "escalation.resolved", &[]),
    ("budget_warning", "budget.warning", &["level", "status"]),
    ("budget_exceeded", "budget.exceeded", &[]),
];

/// The frame for clients; `None` for an event of no known name.
pub(super) fn frame(event: &SchedulerEvent) -> Option<EventFrame> {
    let (_, name, keys) = EVENTS.iter().find(|(name, ..)| *name == event.r#type)?;
    let mut data = Map::new();
    let ids = [("workItemId", &event.work_item_id), ("goalId", &event.goal_id), ("runId", &event.run_id)];
    for (key, id) in ids {
        data.extend(id.clone().map(|id| (key.to_owned(), Value::String(id))));
    }
    let told: Map<String, Value> =
        event.data.as_deref().and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_default();
    data.extend(told.into_iter().filter(|(key, _)| keys.contains(&key.as_str())));
    // When it happened, and not when it reached us.
    data.insert("timestamp".to_owned(), event.timestamp.into());
    // Server-Sent Events have no other place for it.
    data.insert("legacy".to_owned(), true.into());
    let data = to_raw_value(&data).ok()?;
    Some(EventFrame { legacy: true, at: Some(event.timestamp), ..EventFrame::outside_log(name, data) })
}

#[cfg(test)]
mod tests {
    use pb_protocol::frame::ServerFrame;
    use pb_protocol::ipc::{self, Frame};

    use super::*;

    fn check(event: &str, told: Option<&str>) {
        let line = format!(r#"{{"type":"scheduler_event","timestamp":9,"data":{event}}}"#);
        let Some(Frame::SchedulerEvent(event)) = ipc::parse(&line).unwrap() else { panic!("{line}") };
        let told = told.map(str::to_owned);
        assert_eq!(
            frame(&event).map(|frame| serde_json::to_string(&ServerFrame::Event(frame)).unwrap()),
            told
        );
    }

    #[test]
    fn what_clients_are_told_has_the_names_ids_and_time_of_the_event() {
        check(
            r#"{"type":"work_item_started","timestamp":7,"goalId":"g","workItemId":"w","runId":"r","data":{"model":"m","laneId":"main","other":1}}"#,
            Some(
                r#"{"type":"event","event":"workitem.started","data":{"workItemId":"w","goalId":"g","runId":"r","model":"m","laneId":"main","timestamp":7,"legacy":true},"at":7,"legacy":true}"#,
            ),
        );
        check(
            r#"{"type":"goal_failed","timestamp":7,"goalId":"g","data":{"error":{"code":"E","message":"坏","recoverable":false}}}"#,
            Some(
                r#"{"type":"event","event":"goal.failed","data":{"goalId":"g","error":{"code":"E","message":"坏","recoverable":false},"timestamp":7,"legacy":true},"at":7,"legacy":true}"#,
            ),
        );
        check(
            r#"{"type":"verification_completed","timestamp":7,"data":{"passed":true,"summary":"No quality gates defined"}}"#,
            Some(
                r#"{"type":"event","event":"verification.completed","data":{"passed":true,"summary":"No quality gates defined","timestamp":7,"legacy":true},"at":7,"legacy":true}"#,
            ),
        );
        check(r#"{"type":"goal_danced","timestamp":7}"#, None);
        check(
            r#"{"type":"goal_started","timestamp":7,"data":[1]}"#,
            Some(
                r#"{"type":"event","event":"goal.started","data":{"timestamp":7,"legacy":true},"at":7,"legacy":true}"#,
            ),
        );
    }
}
