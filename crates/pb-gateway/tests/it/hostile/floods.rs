//! More than anybody needs: pings, requests, connections.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::json;

use crate::support::{
    Beside, Exposition, Raw, Running, TestHome, eventually, get, masked_frame, tell, upgrade, within,
};

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x0a;

/// How long nothing is taken before a socket counts as full.
const FULL_AFTER: Duration = Duration::from_millis(300);
/// How often somebody comes and goes.
const VISITS: usize = 10_000;
/// Visitors at once.
const VISITORS: usize = 16;

async fn series(gateway: &Running, name: &str) -> f64 {
    Exposition::read(&get(gateway.address, "/metrics", &[]).await.body).value(name)
}

/// Every ping may be answered with the latest alone (RFC 6455 §5.5.3), and is when many come at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_without_end_are_answered_with_few_pongs_of_which_the_last_is_the_last() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let mut client = Raw::upgraded(gateway.address).await;
    let (mut sent, mut pings) = (0_u32, Vec::new());
    for _ in 0..100 {
        pings.clear();
        for _ in 0..1_000 {
            sent += 1;
            pings.extend(masked_frame(PING, &sent.to_be_bytes()));
        }
        assert!(client.send(&pings).await);
    }
    let (mut answers, mut last) = (0, 0);
    while last < sent {
        let (opcode, payload) = client.frame().await.expect("pongs");
        if opcode == PONG {
            let number = u32::from_be_bytes(payload.try_into().unwrap());
            assert!(number > last, "{number} after {last}");
            (answers, last) = (answers + 1, number);
        }
    }
    assert!(answers <= sent / 10, "{answers} pongs for {sent} pings");
    tell(format_args!("{answers} pongs for {sent} pings"));
    beside.finish().await;
}

/// Nobody reads the pongs: they are not kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_of_one_who_does_not_read_cost_no_memory() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let pings = masked_frame(PING, &[b'p'; 125]).repeat(1_000);
    let before = pb_runtime::process::resident_memory_kib(std::process::id()).unwrap();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Raw::upgraded(gateway.address).await;
        for _ in 0..50 {
            client.send(&pings).await;
        }
        clients.push(client);
    }
    let grown = pb_runtime::process::resident_memory_kib(std::process::id()).unwrap().saturating_sub(before);
    assert!(grown < 32 * 1024, "a million pings cost {grown} KiB");
    beside.finish().await;
}

/// At most 16 requests are in work; the others stay in the socket, and its owner is held up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_one_who_does_not_read_answers_stay_in_the_socket() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    let mut client = Raw::upgraded(gateway.address).await;
    // The answer repeats the id, so answers fill the way back as fast as requests the way here.
    let request = |n: u32| {
        let id = format!("{n:06}{}", "i".repeat(2_000));
        masked_frame(TEXT, json!({"type": "req", "id": id, "method": "system.ping"}).to_string().as_bytes())
    };
    let (mut asked, mut rest) = (0_u32, Vec::new());
    loop {
        if rest.is_empty() {
            rest = request(asked);
            asked += 1;
        }
        if tokio::time::timeout(FULL_AFTER, client.stream.writable()).await.is_err() {
            break; // The gateway reads no more.
        }
        match client.stream.try_write(&rest) {
            Ok(count) => drop(rest.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        assert!(asked < 200_000, "it takes requests without end");
    }
    let held = series(&gateway, "pb_messages_received_total").await;
    tell(format_args!(
        "{asked} requests were taken by the kernel, and {held} by the gateway, with all of who behaves"
    ));
    // All of them are answered, once each, as soon as somebody reads.
    let mut seen = vec![false; asked as usize];
    for n in 0..asked {
        if n + 1 == asked {
            assert!(client.send(&rest).await);
        }
        let answer = client.answer().await;
        let number: usize = answer["id"].as_str().unwrap()[..6].parse().unwrap();
        assert!(!std::mem::replace(&mut seen[number], true), "{number} is answered twice");
    }
    beside.finish().await;
}

/// Comes and goes, each time in another way.
async fn visit(gateway: &Running, n: usize) {
    let mut raw = Raw::silent(gateway.address).await;
    // A reset leaves no port behind that waits.
    socket2::SockRef::from(&raw.stream).set_linger(Some(Duration::ZERO)).unwrap();
    match n % 6 {
        0 => {}
        1 => _ = raw.send(b"GET / HT").await,
        2 => _ = raw.send(&upgrade(gateway.address)).await,
        3 => {
            assert!(raw.send(&upgrade(gateway.address)).await);
            raw.http_head().await;
        }
        4 => {
            assert!(raw.send(&upgrade(gateway.address)).await);
            raw.http_head().await;
            let request = br#"{"type":"req","id":"1","method":"events.subscribe","params":{"after":"start","deltas":true}}"#;
            let _ = raw.send(&masked_frame(TEXT, request)).await;
        }
        _ => {
            assert!(raw.send(&upgrade(gateway.address)).await);
            raw.http_head().await;
            let _ = raw.send(&masked_frame(0x01, b"{")).await;
            let _ = raw.send(&masked_frame(0x88, b"")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_who_come_and_go_leave_nothing_behind() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let beside = Beside::start(gateway.address).await;
    for n in 0..60 {
        visit(&gateway, n).await;
    }
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let descriptors = || pb_runtime::process::open_descriptors(std::process::id()).unwrap();
    let settled = async |what: &str| {
        eventually(what, async || series(&gateway, "pb_sessions").await < 1.5).await;
        (tasks(), descriptors())
    };
    let (tasks_before, descriptors_before) = settled("the first are gone").await;
    let work = async {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let visitor = async || loop {
            let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if n >= VISITS {
                return;
            }
            visit(&gateway, n).await;
        };
        let visitors: Vec<_> = (0..VISITORS).map(|_| visitor()).collect();
        futures_util::future::join_all(visitors).await;
    };
    tokio::time::timeout(3 * Duration::from_secs(30), work).await.expect("they come and go in time");
    let mut after = (usize::MAX, u64::MAX);
    eventually("nothing is left of them", async || {
        after = settled("they are gone").await;
        after.0 <= tasks_before + 4 && after.1 <= descriptors_before + 4
    })
    .await;
    tell(format_args!(
        "tasks {tasks_before} -> {}, descriptors {descriptors_before} -> {}",
        after.0, after.1
    ));
    within("the end", beside.finish()).await;
}
