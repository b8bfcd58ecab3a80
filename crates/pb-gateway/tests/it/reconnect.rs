//! Scheduler, log and gateway may go and come back: every client is told everything once.

use pb_store::{Cursor, Mark};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, Sse, TestHome, frame_of, frames_of, goal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_keep_their_subscription_while_the_scheduler_goes_and_comes_back() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = Client::connect(gateway.address).await;
    let answer = client.subscribe(json!({"after": "start"})).await;
    let id = answer["subscriptionId"].as_str();
    for round in 0..5 {
        let mut told = scheduler.tell(goal(1), 3).await;
        scheduler.link = None;
        told.extend(scheduler.commit(goal(1), 3).await);
        let before = scheduler.log.identity().clone();
        if round % 2 == 0 {
            drop(scheduler);
            scheduler = Scheduler::start(&at).await;
        }
        told.extend(scheduler.commit(goal(2), 3).await);
        scheduler.connect().await;
        // It does not know what the gateway has: it says the last ones again.
        scheduler.offer(&told).await;
        told.extend(scheduler.tell(goal(1), 3).await);
        assert_eq!(client.events(12).await, frames_of(&before, &told, id), "round {round}");
    }
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_generation_of_the_log_is_told_and_ends_what_followed_the_old_one() {
    let at = TestHome::new();
    let scheduler = Scheduler::start(&at).await;
    let old = scheduler.log.identity().clone();
    let before = scheduler.commit(goal(1), 3).await;
    let gateway = at.gateway().await;
    let (mut client, mut plain) =
        (Client::connect(gateway.address).await, Client::connect(gateway.address).await);
    let mut stream = Sse::open(gateway.address, "/events?after=start", &[]).await;
    let answer = client.subscribe(json!({"after": "start"})).await;
    let id = answer["subscriptionId"].as_str();
    assert_eq!(client.events(3).await, frames_of(&old, &before, id));
    stream.take(4).await;

    let mut scheduler = replaced(&at, scheduler).await;
    let new = scheduler.log.identity().clone();
    assert_eq!((&new.id, new.generation), (&old.id, old.generation + 1));
    let mut farewell = json!({"type": "event", "event": "rebase_required", "data": {}});
    assert_eq!(plain.event().await, farewell);
    farewell["subscriptionId"] = answer["subscriptionId"].clone();
    assert_eq!(client.event().await, farewell);
    let last = stream.next().await.unwrap();
    assert_eq!((last.event.as_str(), last.id), ("rebase_required", None));
    assert_eq!(stream.next().await, None);

    // A session that never subscribed goes on with the new history; the subscription is over.
    let after = scheduler.tell(goal(1), 2).await;
    assert_eq!(plain.events(2).await, frames_of(&new, &after, None));
    assert!(client.has_nothing_more().await);
    let old_cursor = Cursor::at(&old, 2).to_string();
    let answer = client.subscribe(json!({"after": old_cursor})).await;
    assert_eq!((&answer["rebase_required"], answer["snapshot"].is_object()), (&json!(true), true));
    let all: Vec<_> = before.into_iter().chain(after).collect();
    let answer = client.subscribe(json!({"after": "start"})).await;
    let id = answer["subscriptionId"].as_str();
    assert_eq!(client.events(5).await, frames_of(&new, &all, id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rebase_a_session_that_never_subscribed_gets_what_is_new_and_not_the_whole_history() {
    let at = TestHome::new();
    let scheduler = Scheduler::start(&at).await;
    scheduler.commit(goal(1), 3_000).await;
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = replaced(&at, scheduler).await;
    assert_eq!(client.event().await["event"], "rebase_required");
    let told = scheduler.tell(goal(2), 2).await;
    assert_eq!(client.events(2).await, frames_of(scheduler.log.identity(), &told, None));
}

/// Puts the log back by hand, as it were: the scheduler that starts then gives it a new generation.
async fn replaced(at: &TestHome, scheduler: Scheduler) -> Scheduler {
    let log_id = scheduler.log.identity().id.clone();
    drop(scheduler);
    let mark = Mark { log_id, pos: 1_000_000, at_ms: 1 };
    let mut scheduler = Scheduler::start_behind(at, Some(mark)).await;
    scheduler.connect().await;
    scheduler
}

/// Reads so many events, whichever subscription brings them.
async fn read_some(client: &mut Client, seen: &mut Vec<Value>, limit: usize) {
    for _ in 0..limit {
        let mut frame = client.event().await;
        frame.as_object_mut().unwrap().remove("subscriptionId");
        seen.push(frame);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_resumes_at_a_new_gateway_is_told_every_event_once() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let identity = scheduler.log.identity().clone();
    let (mut all, mut seen) = (Vec::new(), Vec::new());
    let mut cursor = json!("start");
    for round in 0..5 {
        let gateway = at.gateway().await;
        scheduler.connect().await;
        all.extend(scheduler.tell(goal(1), 40).await);
        let mut client = Client::connect(gateway.address).await;
        let answer = client.subscribe(json!({"after": cursor})).await;
        assert_eq!(answer["rebase_required"], Value::Null);
        // Somewhere in the middle of the stream, the gateway stops.
        read_some(&mut client, &mut seen, 30 - round).await;
        cursor = seen.last().unwrap()["cursor"].clone();
        let (_, ()) = tokio::join!(client.closed(), gateway.stop());
        scheduler.link = None;
        all.extend(scheduler.commit(goal(2), 5).await);
    }
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    client.subscribe(json!({"after": cursor})).await;
    let rest = all.len() - seen.len();
    read_some(&mut client, &mut seen, rest).await;
    let expected: Vec<_> = all.iter().map(|record| frame_of(&identity, record, None)).collect();
    assert_eq!(seen, expected);
    assert!(client.has_nothing_more().await);
}
