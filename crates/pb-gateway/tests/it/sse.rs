//! `GET /events`: the same events as Server-Sent Events.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Scheduler, Sse, TestHome, frames_of, get, goal};

/// What of a frame is in an event of the stream: its cursor, name and data.
fn told(frame: &Value) -> (Option<String>, String, Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (Some(text(&frame["cursor"])), text(&frame["event"]), frame["data"].clone())
}

async fn next(stream: &mut Sse, count: usize) -> Vec<(Option<String>, String, Value)> {
    stream.take(count).await.into_iter().map(|event| (event.id, event.event, event.data)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_tells_the_same_events_and_goes_on_after_the_last_event_id() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut all = scheduler.commit(goal(1), 10).await;
    let gateway = at.gateway().await;
    scheduler.connect().await;
    let mut stream = Sse::open(gateway.address, "/events?after=start", &[]).await;
    let connected = stream.next().await.unwrap();
    assert_eq!((connected.event.as_str(), &connected.data["snapshot"]), ("connected", &Value::Null));
    assert_eq!(connected.id.as_deref(), connected.data["cursor"].as_str());
    all.extend(scheduler.tell(goal(2), 10).await);
    let expected: Vec<_> = frames_of(&identity, &all, None).iter().map(told).collect();
    assert_eq!(next(&mut stream, 20).await, expected);
    drop(stream);

    // A reader that comes back sends the same URL and the last id that it saw.
    for done in [0, 1, 9, 10, 19, 20] {
        let seen = if done == 0 { connected.id.clone() } else { expected.get(done - 1).unwrap().0.clone() };
        let header = [("Last-Event-ID", seen.as_deref().unwrap())];
        let mut stream = Sse::open(gateway.address, "/events?after=start", &header).await;
        assert_eq!(stream.next().await.unwrap().id, seen);
        let rest = expected.get(done..).unwrap();
        assert_eq!(next(&mut stream, rest.len()).await, rest, "after {done}");
        let live = scheduler.tell(goal(3), 1).await;
        let live: Vec<_> = frames_of(&identity, &live, None).iter().map(told).collect();
        let more = next(&mut stream, 1 + previous(done)).await;
        assert_eq!(more.last(), live.last());
    }
}

/// How many live events were told by the rounds before.
fn previous(done: usize) -> usize {
    [0, 1, 9, 10, 19, 20].iter().filter(|round| **round < done).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_filtered_and_a_wrong_question_is_refused() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    scheduler.tell(goal(1), 3).await;
    let shown = scheduler.tell(goal(2), 2).await;
    let path = format!("/events?after=start&goalId={}&kinds=run.*,goal.tested", goal(2));
    let mut stream = Sse::open(gateway.address, &path, &[]).await;
    stream.take(1).await;
    let expected: Vec<_> = frames_of(&identity, &shown, None).iter().map(told).collect();
    assert_eq!(next(&mut stream, 2).await, expected);
    for (path, code) in [
        ("/events?after=nonsense", json!(-32602)),
        ("/events?goalId=nowhere", json!(-32010)),
        ("/events?after=1&after=2", Value::Null),
    ] {
        let answer = get(gateway.address, path, &[]).await;
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &said["code"]), (400, &code), "{path}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_cannot_go_on_where_it_was_says_so_and_begins_with_a_snapshot() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    scheduler.tell(goal(1), 3).await;
    let beyond = pb_store::Cursor::at(&identity, 4).to_string();
    let mut stream = Sse::open(gateway.address, "/events", &[("Last-Event-ID", &beyond)]).await;
    let connected = stream.next().await.unwrap();
    assert_eq!(connected.data["rebase_required"], true);
    assert_eq!(connected.data["snapshot"], json!({"goals": []}));
    let live = scheduler.tell(goal(1), 1).await;
    let expected: Vec<_> = frames_of(&identity, &live, None).iter().map(told).collect();
    assert_eq!(next(&mut stream, 1).await, expected);
}
