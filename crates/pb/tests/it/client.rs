//! Clients that nobody here wrote: a WebSocket library of another language, and server-sent events.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::machine::{assert_gapless, json_lines};
use crate::tools;

const GOAL: &str = r#"
title = "一件小事"
[[items]]
id = "a"
kind = "command"
argv = ["sh", "-c", "echo 你好 > a"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "a" }]
"#;

/// A client that runs.
struct Plain<'e> {
    env: &'e TestEnv,
    child: Child,
    output: String,
}

impl<'e> Plain<'e> {
    #[expect(clippy::disallowed_methods, reason = "the test is the person who has a client")]
    fn start(env: &'e TestEnv, python: &Path, arguments: &[&str]) -> Self {
        let output = format!("client-{}", arguments.join("-").replace('/', "-"));
        let child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/client.py"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create(env.file(&output)).unwrap())
            .spawn()
            .unwrap();
        Self { env, child, output }
    }

    /// What it has printed so far, in whole lines.
    fn seen(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.env.file(&self.output)).unwrap();
        json_lines(text.rsplit_once('\n').map_or("", |(whole, _)| whole))
    }

    /// Waits until it has seen what it waits for.
    fn wait(mut self) -> Vec<Value> {
        let status = wait_until("the client ends", || self.child.try_wait().unwrap());
        assert!(status.success());
        self.seen()
    }
}

impl Drop for Plain<'_> {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a goal before the client comes and one after; gives what the client saw, and both goals.
fn follow_two_goals(env: &TestEnv, python: &Path, kind: &str) -> (Vec<Value>, [String; 2]) {
    env.write("goal.toml", GOAL);
    let before = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&before), Some(0));
    let client = Plain::start(env, python, &[kind, &env.address(), "2"]);
    wait_until("the client has the first goal", || {
        client.seen().last().is_some_and(|event| event["event"] == "goal.completed").then_some(())
    });
    let after = env.detach(&["goal.toml"]);
    (client.wait(), [before, after])
}

#[test]
fn a_plain_websocket_client_gets_every_event_in_order_from_the_start() {
    let Some(python) = tools::python() else { return };
    let env = TestEnv::new();
    let (seen, goals) = follow_two_goals(&env, &python, "websocket");
    let of = |goal: &String| -> Vec<Value> {
        seen.iter().filter(|event| event["data"]["goalId"] == **goal).cloned().collect()
    };
    let [before, after] = &goals;
    for goal in &goals {
        assert_gapless(&of(goal));
        let strip = |mut events: Vec<Value>| {
            for event in &mut events {
                event.as_object_mut().unwrap().remove("cursor");
            }
            events
        };
        assert_eq!(strip(of(goal)), strip(env.events(goal)), "as `pb goal watch` shows it");
    }
    assert_eq!([of(before), of(after)].concat(), seen, "and nothing else");

    // Each cursor resumes right after its event.
    let middle = seen.len() / 2;
    let cursor = seen[middle]["cursor"].as_str().unwrap();
    let rest = Plain::start(&env, &python, &["websocket", &env.address(), "1", cursor]).wait();
    assert_eq!(rest, seen[middle + 1..]);
}

#[test]
fn server_sent_events_tell_the_same() {
    let Some(python) = tools::python() else { return };
    let env = TestEnv::new();
    let (seen, goals) = follow_two_goals(&env, &python, "sse");
    let told = |event: &Value| json!([event["event"], event["data"]]);
    let expect: Vec<Value> =
        goals.iter().flat_map(|goal| env.events(goal)).map(|event| told(&event)).collect();
    assert_eq!(seen.iter().map(told).collect::<Vec<_>>(), expect);
}

#[test]
fn a_client_with_its_cursor_gets_each_event_once_across_a_killed_gateway() {
    let env = TestEnv::new();
    let goal = GOAL.replace("echo", "echo x > began; until [ -e go ]; do sleep 0.01; done; echo");
    env.write("goal.toml", &format!("workspace = \"out\"\n{goal}"));
    let goal = env.detach(&["goal.toml"]);
    let mut client = env.connect();
    client.call("events.subscribe", &json!({"goalId": goal, "after": "start"}));
    let mut seen = client.events_until("run.started");
    env.wait_lines("out/began", 1);
    env.kill9("gateway");
    assert!(client.next_event().is_none(), "the connection is lost");
    std::fs::write(env.file("out/go"), "").unwrap();
    wait_until("the work is done", || env.file("out/a").exists().then_some(()));
    env.start_daemon("gateway");

    let mut client = env.connect();
    let cursor = &seen.last().unwrap()["cursor"];
    let resumed = client.call("events.subscribe", &json!({"goalId": goal, "after": cursor}));
    assert_eq!(resumed["rebase_required"], Value::Null);
    seen.extend(client.events_until("goal.completed"));
    assert_gapless(&seen);
    assert_eq!(seen.len(), env.events(&goal).len());
}
