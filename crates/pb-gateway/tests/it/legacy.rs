//! Schedulers that keep no log, such as the first implementation's: shown live, marked, given nothing.

use pb_protocol::ipc::Frame;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{
    Client, Peer, Running, Scheduler, Sse, TestHome, eventually, frames_of, goal, goal_params,
};

/// What its daemon says first.
const HELLO: &str = "{\"type\":\"connect\",\"timestamp\":1,\"data\":{\"clientType\":\"scheduler-daemon\",\"version\":\"1.0.0\",\"pid\":1243}}\n";
/// A goal of its own, and an event of none.
const EVENTS: [&str; 4] = [
    r#"{"type":"scheduler_event","timestamp":9,"data":{"type":"goal_started","timestamp":2,"goalId":"2c93f675"}}"#,
    r#"{"type":"debug_event","timestamp":9,"data":{"id":"x","timestamp":3,"type":"scheduler.run.started","source":"scheduler","data":{}}}"#,
    r#"{"type":"scheduler_event","timestamp":9,"data":{"type":"run_completed","timestamp":4,"goalId":"2c93f675","workItemId":"w","runId":"r","data":{"success":true}}}"#,
    r#"{"type":"scheduler_event","timestamp":9,"data":{"type":"budget_exceeded","timestamp":5}}"#,
];

fn shown(kind: &str, data: &Value) -> Value {
    let at = data["timestamp"].clone();
    json!({"type": "event", "event": kind, "data": data, "at": at, "legacy": true})
}

fn all_shown() -> [Value; 3] {
    [
        shown("goal.started", &json!({"goalId": "2c93f675", "timestamp": 2, "legacy": true})),
        shown(
            "run.completed",
            &json!({
                "workItemId": "w", "goalId": "2c93f675", "runId": "r", "success": true, "timestamp": 4, "legacy": true
            }),
        ),
        shown("budget.exceeded", &json!({"timestamp": 5, "legacy": true})),
    ]
}

async fn gateway(at: &TestHome) -> Running {
    let mut config = at.config();
    config.legacy_peers = true;
    Running::start(config).await.unwrap()
}

async fn old_scheduler(at: &TestHome, client: &mut Client, nth: u64) -> Peer {
    let mut peer = Peer::connect(&at.home.gateway_socket()).await;
    peer.send_bytes(HELLO.as_bytes()).await;
    eventually("it is connected", async || status(client).await["legacyPeers"] == nth).await;
    peer
}

async fn status(client: &mut Client) -> Value {
    client.call("system.status", json!({})).await.unwrap()["scheduler"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_says_is_shown_live_to_all_and_is_in_no_cursor() {
    let at = TestHome::new();
    let gateway = gateway(&at).await;
    let (mut plain, mut subscribed) =
        (Client::connect(gateway.address).await, Client::connect(gateway.address).await);
    subscribed.subscribe(json!({"after": "start"})).await;
    let mut filtered = Client::connect(gateway.address).await;
    filtered.subscribe(json!({"after": "start", "kinds": ["run.*"]})).await;
    let mut stream = Sse::open(gateway.address, "/events", &[]).await;
    stream.take(1).await;
    // Nobody holds the lock: it is not asked for.
    let mut old = old_scheduler(&at, &mut plain, 1).await;
    assert_eq!(status(&mut plain).await["isConnected"], false);
    for line in EVENTS {
        old.send_bytes(format!("{line}\n").as_bytes()).await;
    }
    let all = all_shown();
    assert_eq!(plain.events(3).await, all);
    assert_eq!(subscribed.events(3).await, all);
    assert_eq!(filtered.events(1).await, all[1..2]);
    let told: Vec<_> = stream.take(3).await.into_iter().map(|event| (event.id, event.data)).collect();
    let expect: Vec<_> = all.iter().map(|frame| (None, frame["data"].clone())).collect();
    assert_eq!(told, expect);
    for client in [&mut plain, &mut subscribed, &mut filtered] {
        assert!(client.has_nothing_more().await);
    }
    drop(old);
    eventually("it left", async || status(&mut plain).await.get("legacyPeers").is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_given_no_command_and_takes_nothing_from_the_scheduler_that_keeps_the_log() {
    let at = TestHome::new();
    let gateway = gateway(&at).await;
    let mut client = Client::connect(gateway.address).await;
    let mut first = old_scheduler(&at, &mut client, 1).await;
    let waiting = client.call("goal.submit", goal_params("一")).await.unwrap();
    assert_eq!((&waiting["status"], &waiting["waiting"]), (&json!("queued"), &json!(true)));
    let mut scheduler = Scheduler::connected(&at).await;
    assert_eq!(json!(scheduler.bell().await), waiting["id"]);
    let second = old_scheduler(&at, &mut client, 2).await;
    assert_eq!(status(&mut client).await["isConnected"], true);
    let told = scheduler.tell(goal(1), 2).await;
    let identity = scheduler.log.identity().clone();
    assert_eq!(client.events(2).await, frames_of(&identity, &told, None));
    // A line of its own that claims a place in the log moves nothing there.
    let lie = EVENTS[0].replace("\"timestamp\":2", "\"timestamp\":2,\"pos\":3,\"gen\":1,\"seq\":3");
    first.send_bytes(format!("{lie}\n").as_bytes()).await;
    assert_eq!(client.events(1).await, all_shown()[..1]);
    drop(second);
    // It was told nothing: what comes next for it is the end.
    gateway.stop().await;
    assert!(first.frame().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_keeps_a_log_is_asked_for_the_lock_all_the_same() {
    let at = TestHome::new();
    let _gateway = gateway(&at).await;
    let scheduler = Scheduler::start(&at).await;
    let hello = scheduler.hello();
    drop(scheduler);
    std::fs::remove_file(at.home.scheduler_lock()).unwrap();
    let mut peer = Peer::connect(&at.home.gateway_socket()).await;
    peer.send(&Frame::Connect(hello)).await;
    let Some(Frame::Refused(refused)) = peer.frame().await else { panic!("not refused") };
    assert!(refused.error.contains("nobody alive holds"), "{}", refused.error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_says_beside_events_harms_nothing_and_its_goodbye_ends_it() {
    let at = TestHome::new();
    let gateway = gateway(&at).await;
    let mut client = Client::connect(gateway.address).await;
    let mut old = old_scheduler(&at, &mut client, 1).await;
    let odd = [
        "not JSON",
        "null",
        "[]",
        r#"{"type":"pong","timestamp":1}"#,
        r#"{"type":"connect","timestamp":1}"#,
        r#"{"type":"heartbeat_v2","timestamp":1,"data":{"load":0.5}}"#,
        r#"{"type":"scheduler_command_result","timestamp":1,"data":{"requestId":"ipc-cmd-1-abcdef","success":true}}"#,
        r#"{"type":"scheduler_event","timestamp":1,"data":{"type":"moon_risen","timestamp":1}}"#,
    ];
    // Keys that are not known, around an event and in it, are passed over.
    let newer = EVENTS[0].replace("\"timestamp\":9", "\"timestamp\":9,\"trace\":{\"id\":7}");
    let newer = newer.replace("\"timestamp\":2", "\"timestamp\":2,\"colour\":\"绿\"");
    for line in odd.into_iter().chain([newer.as_str()]) {
        old.send_bytes(format!("{line}\n").as_bytes()).await;
    }
    assert_eq!(client.events(1).await, all_shown()[..1]);
    old.send_bytes(b"{\"type\":\"disconnect\",\"timestamp\":1,\"data\":{\"reason\":\"client_shutdown\"}}\n")
        .await;
    assert!(old.frame().await.is_none(), "the gateway closes");
    eventually("it left", async || status(&mut client).await.get("legacyPeers").is_none()).await;
}
