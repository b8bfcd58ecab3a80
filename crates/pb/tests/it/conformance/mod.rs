//! Two libraries that many clients are written with, Python's `websockets` and Node's `ws`, against the real
//! gateway: everything that they can do, and not one connection that is closed unasked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::machine::{assert_gapless, json_lines};
use crate::tools;

/// What each of the two has to have looked at.
const CHECKS: [&str; 14] = [
    "text_and_binary_requests",
    "fragments",
    "control_frames_between_fragments",
    "pings_of_0_and_125_bytes",
    "compression_is_declined",
    "without_compression",
    "close_codes_are_answered",
    "a_request_of_1_mib",
    "a_request_beyond_1_mib",
    "large_answers",
    "requests_200_at_once",
    "a_subprotocol_is_not_chosen",
    "the_token_in_a_header",
    "a_wrong_token",
];

const GOAL: &str = r#"
title = "一件小事"
[[items]]
id = "a"
kind = "command"
argv = ["sh", "-c", "echo 你好 > a"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "a" }]
"#;

/// A library, as a script that uses it.
struct Library {
    program: PathBuf,
    script: &'static str,
    /// Where Node finds its packages.
    packages: Option<PathBuf>,
}

impl Library {
    fn websockets() -> Option<Self> {
        Some(Self { program: tools::python()?, script: "websockets_client.py", packages: None })
    }

    fn ws() -> Option<Self> {
        Some(Self {
            program: "node".into(),
            script: "ws_client.cjs",
            packages: Some(tools::node_packages()?),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the test is the person who has a client")]
    fn start<'e>(&self, env: &'e TestEnv, mode: &str, last: &Path) -> Script<'e> {
        let mut command = Command::new(&self.program);
        if let Some(packages) = &self.packages {
            command.env("NODE_PATH", packages);
        }
        let child = command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance").join(self.script))
            .arg(mode)
            .arg(env.home().join("run/gateway.json"))
            .arg(last)
            .stdin(Stdio::null())
            .stdout(File::create(env.file("told")).unwrap())
            .spawn()
            .unwrap();
        Script { env, child }
    }
}

/// A script that runs.
struct Script<'e> {
    env: &'e TestEnv,
    child: Child,
}

impl Script<'_> {
    /// What it has said so far, in whole lines.
    fn told(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.env.file("told")).unwrap();
        json_lines(text.rsplit_once('\n').map_or("", |(whole, _)| whole))
    }

    fn wait_until(&self, what: &str, is: impl Fn(&Value) -> bool) {
        wait_until(what, || self.told().iter().any(&is).then_some(()));
    }

    fn end(mut self) -> Vec<Value> {
        let status = wait_until("the script ends", || self.child.try_wait().unwrap());
        assert!(status.success(), "{:?}", self.told());
        self.told()
    }
}

impl Drop for Script<'_> {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn check(library: &Library) {
    let env = TestEnv::new();
    env.start_daemons();
    let mut told = library.start(&env, "checks", &env.home().join("token")).end();
    let end = told.pop().unwrap();
    let expected: Vec<Value> = CHECKS.iter().map(|name| json!({"check": name, "failed": null})).collect();
    assert_eq!(told, expected);
    assert!(end["connections"].as_u64() > Some(CHECKS.len() as u64), "{end}");
    assert_eq!(end["unexpected"], json!([]), "{end}");
}

/// Stops the gateway under a client that follows, and starts it again: on another port.
fn follow(library: &Library) {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", GOAL);
    let script = library.start(&env, "follow", Path::new("2"));
    let before = env.detach(&["goal.toml"]);
    script.wait_until("the first goal is told", |told| told["event"] == "goal.completed");
    let ran = env.pb(["gateway", "stop"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    script.wait_until("the close is told", |told| !told["closed"].is_null());
    env.start_daemon("gateway");
    let after = env.detach(&["goal.toml"]);
    let told = script.end();
    let closes: Vec<&Value> = told.iter().filter_map(|told| told.get("closed")).collect();
    assert_eq!(closes, [&json!([1001, "Server shutting down"])]);
    let mut count = 0;
    for goal in [before, after] {
        let events: Vec<Value> =
            told.iter().filter(|told| told["data"]["goalId"] == *goal).cloned().collect();
        assert_gapless(&events);
        assert_eq!(events.last().unwrap()["event"], "goal.completed");
        count += events.len();
    }
    assert_eq!(count + closes.len(), told.len(), "nothing else");
}

#[test]
fn everything_that_pythons_websockets_does() {
    let Some(library) = Library::websockets() else { return };
    check(&library);
}

#[test]
fn everything_that_nodes_ws_does() {
    let Some(library) = Library::ws() else { return };
    check(&library);
}

#[test]
fn pythons_websockets_resumes_over_a_gateway_that_is_stopped() {
    let Some(library) = Library::websockets() else { return };
    follow(&library);
}

#[test]
fn nodes_ws_resumes_over_a_gateway_that_is_stopped() {
    let Some(library) = Library::ws() else { return };
    follow(&library);
}
