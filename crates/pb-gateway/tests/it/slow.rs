//! A slow client costs nobody anything: it has a position, not a queue.

use std::time::{Duration, Instant};

use pb_store::EventRecord;
use serde_json::json;

use crate::support::{Client, Scheduler, Sse, TestHome, frame_of, goal};

/// How long the slow ones read nothing: their page is let go of within it.
const STALLED: Duration = Duration::from_millis(1500);
/// More events than the gateway keeps in memory.
const EVENTS_MIN: usize = 32_000;
/// Longest that the healthy client may be kept waiting, on a machine with better things to do.
const DELAY_MAX: Duration = Duration::from_secs(1);

async fn check(
    client: &mut Client,
    scheduler: &Scheduler,
    records: &[EventRecord],
    subscription: Option<&str>,
) {
    for record in records {
        let expected = frame_of(scheduler.log.identity(), record, subscription);
        assert_eq!(client.event().await, expected);
    }
}

/// With longer ones a client on loopback that was slow once waits 40 ms for each, for an acknowledgement.
#[tokio::test]
async fn two_segments_fit_into_what_the_kernel_holds_for_a_client() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let segment = socket2::SockRef::from(&stream).tcp_mss().unwrap();
    assert!(segment <= 16 * 1024, "{segment}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_read_delay_nobody_and_later_get_everything() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let (mut slow, mut healthy) =
        (Client::narrow(gateway.address).await, Client::connect(gateway.address).await);
    let mut slow_stream = Sse::open(gateway.address, "/events", &[]).await;
    slow_stream.take(1).await;
    let subscribed = slow.subscribe(json!({"after": "start"})).await;
    let (began, mut worst) = (Instant::now(), Duration::ZERO);
    let mut all: Vec<EventRecord> = Vec::new();
    while began.elapsed() < STALLED || all.len() < EVENTS_MIN {
        let records = scheduler.commit_sized(goal(1), 200, 300).await;
        let committed = Instant::now();
        scheduler.offer(&records).await;
        check(&mut healthy, &scheduler, &records, None).await;
        worst = worst.max(committed.elapsed());
        all.extend(records);
    }
    assert!(worst < DELAY_MAX, "{worst:?}");
    check(&mut slow, &scheduler, &all, subscribed["subscriptionId"].as_str()).await;
    assert!(slow.has_nothing_more().await);
    for record in &all {
        let event = slow_stream.next().await.unwrap();
        let expected = frame_of(scheduler.log.identity(), record, None);
        assert_eq!(
            (event.id.as_deref(), event.data),
            (expected["cursor"].as_str(), expected["data"].clone())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_answers_delays_nobody() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (mut slow, mut healthy) =
        (Client::narrow(gateway.address).await, Client::connect(gateway.address).await);
    let request = json!({"type": "req", "id": "i".repeat(2000), "method": "system.ping"}).to_string();
    for _ in 0..30 {
        slow.send(request.clone()).await;
    }
    healthy.ping().await;
    for _ in 0..30 {
        assert_eq!(slow.answer().await["result"]["pong"], true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_sent_to_its_end() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let scheduler = Scheduler::connected(&at).await;
    let mut count = 0;
    for _ in 0..60 {
        count += scheduler.commit_sized(goal(1), 1000, 200).await.len();
    }
    let mut client = Client::connect(gateway.address).await;
    client.subscribe(json!({"after": "start"})).await;
    for number in 1..=count {
        assert_eq!(client.event().await["seq"], number);
    }
}
