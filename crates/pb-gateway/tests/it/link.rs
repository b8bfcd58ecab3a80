//! The scheduler's role on the socket belongs to the process that holds `scheduler.lock`, with the
//! log that the gateway reads; what is wrong on its lines costs nobody anything.

use std::fs;

use pb_protocol::ipc::{Connect, Frame};
use pb_protocol::line::LINE_BYTES_MAX;
use pb_runtime::{LockHolder, ProcessLock, process};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Client, Peer, Scheduler, TestHome, eventually, frames_of, goal};

/// What a refused connection is told; it gets no role, and the end.
async fn told(peer: &mut Peer) -> String {
    let Some(Frame::Refused(refused)) = peer.frame().await else { panic!("not refused") };
    assert!(peer.frame().await.is_none(), "closed");
    refused.error
}

async fn is_connected(client: &mut Client) -> bool {
    let status = client.call("system.status", json!({})).await.unwrap();
    status["scheduler"]["isConnected"].as_bool().unwrap()
}

/// A lock that is held and names a process that is alive, and is not this one.
fn name_another(at: &TestHome) -> (ProcessLock, u32) {
    let lock = ProcessLock::acquire(&at.home.scheduler_lock(), 1).unwrap();
    let mut holder = lock.holder.clone();
    holder.pid = rustix::process::getppid().unwrap().as_raw_pid().cast_unsigned();
    holder.start_time = process::start_time(holder.pid).unwrap();
    fs::write(at.home.scheduler_lock(), serde_json::to_string(&holder).unwrap()).unwrap();
    assert_eq!(LockHolder::alive(&at.home.scheduler_lock()), Some(holder.clone()));
    (lock, holder.pid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_12_a_process_that_does_not_hold_the_lock_is_refused_and_gets_no_role() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut peer = Peer::connect(&at.home.gateway_socket()).await;
    let lock = at.home.scheduler_lock();
    assert_eq!(
        told(&mut peer).await,
        format!("the link is for the scheduler; nobody alive holds {}", lock.display())
    );
    let (_lock, holder) = name_another(&at);
    let mut peer = Peer::connect(&at.home.gateway_socket()).await;
    assert_eq!(
        told(&mut peer).await,
        format!(
            "the link is for the scheduler; {} names the process {holder}, this is {}",
            lock.display(),
            std::process::id()
        )
    );
    assert!(!is_connected(&mut client).await);
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_holder_with_another_log_or_no_log_is_refused_in_words() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let scheduler = Scheduler::start(&at).await;
    let hello = scheduler.hello();
    let log = hello.log.clone().unwrap();
    let with = |log| Connect { log: Some(log), ..hello.clone() };
    let other = at.home.root().join("other.db");
    for (hello, words) in [
        (Connect { log: None, ..hello.clone() }, "a scheduler without a log is of an old version"),
        (Connect { client_type: "web".to_owned(), ..hello.clone() }, "`web` is not `scheduler-daemon`"),
        (with(pb_protocol::ipc::LogAddress { schema: 99, ..log.clone() }), "has schema 99"),
        (
            with(pb_protocol::ipc::LogAddress { path: other.to_str().unwrap().to_owned(), ..log.clone() }),
            "other.db, this gateway reads",
        ),
        (
            with(pb_protocol::ipc::LogAddress { generation: 2, ..log.clone() }),
            "(generation 2), this gateway finds",
        ),
        (with(pb_protocol::ipc::LogAddress { id: "x".to_owned(), ..log }), "the scheduler's log is x"),
    ] {
        let mut peer = Peer::connect(&at.home.gateway_socket()).await;
        peer.send(&Frame::Connect(hello)).await;
        let said = told(&mut peer).await;
        assert!(said.contains(words), "{said}");
        assert!(!is_connected(&mut client).await);
    }
    for first in ["{\"type\":\"pong\"}\n", "nonsense\n", "{\"type\":\"connect\",\"data\":{\"pid\":\"x\"}}\n"]
    {
        let mut peer = Peer::connect(&at.home.gateway_socket()).await;
        peer.send_bytes(first.as_bytes()).await;
        assert_eq!(told(&mut peer).await, "the first line must be `connect`, within 5 s");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_not_understood_is_skipped_and_the_next_one_read() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut long = vec![b'x'; LINE_BYTES_MAX + 1];
    long.push(b'\n');
    for line in [
        &b"\n"[..],
        b"nonsense\n",
        b"null\n",
        b"\xff\xfe\n",
        b"{\"type\":\"llm_delta\",\"data\":{}}\n",
        b"{\"type\":\"scheduler_event\",\"data\":{\"pos\":\"x\"}}\n",
        b"{\"type\":\"scheduler_event\",\"data\":{\"type\":\"goal_started\",\"timestamp\":1}}\n",
        b"{\"type\":\"scheduler_command_result\",\"data\":{\"requestId\":\"none\",\"success\":true}}\n",
        b"{\"type\":\"pong\"}\n",
        &long,
    ] {
        scheduler.link().send_bytes(line).await;
        let told = scheduler.tell(goal(1), 1).await;
        assert_eq!(client.events(1).await, frames_of(&identity, &told, None));
    }
    assert!(is_connected(&mut client).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_connection_of_the_scheduler_takes_the_place_of_the_one_before() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    for _ in 0..5 {
        // Admitted before it is replaced.
        let told = scheduler.tell(goal(1), 1).await;
        assert_eq!(client.events(1).await, frames_of(&identity, &told, None));
        let mut before = scheduler.link.take().unwrap();
        scheduler.connect().await;
        assert!(before.frame().await.is_none(), "let go");
    }
    assert!(is_connected(&mut client).await);
    scheduler.link().send(&Frame::Disconnect(pb_protocol::ipc::Disconnect { reason: None })).await;
    eventually("it said goodbye", async || !is_connected(&mut client).await).await;
}

#[tokio::test]
async fn a_silent_scheduler_is_pinged_each_half_minute_and_let_go_after_a_minute() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    eventually("it is connected", async || is_connected(&mut client).await).await;
    // From here on the clock runs as fast as nothing else does.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let mut link = scheduler.link.take().unwrap();
    for _ in 0..3 {
        assert!(matches!(link.frame_at_last().await, Some(Frame::Ping)));
        link.send(&Frame::Pong).await;
    }
    let spoke = began.elapsed().as_secs();
    assert!((88..=92).contains(&spoke), "{spoke}");
    while let Some(frame) = link.frame_at_last().await {
        assert!(matches!(frame, Frame::Ping), "{frame:?}");
    }
    let silent = began.elapsed().as_secs() - spoke;
    assert!((59..=62).contains(&silent), "{silent}");
}
