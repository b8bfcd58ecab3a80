//! The examples of docs/RPC.md are run: what is sent there is sent, and what comes back is what stands there.

use pb_model::GoalId;
use serde_json::Value;

use crate::support::{Client, Scheduler, Sse, TestHome, goal};

/// Stands in the page for the rest of a text, or, as a key or an element, for more of them.
const REST: &str = "…";
/// Numbers from here on are times, and any time will do.
const TIME_FROM: u64 = 1_000_000_000_000;

/// Whether what came is what the page shows.
fn is_like(shown: &Value, came: &Value) -> bool {
    match (shown, came) {
        (Value::String(shown), Value::String(came)) => match shown.split_once(REST) {
            Some((start, _)) => came.starts_with(start),
            None => shown == came,
        },
        (Value::Number(shown), Value::Number(came)) => match (shown.as_u64(), came.as_u64()) {
            (Some(shown), Some(came)) if shown >= TIME_FROM => came >= TIME_FROM,
            _ => shown == came,
        },
        (Value::Array(shown), Value::Array(came)) => {
            let has_rest = shown.last().is_some_and(|last| last == REST);
            let exact = &shown[..shown.len() - usize::from(has_rest)];
            (has_rest || exact.len() == came.len())
                && exact.len() <= came.len()
                && exact.iter().zip(came).all(|(shown, came)| is_like(shown, came))
        }
        (Value::Object(shown), Value::Object(came)) => {
            let exact: Vec<_> = shown.iter().filter(|(key, _)| *key != REST).collect();
            let has_rest = exact.len() < shown.len();
            (has_rest || exact.len() == came.len())
                && exact.iter().all(|(key, shown)| came.get(*key).is_some_and(|came| is_like(shown, came)))
        }
        (shown, came) => shown == came,
    }
}

/// What the page's own words name.
struct Stage {
    scheduler: Scheduler,
    /// The cursor of the last event that a client was sent.
    cursor: String,
    last_goal: Option<GoalId>,
}

impl Stage {
    async fn act(&mut self, words: &str) {
        match words {
            "nobody has asked for anything yet" => {}
            "a scheduler takes it" => {
                // Its answer waits for this, so the request is in the inbox in a moment.
                crate::support::eventually("the goal is in the inbox", async || {
                    !self.scheduler.inbox().await.is_empty()
                })
                .await;
                let events = self.scheduler.execute().await;
                self.last_goal = events.first().map(|event| event.goal.parse().unwrap());
            }
            "something more happens to the goal" => {
                self.scheduler.tell(self.last_goal.unwrap(), 1).await;
            }
            "a thousand events happen that the filter hides" => {
                self.scheduler.tell(goal(7), 1_000).await;
            }
            other => panic!("the page says what no test does: {other}"),
        }
    }
}

/// Runs one block on a connection of its own.
async fn run_frames(at: std::net::SocketAddr, stage: &mut Stage, block: &str) {
    let mut client = Client::connect(at).await;
    let greeting = client.greeting.clone();
    // What the page does not show is the greeting, and what a session is sent before it asks.
    let mut is_greeted = !block.contains("connection.authenticated");
    for line in block.lines() {
        if let Some(words) = line.strip_prefix("# ") {
            stage.act(words).await;
        } else if let Some(sent) = line.strip_prefix("-> ") {
            client
                .send(tokio_tungstenite::tungstenite::Message::text(sent.replace("c1.…", &stage.cursor)))
                .await;
        } else if let Some(shown) = line.strip_prefix("<- ") {
            let shown: Value = serde_json::from_str(shown).unwrap();
            let came = if !std::mem::replace(&mut is_greeted, true) {
                greeting.clone()
            } else if shown["type"] == "res" {
                client.answer().await
            } else {
                client.event().await
            };
            assert!(is_like(&shown, &came), "the page shows\n{shown}\nand there came\n{came}");
            if let Some(cursor) = came["cursor"].as_str() {
                cursor.clone_into(&mut stage.cursor);
            }
        } else {
            panic!("not a line of frames: {line}");
        }
    }
}

async fn run_sse(at: std::net::SocketAddr, block: &str) {
    let (request, events) = block.split_once('\n').unwrap();
    let mut stream = Sse::open(at, request.strip_prefix("GET ").unwrap(), &[]).await;
    for event in events.split("\n\n") {
        let field = |name: &str| {
            event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap().to_owned()
        };
        let came = stream.next().await.unwrap();
        let shown = [Value::from(field("id")), Value::from(field("event"))];
        assert!(is_like(&shown[0], &Value::from(came.id.unwrap())) && shown[1] == came.event, "{event}");
        let data: Value = serde_json::from_str(&field("data")).unwrap();
        assert!(is_like(&data, &came.data), "the page shows\n{data}\nand there came\n{}", came.data);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_does_what_the_page_says() {
    let page = include_str!("../../../../docs/RPC.md");
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let scheduler = Scheduler::connected(&at).await;
    let mut stage = Stage { scheduler, cursor: String::new(), last_goal: None };
    let (mut frames, mut streams) = (0, 0);
    for part in page.split("\n```frames\n").skip(1) {
        run_frames(gateway.address, &mut stage, part.split("\n```").next().unwrap()).await;
        frames += 1;
    }
    for part in page.split("\n```sse\n").skip(1) {
        run_sse(gateway.address, part.split("\n```").next().unwrap()).await;
        streams += 1;
    }
    assert_eq!((frames, streams), (9, 1));
}

#[test]
fn a_page_that_shows_something_else_is_seen() {
    let is_like = |shown: &str, came: &str| {
        super::rpc_page::is_like(&serde_json::from_str(shown).unwrap(), &serde_json::from_str(came).unwrap())
    };
    for (shown, came) in [
        (r#"{"a":"c1.…","b":1790000000000}"#, r#"{"a":"c1.xyz","b":1890000000000}"#),
        (r#"{"a":1,"…":0}"#, r#"{"a":1,"b":2}"#),
        (r#"[1,"…"]"#, "[1,2,3]"),
    ] {
        assert!(is_like(shown, came), "{shown}");
    }
    for (shown, came) in [
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1,"…":0}"#, r#"{"b":2}"#),
        (r#"{"a":"c1.…"}"#, r#"{"a":"c2.x"}"#),
        (r#"{"a":7}"#, r#"{"a":8}"#),
        ("[1]", "[1,2]"),
        (r#"[1,2,"…"]"#, "[1]"),
    ] {
        assert!(!is_like(shown, came), "{shown}");
    }
}
