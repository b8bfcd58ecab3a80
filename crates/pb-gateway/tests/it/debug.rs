//! Debug events: from the scheduler's trace, as they stand there, each once and in order, to whoever
//! asks; whatever becomes of the gateway, the link or the file.

use std::fs;
use std::time::{Duration, Instant};

use pb_protocol::debug::DebugEvent;
use pb_protocol::ipc::Frame;
use pb_store::trace::Retention;
use pb_store::{Cursor, LogIdentity, Trace, TraceEvent};
use pretty_assertions::assert_eq;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::support::{Client, Running, Scheduler, TestHome, frames_of, goal};

/// How long the slow one reads nothing: its page is let go of within it.
const STALLED: Duration = Duration::from_millis(1500);

/// The scheduler's trace, and how many events it was given.
struct Traced {
    trace: Trace,
    next: u64,
}

impl Traced {
    async fn new(at: &TestHome, id: &str) -> Self {
        let trace = Trace::open(at.home.trace_db(), id.to_owned(), "boot".to_owned()).await.unwrap();
        Self { trace, next: 1 }
    }

    /// Writes so many events; gives the frames in which a client is to get them.
    async fn write(&mut self, count: u64) -> Vec<Value> {
        self.write_sized(count, 0).await
    }

    async fn write_sized(&mut self, count: u64, bytes: usize) -> Vec<Value> {
        let numbers = self.next..self.next + count;
        self.next += count;
        let events = numbers.map(|n| event(n, bytes)).collect::<Vec<_>>();
        let first = self.trace.append(events.clone().into()).await.unwrap();
        let identity = self.trace.identity();
        (first..).zip(&events).map(|(pos, event)| frame(&identity.cursor(pos), event)).collect()
    }
}

/// An event of goal 1 or 2, of three names; every third is of no goal.
fn event(n: u64, bytes: usize) -> TraceEvent {
    let goal_number = u8::try_from(n % 3).unwrap();
    let of_goal = |text: &str| (goal_number > 0).then(|| text.to_owned());
    TraceEvent {
        id: format!("event-{n}"),
        at_ms: 1_000 + n,
        kind: ["system.startup", "llm.request", "tool.invoke"][usize::from(goal_number)].to_owned(),
        source: "test".to_owned(),
        goal: (goal_number > 0).then(|| goal(goal_number).to_string()),
        item: of_goal("item_1"),
        run: of_goal("run_1"),
        step: of_goal("run_1.2.3"),
        span: of_goal("0123456789abcdef"),
        parent: of_goal("fedcba9876543210"),
        data: json!({"n": n, "text": "你好", "filling": "x".repeat(bytes)}).to_string(),
    }
}

fn frame(cursor: &Cursor, event: &TraceEvent) -> Value {
    let mut told = json!({
        "id": event.id,
        "timestamp": event.at_ms,
        "type": event.kind,
        "source": event.source,
        "data": serde_json::from_str::<Value>(&event.data).unwrap(),
    });
    for (name, id) in [
        ("goalId", &event.goal),
        ("workItemId", &event.item),
        ("runId", &event.run),
        ("stepId", &event.step),
        ("spanId", &event.span),
        ("parentSpanId", &event.parent),
    ] {
        if let Some(id) = id {
            told[name] = id.as_str().into();
        }
    }
    let data = json!({"channel": "debug", "event": told, "timestamp": event.at_ms});
    json!({"type": "event", "event": "debug", "data": data, "cursor": cursor.to_string(), "at": event.at_ms})
}

/// Rings for an event at this position. What it says is not what stands there.
async fn ring(scheduler: &mut Scheduler, pos: u64) {
    let lie = DebugEvent {
        id: "lie".to_owned(),
        timestamp: 1,
        r#type: "lie".to_owned(),
        source: "lie".to_owned(),
        data: RawValue::from_string("{}".to_owned()).unwrap(),
        goal_id: None,
        work_item_id: None,
        run_id: None,
        step_id: None,
        span_id: None,
        parent_span_id: None,
        pos: Some(pos),
    };
    scheduler.link().send(&Frame::DebugEvent(Box::new(lie))).await;
}

async fn subscribe(client: &mut Client, params: Value) -> Value {
    client.call("debug.events.subscribe", params).await.unwrap()
}

fn cursor_of(frame: &Value) -> &str {
    frame["cursor"].as_str().unwrap()
}

async fn connect(gateway: &Running) -> Client {
    Client::connect(gateway.address).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_gets_debug_events_as_they_were_written_and_nobody_else_does() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut traced = Traced::new(&at, "trace-1").await;
    let past = traced.write(7).await;
    let (mut from_start, mut from_now, mut other) =
        (connect(&gateway).await, connect(&gateway).await, connect(&gateway).await);
    let started = subscribe(&mut from_start, json!({"after": "start"})).await;
    let at_start = traced.trace.identity().cursor(0).to_string();
    assert_eq!(started, json!({"success": true, "cursor": at_start}));
    assert_eq!(from_start.events(7).await, past);
    let now = subscribe(&mut from_now, json!({})).await;
    assert_eq!(now["cursor"], past.last().unwrap()["cursor"]);
    for _ in 0..3 {
        let live = traced.write(300).await;
        let last = traced.next - 1;
        ring(&mut scheduler, last).await;
        assert_eq!(from_start.events(300).await, live);
        assert_eq!(from_now.events(300).await, live);
        ring(&mut scheduler, last).await;
    }
    // Events of goals go on as ever, to everybody.
    let told = scheduler.tell(goal(1), 2).await;
    let identity: LogIdentity = scheduler.log.identity().clone();
    for client in [&mut from_start, &mut from_now, &mut other] {
        assert_eq!(client.events(2).await, frames_of(&identity, &told, None));
        assert!(client.has_nothing_more().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_show_what_they_name_and_a_subscription_takes_the_place_of_the_one_before() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut traced = Traced::new(&at, "trace-1").await;
    let all = traced.write(12).await;
    let mut client = connect(&gateway).await;
    let is = |frame: &Value, key: &str, value: &str| frame["data"]["event"][key] == value;
    let first = goal(1).to_string();
    for (asked, shown) in [
        (json!({"goalId": first}), all.iter().filter(|one| is(one, "goalId", &first)).collect::<Vec<_>>()),
        (json!({"types": ["llm"]}), all.iter().filter(|one| is(one, "type", "llm.request")).collect()),
        (json!({"types": ["tool.*", "system.startup"]}), {
            all.iter().filter(|one| !is(one, "type", "llm.request")).collect()
        }),
        (json!({"types": []}), all.iter().collect()),
        (json!({"types": ["no.such"]}), Vec::new()),
    ] {
        let mut asked = asked;
        asked["after"] = "start".into();
        subscribe(&mut client, asked.clone()).await;
        let seen = client.events(shown.len()).await;
        assert_eq!(seen.iter().collect::<Vec<_>>(), shown, "{asked}");
        assert!(client.has_nothing_more().await, "{asked}");
    }
    let ended = client.call("debug.events.unsubscribe", json!({})).await.unwrap();
    assert_eq!(ended, json!({"success": true}));
    traced.write(3).await;
    // Somebody else gets them, and so it was looked.
    let mut other = connect(&gateway).await;
    subscribe(&mut other, json!({"after": "start"})).await;
    other.events(15).await;
    assert!(client.has_nothing_more().await);
    for (wrong, message) in [
        (json!({"after": "yesterday"}), "after: not a cursor"),
        (json!({"types": vec!["x"; 65]}), "types: at most 64"),
        (json!({"goalId": "nowhere"}), "nowhere"),
    ] {
        let error = client.call("debug.events.subscribe", wrong).await.unwrap_err();
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_resumes_across_restarts_without_gap_or_repeat_and_without_bells() {
    let at = TestHome::new();
    let mut traced = Traced::new(&at, "trace-1").await;
    let (mut seen, mut written) = (Vec::new(), Vec::new());
    let mut cursor = "start".to_owned();
    for round in 1..=3 {
        let gateway = at.gateway().await;
        let mut client = connect(&gateway).await;
        let resumed = subscribe(&mut client, json!({"after": cursor})).await;
        assert_eq!(resumed["rebase_required"], Value::Null);
        // No scheduler is connected: the file is looked at each second.
        written.extend(traced.write(400).await);
        let missing = written.len() - seen.len();
        // Some of the last ones are left for the next round.
        seen.extend(client.events(missing - 100 * (3 - round)).await);
        cursor = cursor_of(seen.last().unwrap()).to_owned();
        drop(client);
        gateway.stop().await;
        written.extend(traced.write(50).await);
    }
    let gateway = at.gateway().await;
    let mut client = connect(&gateway).await;
    subscribe(&mut client, json!({"after": cursor})).await;
    seen.extend(client.events(written.len() - seen.len()).await);
    assert_eq!(seen, written);
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_cannot_be_served_is_told_and_begins_with_the_oldest() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let scheduler = Scheduler::start(&at).await;
    let mut traced = Traced::new(&at, "trace-1").await;
    let all = traced.write(2000).await;
    let of_log = Cursor::at(scheduler.log.identity(), 3).to_string();
    let identity = traced.trace.identity().clone();
    let of_another = pb_store::TraceIdentity { id: "trace-2".to_owned() }.cursor(3).to_string();
    let beyond = identity.cursor(2001).to_string();
    let mut client = connect(&gateway).await;
    for cursor in [of_log, of_another, beyond] {
        let answer = subscribe(&mut client, json!({"after": cursor})).await;
        assert_eq!(answer["rebase_required"], true, "{answer}");
        assert_eq!(client.event().await, all[0]);
        client.events(1999).await;
    }
    // Retention takes the oldest.
    let retention = Retention { since_ms: 1_000 + 501, bytes_max: u64::MAX };
    assert_eq!(traced.trace.tidy(retention).await.unwrap(), 500);
    for (pos, is_kept) in [(500, true), (499, false), (0, false), (2000, true)] {
        let mut client = connect(&gateway).await;
        let answer = subscribe(&mut client, json!({"after": identity.cursor(pos).to_string()})).await;
        assert_eq!(answer["rebase_required"] == true, !is_kept, "{pos}: {answer}");
        if pos < 2000 {
            assert_eq!(client.event().await, all[500], "{pos}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_may_be_missing_and_may_be_deleted_at_any_time() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = connect(&gateway).await;
    let before = subscribe(&mut client, json!({})).await;
    let mut first = Traced::new(&at, "trace-1").await;
    let written = first.write(3).await;
    ring(&mut scheduler, 3).await;
    assert_eq!(client.events(3).await, written);
    drop(first);
    for (round, id) in (2..).zip(["trace-2", "trace-3"]) {
        for entry in fs::read_dir(at.home.root()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.file_name().unwrap().to_str().unwrap().starts_with("trace.db") {
                fs::remove_file(entry).unwrap();
            }
        }
        let written = Traced::new(&at, id).await.write(5 * round).await;
        ring(&mut scheduler, 5 * round).await;
        let told = json!({"type": "event", "event": "rebase_required", "data": {"channel": "debug"}});
        assert_eq!(client.event().await, told);
        assert_eq!(client.events(written.len()).await, written);
    }
    // Who was there before the first one gets what there is.
    let mut other = connect(&gateway).await;
    let resumed = subscribe(&mut other, json!({"after": before["cursor"]})).await;
    assert_eq!(resumed["rebase_required"], Value::Null);
    other.events(15).await;
    client.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_delays_nobody_and_later_gets_everything() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut traced = Traced::new(&at, "trace-1").await;
    let (mut slow, mut healthy) = (Client::narrow(gateway.address).await, connect(&gateway).await);
    for client in [&mut slow, &mut healthy] {
        subscribe(client, json!({"after": "start"})).await;
    }
    let (began, mut all) = (Instant::now(), Vec::new());
    while began.elapsed() < STALLED {
        let written = traced.write_sized(200, 300).await;
        ring(&mut scheduler, traced.next - 1).await;
        assert_eq!(healthy.events(200).await, written);
        all.extend(written);
    }
    for expected in &all {
        assert_eq!(slow.event().await, *expected);
    }
    assert!(slow.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_events_are_for_who_may_do_everything() {
    let at = TestHome::new();
    let config = pb_gateway::Config { tools_are_confined: false, ..at.config() };
    let gateway = Running::start(config).await.unwrap();
    let mut client = connect(&gateway).await;
    for method in ["debug.events.subscribe", "debug.events.unsubscribe"] {
        let error = client.call(method, json!({})).await.unwrap_err();
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!(-32004), &json!("Permission denied: requires 'admin'"))
        );
    }
}
