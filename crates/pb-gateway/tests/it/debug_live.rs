//! The WebSocket of the debug server: debug events as they come, and goals played again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pb_store::Trace;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::debug_server::{event, read, start};
use crate::support::{Client, Running, Scheduler, TestHome, another_user, goal_params};

/// How long the slow one reads nothing: its page is let go of within it.
const STALLED: Duration = Duration::from_millis(1500);
/// How long after its making a goal is planned, in milliseconds: longer than anybody waits for what is played.
const LONG_MS: u64 = 3_600_000;
/// How often is asked without reading: what is answered is more than a connection holds.
const ASKED: usize = 2_000;

async fn connect(debug: SocketAddr) -> Client {
    let stream = TcpStream::connect(debug).await.unwrap();
    Client::unknown(stream, debug, "/ws", &[]).await.unwrap()
}

async fn say(client: &mut Client, message: Value) {
    client.send(Message::text(message.to_string())).await;
}

async fn trace(at: &TestHome) -> Trace {
    Trace::open(at.home.trace_db(), "trace".to_owned(), "boot".to_owned()).await.unwrap()
}

/// The numbers of the next so many events.
async fn numbers(client: &mut Client, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let message = client.json().await;
        assert_eq!(message["type"], "event", "{message}");
        seen.push(message["data"]["data"]["n"].as_u64().unwrap());
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_as_they_are_written_to_each_as_it_asked() {
    let at = TestHome::new();
    let (_gateway, debug) = start(&at).await;
    let trace = trace(&at).await;
    trace.append((1..=3).map(event).collect()).await.unwrap();
    let (mut all, mut some) = (connect(debug).await, connect(debug).await);
    for client in [&mut all, &mut some] {
        let told = client.json().await;
        assert_eq!((&told["type"], &told["data"]["gatewayConnected"]), (&json!("status"), &json!(false)));
        assert_eq!(told["data"]["eventCount"], 3);
    }
    // What makes no sense is let go by; the last filter counts.
    for message in [
        json!("nonsense"),
        json!({"type": "subscribe", "types": 3}),
        json!({"type": "subscribe", "types": ["llm"]}),
        json!({"type": "subscribe", "types": ["tool.in"], "goalId": "goal_x"}),
    ] {
        say(&mut some, message).await;
    }
    some.pinged().await;
    trace.append((4..=9).map(event).collect()).await.unwrap();
    assert_eq!(numbers(&mut all, 6).await, [4, 5, 6, 7, 8, 9]);
    assert_eq!(numbers(&mut some, 3).await, [5, 7, 9]);
    let scheduler = Scheduler::connected(&at).await;
    for client in [&mut all, &mut some] {
        let told = client.json().await;
        assert_eq!((&told["type"], &told["data"]["gatewayConnected"]), (&json!("status"), &json!(true)));
    }
    drop(scheduler);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_delays_nobody_and_gets_everything_later() {
    let at = TestHome::new();
    let (_gateway, debug) = start(&at).await;
    let trace = trace(&at).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(debug).await.unwrap();
    let mut slow = Client::unknown(stream, debug, "/", &[]).await.unwrap();
    let mut healthy = connect(debug).await;
    for client in [&mut slow, &mut healthy] {
        assert_eq!(client.json().await["type"], "status");
    }
    let (began, mut next) = (Instant::now(), 1);
    while began.elapsed() < STALLED {
        trace.append((next..next + 500).map(event).collect()).await.unwrap();
        assert_eq!(numbers(&mut healthy, 500).await, (next..next + 500).collect::<Vec<_>>());
        next += 500;
    }
    let all = usize::try_from(next - 1).unwrap();
    assert_eq!(numbers(&mut slow, all).await, (1..next).collect::<Vec<_>>());
}

/// A goal of two items that was made and planned; its id, and its history.
async fn planned(at: &TestHome, gateway: &Running, debug: SocketAddr) -> (String, Vec<Value>) {
    let mut scheduler = Scheduler::connected(at).await;
    let mut asking = Client::connect(gateway.address).await;
    let work = json!({"kind": "command", "argv": ["true"], "effect": "pure"});
    let mut params = goal_params("再演");
    params["items"] = json!([{"id": "one", "work": work}, {"id": "two", "work": work}]);
    let (goal, told) = tokio::join!(asking.call("goal.submit", params), async {
        scheduler.bell().await;
        scheduler.execute().await
    });
    let goal = goal.unwrap()["id"].as_str().unwrap().to_owned();
    scheduler.plan_at(goal.parse().unwrap(), told[0].at_ms + LONG_MS).await;
    let history = read(debug, &format!("/api/replay/{goal}/events")).await;
    let history = history["events"].as_array().unwrap().clone();
    assert!(history.len() > 2, "{history:?}");
    (goal, history)
}

/// What was played so far, to the end.
async fn played(client: &mut Client) -> Vec<Value> {
    let mut played = Vec::new();
    loop {
        let message = client.json().await;
        match message["type"].as_str().unwrap() {
            "replay.event" => played.push(message),
            "replay.batch" => played.extend(message["events"].as_array().unwrap().clone()),
            "replay.complete" => return played,
            _ => panic!("{message}"),
        }
    }
}

async fn viewer(debug: SocketAddr) -> Client {
    let mut client = connect(debug).await;
    assert_eq!(client.json().await["type"], "status");
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_is_played_again_with_how_everything_stood() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let (goal, history) = planned(&at, &gateway, debug).await;
    let mut client = viewer(debug).await;
    say(&mut client, json!({"type": "replay.start", "goalId": goal, "speed": 1e9})).await;
    let played = played(&mut client).await;
    let events: Vec<_> = played.iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events, history);
    for one in &played {
        let cursor = one["event"]["cursor"].as_str().unwrap();
        let then = read(debug, &format!("/api/replay/{goal}/state/{cursor}")).await;
        assert_eq!(one["state"], then["state"]);
        let event = one["event"]["id"].as_str().unwrap();
        let diff = read(debug, &format!("/api/replay/{goal}/diff/{event}")).await;
        assert_eq!(one["diff"], diff["changes"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_that_is_played_waits_hurries_and_goes_where_it_is_told() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let (goal, history) = planned(&at, &gateway, debug).await;
    let mut client = viewer(debug).await;
    say(&mut client, json!({"type": "replay.start", "goalId": goal})).await;
    let first = client.json().await;
    assert_eq!((&first["type"], &first["event"]), (&json!("replay.event"), &history[0]));
    // The next would come in a minute: that it comes is the doing of what is said.
    say(&mut client, json!({"type": "replay.step", "direction": "forward"})).await;
    let second = client.json().await;
    assert_eq!((&second["type"], &second["event"]), (&json!("replay.event"), &history[1]));
    say(&mut client, json!({"type": "replay.step", "direction": "backward"})).await;
    let back = client.json().await;
    assert_eq!((&back["event"], &back["state"]), (&history[0], &first["state"]));
    say(&mut client, json!({"type": "replay.resume"})).await;
    assert_eq!(played(&mut client).await.len(), history.len() - 1, "what a pause ended goes on at once");
    let made_at = history[0]["timestamp"].as_u64().unwrap();
    say(&mut client, json!({"type": "replay.pause"})).await;
    say(&mut client, json!({"type": "replay.seek", "timestamp": made_at + LONG_MS - 1})).await;
    let sought = client.json().await;
    assert_eq!((&sought["event"], &sought["state"]), (&history[0], &first["state"]));
    assert!(!sought["diff"].as_array().unwrap().is_empty(), "from where it was");
    say(&mut client, json!({"type": "replay.seek", "timestamp": 1})).await;
    let begin = client.json().await;
    assert_eq!((&begin["event"], &begin["state"]["goal"]), (&Value::Null, &Value::Null));
    say(&mut client, json!({"type": "replay.resume"})).await;
    assert_eq!(client.json().await["event"], history[0]);
    say(&mut client, json!({"type": "replay.speed", "speed": 1e9})).await;
    assert_eq!(played(&mut client).await.len(), history.len() - 1, "a minute is short now");
    say(&mut client, json!({"type": "replay.step", "direction": "forward"})).await;
    assert_eq!(client.json().await["type"], "replay.complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_played_is_said_and_everything_goes_on() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let (goal, _) = planned(&at, &gateway, debug).await;
    let mut client = viewer(debug).await;
    let start = json!({"type": "replay.start", "goalId": goal, "speed": 1});
    for (message, why) in [
        (json!({"type": "replay.step", "direction": "forward"}), "send replay.start"),
        (json!({"type": "replay.start", "goalId": "nowhere"}), "not found"),
        (json!({"type": "replay.resume"}), "send replay.start"),
    ] {
        say(&mut client, message).await;
        let told = client.json().await;
        assert_eq!(told["type"], "replay.error", "{told}");
        assert!(told["error"].as_str().unwrap().contains(why), "{told}");
    }
    let mut others = Vec::new();
    for _ in 0..8 {
        let mut other = viewer(debug).await;
        say(&mut other, start.clone()).await;
        assert_eq!(other.json().await["type"], "replay.event");
        others.push(other);
    }
    say(&mut client, start.clone()).await;
    let refused = client.json().await;
    assert!(refused["error"].as_str().unwrap().contains("8 goals are played"), "{refused}");
    // One that ends makes room.
    say(&mut others[0], json!({"type": "replay.stop"})).await;
    others[0].pinged().await;
    say(&mut client, start).await;
    assert_eq!(client.json().await["type"], "replay.event");
    let ((), why) = tokio::join!(gateway.stop(), client.closed());
    assert_eq!(why, Some((1001, "Server shutting down".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_much_and_reads_nothing_is_answered_each_time_later() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let (goal, history) = planned(&at, &gateway, debug).await;
    let mut client = viewer(debug).await;
    say(&mut client, json!({"type": "replay.start", "goalId": goal})).await;
    assert_eq!(client.json().await["event"], history[0]);
    for _ in 0..ASKED {
        say(&mut client, json!({"type": "replay.seek", "timestamp": 99_999_999_999_999_u64})).await;
    }
    let mut answered = 0;
    while answered < ASKED {
        let told = client.json().await;
        // Between two of them it may have come to its end.
        if told["type"] == "replay.event" {
            assert_eq!(Some(&told["event"]), history.last());
            answered += 1;
        }
    }
    // A message that is longer than any that makes sense ends it.
    client.send_what_is_taken(" ".repeat(100 * 1024)).await;
    assert_eq!(client.closed().await.map(|(code, _)| code), Some(1009));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_01_to_07_the_websocket_of_the_debug_server_is_behind_the_door() {
    let at = TestHome::new();
    let (gateway, debug) = start(&at).await;
    let mut admin = Client::connect(gateway.address).await;
    let made = admin.call("token.create", json!({"name": "me", "permissions": ["admin"]})).await.unwrap();
    let (ours, bearer) = (format!("http://{debug}"), format!("Bearer {}", made["secret"].as_str().unwrap()));
    let (theirs, token) = (format!("http://{}", gateway.address), ("Authorization", bearer.as_str()));
    let wrong = ("Authorization", "Bearer x");
    for (path, headers, refused) in [
        ("/ws", vec![("Origin", "http://evil.example"), token], 403),
        ("/ws", vec![("Origin", "null"), token], 403),
        ("/ws", vec![("Origin", theirs.as_str()), token], 403),
        ("/ws", vec![("Host", "evil.example"), token], 403),
        ("/ws", vec![("Origin", ours.as_str())], 401),
        ("/any", vec![wrong], 401),
        ("/?token=x", vec![], 400),
    ] {
        let stream = TcpStream::connect(debug).await.unwrap();
        let answer = Client::unknown(stream, debug, path, &headers).await.err();
        assert_eq!(answer, Some(refused), "{path} {headers:?}");
    }
    if let Some(stream) = another_user(debug) {
        assert_eq!(Client::unknown(stream, debug, "/ws", &[]).await.err(), Some(401));
    }
    let stream = TcpStream::connect(debug).await.unwrap();
    let mut client = Client::unknown(stream, debug, "/ws", &[("Origin", &ours), token]).await.unwrap();
    assert_eq!(client.json().await["type"], "status");
    admin.call("token.revoke", json!({"tokenId": made["token"]["id"]})).await.unwrap();
    assert_eq!(client.closed().await, Some((4003, "token_revoked".to_owned())));
}
