//! A scheduler of ours at a gateway of the first implementation: it sends `ping`, and never a bell.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pb_runtime::{Clock, Ids};
use pb_store::{Inbox, InboxReader, Location, NewCommand};
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};

/// How late a command is seen that nobody rang for, at most: it is looked each second.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// What the old gateway read, line by line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Value>>>);

impl Lines {
    fn of(&self, kind: &str) -> Vec<Value> {
        self.0.lock().unwrap().iter().filter(|line| line["type"] == kind).cloned().collect()
    }
}

/// Takes one connection on the gateway's socket, pings it once and reads it to its end.
fn old_gateway(env: &TestEnv) -> (Lines, std::thread::JoinHandle<()>) {
    let socket = env.home().join("gateway.sock");
    let _ = std::fs::remove_file(&socket); // A killed gateway left it.
    let listener = UnixListener::bind(socket).unwrap();
    let lines = Lines::default();
    let read = lines.clone();
    let serving = std::thread::spawn(move || {
        let (mut stream, _): (UnixStream, _) = listener.accept().unwrap();
        stream.write_all(b"{\"type\":\"ping\",\"timestamp\":1}\n").unwrap();
        for line in BufReader::new(stream).lines() {
            read.0.lock().unwrap().push(serde_json::from_str(&line.unwrap()).unwrap());
        }
    });
    (lines, serving)
}

fn submission(env: &TestEnv, file: &str) -> Value {
    json!({
        "title": "一件小事",
        "description": "d",
        "success_criteria": [],
        "workspace": env.file("out"),
        "items": [{
            "id": "a",
            "work": {"kind": "command", "argv": ["touch", file], "effect": "idempotent"},
            "gates": [{"kind": "file_exists", "path": file, "required": true}],
        }],
    })
}

/// The command that waits, and the same for another goal and another file.
async fn another(env: &TestEnv) -> NewCommand {
    let reader = InboxReader::open(&env.home().join("gateway.db")).await.unwrap();
    let row = reader.after(0, 10).await.unwrap().pop().unwrap().command;
    let goal = format!("goal_{}", Ids::random(Clock::System).uuid().simple());
    let params = row.params.replace(&row.goal, &goal).replace("first", "second");
    NewCommand { id: "another".to_owned(), params, goal, ..row }
}

#[test]
fn a_scheduler_works_with_a_gateway_that_only_pings_and_never_rings() {
    let env = TestEnv::new();
    env.start_daemon("gateway");
    let goal = env.connect().call("goal.submit", &submission(&env, "first"))["id"].clone();
    env.kill9("gateway");
    let (lines, serving) = old_gateway(&env);
    env.start_daemon("scheduler");
    wait_until("the goal that waited is done", || env.file("out/first").exists().then_some(()));

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let asked = runtime.block_on(async {
        let command = another(&env).await;
        let inbox = Inbox::open(Location::File(env.home().join("gateway.db")), "x".to_owned()).await.unwrap();
        inbox.put(command).await.unwrap();
        Instant::now()
    });
    wait_until("the goal that nobody rang for is done", || env.file("out/second").exists().then_some(()));
    assert!(asked.elapsed() < SEEN_WITHIN, "{:?}", asked.elapsed());

    wait_until("both ends are told", || (named(&lines, "goal_completed").len() == 2).then_some(()));
    assert_eq!(lines.of("pong").len(), 1);
    // It knows these frames and keys; what is ours stands beside them.
    let hello = &lines.of("connect")[0];
    assert_eq!(hello["data"]["clientType"], "scheduler-daemon");
    assert!(hello["data"]["pid"].is_u64() && hello["data"]["version"].is_string(), "{hello}");
    let completed = &named(&lines, "goal_completed")[0]["data"];
    assert_eq!(completed["goalId"], goal);
    assert!(completed["timestamp"].is_u64(), "{completed}");
    assert!(!named(&lines, "work_item_started").is_empty() && !named(&lines, "run_completed").is_empty());

    let ran = env.pb(["scheduler", "stop"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    serving.join().unwrap();
    assert_eq!(lines.of("disconnect")[0]["data"], json!({"reason": "client_shutdown"}));
}

fn named(lines: &Lines, name: &str) -> Vec<Value> {
    lines.of("scheduler_event").into_iter().filter(|line| line["data"]["type"] == name).collect()
}
