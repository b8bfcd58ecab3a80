//! What the tests share: a home with a gateway, clients, and a scheduler that does as it is told.

mod another;
mod beside;
mod client;
mod cutter;
mod exposition;
mod home;
mod http;
mod raw;
mod scheduler;
mod shapes;

use std::future::Future;
use std::time::Duration;

use pb_store::{Cursor, EventRecord, LogIdentity};
use serde_json::{Value, json};

pub(crate) use another::{another_user, socket_as_another_user};
pub(crate) use beside::{Beside, answered_in_time};
pub(crate) use client::{Client, dial};
pub(crate) use cutter::Cutter;
pub(crate) use exposition::Exposition;
pub(crate) use home::{Running, TestHome};
pub(crate) use http::{Sse, get, get_on};
pub(crate) use raw::{Raw, frame as masked_frame, header, upgrade};
pub(crate) use scheduler::{Peer, Scheduler, goal, link_event};

/// Says what was measured, for who looks at the output of a test.
#[expect(clippy::print_stdout, reason = "the stated time and what came of it are printed")]
pub(crate) fn tell(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Longest that anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The outcome of `work`, which must come in time.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(LIMIT, work).await;
    outcome.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Waits until the condition is true; looks again every millisecond.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await; // wait: a condition out there rings no bell
        }
    })
    .await;
}

/// The frame in which a client is to get this event.
pub(crate) fn frame_of(log: &LogIdentity, record: &EventRecord, subscription: Option<&str>) -> Value {
    let data: Value = serde_json::from_str(&record.data).unwrap();
    let mut frame = json!({
        "type": "event",
        "event": record.kind,
        "data": data,
        "cursor": Cursor::at(log, record.pos).to_string(),
        "seq": record.seq,
        "gen": log.generation,
        "at": record.at_ms,
    });
    if let Some(subscription) = subscription {
        frame["subscriptionId"] = subscription.into();
    }
    frame
}

/// The frames in which a client is to get these events.
pub(crate) fn frames_of(
    log: &LogIdentity,
    records: &[EventRecord],
    subscription: Option<&str>,
) -> Vec<Value> {
    records.iter().map(|record| frame_of(log, record, subscription)).collect()
}

/// What of a goal has to be said.
pub(crate) fn goal_params(title: &str) -> Value {
    json!({"title": title, "description": "what is wanted", "success_criteria": []})
}
