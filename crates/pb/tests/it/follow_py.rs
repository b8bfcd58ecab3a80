//! `examples/clients/follow.py`, written from docs/RPC.md alone: it follows everything through kills.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pb_store::LogReader;
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::tools;

/// Items of each goal; each is an event at least.
const ITEMS: usize = 200;
/// Goals, one after the other: 100,000 events.
const GOALS: usize = 500;
/// How often the gateway is killed, and as often the scheduler, in turn.
const KILLS: usize = 10;

/// A goal of many items, of which the first fails: only what is told about them matters.
fn wide_goal() -> String {
    let mut file = String::from("title = \"很多事\"\n");
    for n in 0..ITEMS {
        let needs = if n == 0 { "max_retries = 0" } else { "needs = [\"i0\"]" };
        write!(
            file,
            "[[items]]\nid = \"i{n}\"\n{needs}\nkind = \"command\"\nargv = [\"false\"]\neffect = \"idempotent\"\n\
             gates = [{{ kind = \"file_exists\", path = \"never\" }}]\n"
        )
        .unwrap();
    }
    file
}

/// The program, for as long as the test.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is the person who has a client")]
fn start(env: &TestEnv, python: &Path) -> Follower {
    let child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/clients/follow.py"))
        .arg(env.home().join("run/gateway.json"))
        .arg("--stop")
        .arg(env.file("enough"))
        .stdin(Stdio::null())
        .stdout(File::create(env.file("told")).unwrap())
        .spawn()
        .unwrap();
    Follower(child)
}

fn last_pos(env: &TestEnv) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        LogReader::open(&env.home().join("state.db")).await.unwrap().last_pos().await.unwrap()
    })
}

#[test]
fn a_client_in_another_language_counts_no_gap_and_no_duplicate_through_kills() {
    let Some(python) = tools::python() else { return };
    let env = TestEnv::new();
    env.write("wide.toml", &wide_goal());
    env.start_daemons();
    let mut client = start(&env, &python);
    for round in 1..=GOALS {
        env.detach(&["wide.toml"]); // It starts what was killed.
        match round % (GOALS / KILLS) {
            20 => env.kill9("gateway"),
            40 => env.kill9("scheduler"),
            _ => {}
        }
    }
    wait_until("the last goal is planned", || (last_pos(&env) > (GOALS * ITEMS) as u64).then_some(()));
    env.kill9("scheduler");
    let expected = last_pos(&env);
    fs::write(env.file("enough.new"), expected.to_string()).unwrap();
    fs::rename(env.file("enough.new"), env.file("enough")).unwrap();

    let status = wait_until("the client has everything", || client.0.try_wait().unwrap());
    let told: Value = serde_json::from_str(&fs::read_to_string(env.file("told")).unwrap()).unwrap();
    assert!(status.success(), "{told}");
    for (key, expect) in [
        ("events", json!(expected)),
        ("missing", json!(0)),
        ("twice", json!(0)),
        ("rebases", json!(0)),
        ("goals", json!(GOALS)),
        ("complete", json!(true)),
    ] {
        assert_eq!(told[key], expect, "{key} in {told}");
    }
    assert!(told["connections"].as_u64() > Some(KILLS as u64 / 2), "{told}");
}
