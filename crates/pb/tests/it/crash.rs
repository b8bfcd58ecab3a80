//! `kill -9` at exact moments: nothing is lost, and nothing is repeated in silence.

use std::fs;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::Value;

use crate::env::{TestEnv, wait_until};
use crate::machine::{assert_gapless, is_alive, item};

/// As `examples/parallel.toml`, but `left` waits for the test instead of the clock.
const DIAMOND: &str = r#"
title = "A diamond"
workspace = "out"

[[items]]
id = "prepare"
kind = "command"
argv = ["sh", "-ec", "mkdir -p parts witness; echo x >> witness/prepare"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "witness/prepare" }]

[[items]]
id = "left"
needs = ["prepare"]
kind = "command"
argv = ["sh", "-ec", "echo x >> witness/left; until [ -e go ]; do sleep 0.01; done; echo left > parts/left"]
effect = "idempotent"
gates = [{ kind = "file_contains", path = "parts/left", text = "left" }]

[[items]]
id = "right"
needs = ["prepare"]
kind = "command"
argv = ["sh", "-ec", "echo x >> witness/right; echo right > parts/right"]
effect = "unsafe"
gates = [{ kind = "file_contains", path = "parts/right", text = "right" }]

[[items]]
id = "join"
needs = ["left", "right"]
kind = "command"
argv = ["sh", "-ec", "echo x >> witness/join; cat parts/left parts/right > result.txt"]
effect = "unsafe"
gates = [{ kind = "command", argv = ["sh", "-ec", "printf 'left\\nright\\n' | cmp - result.txt"] }]
"#;
const ITEMS: [&str; 4] = ["prepare", "left", "right", "join"];

/// One item whose effect is unsafe, and one after it.
fn unsafe_goal(command: &str, gates: &str) -> String {
    format!(
        r#"
title = "Pay a bill"
workspace = "out"

[[items]]
id = "pay"
kind = "command"
argv = ["sh", "-ec", "mkdir -p witness; {command}"]
effect = "unsafe"
gates = [{gates}]

[[items]]
id = "file"
needs = ["pay"]
kind = "command"
argv = ["sh", "-ec", "echo x >> witness/file"]
effect = "unsafe"
gates = [{{ kind = "file_exists", path = "witness/file" }}]
"#
    )
}

/// A diamond of which everything is done but `left`, which runs, and `join`, which waits for it.
fn diamond_in_flight(env: &TestEnv) -> String {
    let goal = env.detach(&[env.write("diamond.toml", DIAMOND).to_str().unwrap()]);
    env.wait_lines("out/witness/left", 1);
    wait_until("right is done", || (item(&env.show(&goal), "right")["status"] == "done").then_some(()));
    goal
}

/// Waits until the killed scheduler's keepers have ended what ran, beside these processes: else it could see
/// that it is let go, and do its work after all.
fn wait_for_keepers(env: &TestEnv, beside: &[u32]) {
    wait_until("what ran has ended", || env.processes().iter().all(|pid| beside.contains(pid)).then_some(()));
}

fn let_go(env: &TestEnv) {
    fs::write(env.file("out/go"), "").unwrap();
}

/// What is told about the attempts at an item: status, and how each was taken over.
fn attempts(goal: &Value, key: &str) -> Vec<(String, Vec<bool>)> {
    let runs = item(goal, key)["runs"].as_array().unwrap();
    let ran_again = |run: &Value| {
        let continued = run["continued"].as_array().cloned().unwrap_or_default();
        continued.iter().map(|one| one["ran_again"].as_bool().unwrap()).collect()
    };
    runs.iter().map(|run| (run["status"].as_str().unwrap().to_owned(), ran_again(run))).collect()
}

#[test]
fn after_a_killed_scheduler_only_what_was_in_flight_runs_again_and_says_so() {
    let env = TestEnv::new();
    let goal = diamond_in_flight(&env);
    let watching = env.spawn(["goal", "watch", &goal]);
    watching.wait_for_note("right: done");
    env.kill9("scheduler");
    wait_for_keepers(&env, &[env.holder("gateway").unwrap().pid, watching.child.id()]);
    let_go(&env);
    env.start_daemon("scheduler");

    let watched = watching.wait();
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert!(
        watched.stderr.contains("left: runs again: its outcome is unknown and it is idempotent"),
        "{watched}"
    );
    assert_eq!(env.witnesses("out", ITEMS), [1, 2, 1, 1]);
    let told = env.show(&goal);
    let success = |continued: &[bool]| vec![("success".to_owned(), continued.to_vec())];
    assert_eq!(attempts(&told, "left"), success(&[false, true]));
    for key in ["prepare", "right", "join"] {
        assert_eq!(attempts(&told, key), success(&[]), "{key}");
    }
    assert_gapless(&env.events(&goal));
    assert_snapshot!("killed_scheduler_show", env.pb(["goal", "show", &goal]));
}

#[test]
fn unsafe_work_of_unknown_outcome_goes_to_a_human_and_is_not_repeated() {
    let env = TestEnv::new();
    let command = "echo x >> witness/pay; until [ -e go ]; do sleep 0.01; done; echo paid > receipt";
    let gate = r#"{ kind = "file_contains", path = "receipt", text = "paid" }"#;
    env.write("pay.toml", &unsafe_goal(command, gate));
    let goal = env.detach(&["pay.toml"]);
    env.wait_lines("out/witness/pay", 1);
    env.kill9("scheduler");
    wait_for_keepers(&env, &[env.holder("gateway").unwrap().pid]);
    let_go(&env);
    env.start_daemon("scheduler");

    assert_snapshot!("unsafe_blocked_watch", env.pb(["goal", "watch", &goal]));
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 0]);
    let told = env.show(&goal);
    assert_eq!(told["status"], "blocked");
    let escalation = &told["escalations"][0];
    assert_eq!(escalation["work_item_id"], item(&told, "pay")["id"]);
    assert_eq!(escalation["context_data"]["context"], "item `pay` (pay) of goal \"Pay a bill\"");
    assert_eq!(attempts(&told, "pay"), [("aborted".to_owned(), vec![false])]);
    // Starting once more changes nothing: it waits for the human.
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    assert_eq!(env.watch(&goal), Some(2));
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 0]);
}

#[test]
fn unsafe_work_without_a_gate_that_could_tell_goes_to_a_human() {
    let env = TestEnv::new();
    env.write("pay.toml", &unsafe_goal("echo x >> witness/pay; sleep 1000", ""));
    let goal = env.detach(&["pay.toml"]);
    env.wait_lines("out/witness/pay", 1);
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    assert_eq!(env.watch(&goal), Some(2));
    let packet = &env.show(&goal)["escalations"][0]["context_data"];
    assert_eq!(packet["current_state"], "it has no gate that could tell");
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 0]);
}

#[test]
fn unsafe_work_that_its_gates_prove_done_is_not_repeated_and_the_goal_goes_on() {
    let env = TestEnv::new();
    let command = "echo paid > receipt; echo x >> witness/pay; sleep 1000";
    let gate = r#"{ kind = "file_contains", path = "receipt", text = "paid" }"#;
    env.write("pay.toml", &unsafe_goal(command, gate));
    let goal = env.detach(&["pay.toml"]);
    env.wait_lines("out/witness/pay", 1);
    env.kill9("scheduler");
    env.start_daemon("scheduler");

    let watched = env.pb(["goal", "watch", &goal]);
    assert_eq!(watched.exit, Some(0), "{watched}");
    assert_eq!(env.witnesses("out", ["pay", "file"]), [1, 1]);
    let told = env.show(&goal);
    assert_eq!(told["verdict"], "verified");
    assert_eq!(attempts(&told, "pay"), [("success".to_owned(), vec![false])]);
    assert_snapshot!("unsafe_proven_watch", watched);
}

#[test]
fn without_its_gateway_a_goal_completes_and_who_followed_it_goes_on_when_one_is_back() {
    let env = TestEnv::new();
    let goal = diamond_in_flight(&env);
    let people = env.spawn(["goal", "watch", &goal]);
    let json = env.spawn(["goal", "watch", &goal, "--json"]);
    people.wait_for_note("right: done");
    wait_until("both follow", || json.printed("stdout").contains("\"workitem.completed\"").then_some(()));
    env.kill9("gateway");
    people.wait_for_note("the connection to the gateway is lost; connecting again");
    let_go(&env);
    wait_until("it is joined", || env.file("out/result.txt").exists().then_some(()));
    env.start_daemon("gateway");

    let (people, json) = (people.wait(), json.wait());
    assert_eq!((people.exit, json.exit), (Some(0), Some(0)), "{people}{json}");
    assert!(people.stderr.contains("\nconnected again\n"), "{people}");
    let seen = crate::machine::json_lines(&json.raw_stdout);
    assert_gapless(&seen);
    assert_eq!(seen, env.events(&goal));
    assert_eq!(env.witnesses("out", ITEMS), [1, 1, 1, 1]);
    assert_eq!(attempts(&env.show(&goal), "left"), [("success".to_owned(), vec![])]);
}

#[test]
fn both_killed_at_once_and_both_started_again() {
    let env = TestEnv::new();
    let goal = diamond_in_flight(&env);
    env.kill9("gateway");
    env.kill9("scheduler");
    wait_for_keepers(&env, &[]);
    let_go(&env);
    env.start_daemons();
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ITEMS), [1, 2, 1, 1]);
    assert_gapless(&env.events(&goal));
}

#[test]
fn a_run_that_was_killed_over_and_over_is_for_a_human_and_is_tried_again() {
    /// One more than a run may be repeated.
    const KILLS: usize = 4;
    let env = TestEnv::new();
    let goal = diamond_in_flight(&env);
    for kill in 1..=KILLS {
        env.kill9("scheduler");
        env.start_daemon("scheduler");
        if kill < KILLS {
            env.wait_lines("out/witness/left", kill + 1);
        }
    }
    assert_eq!(env.watch(&goal), Some(2), "it may be what ends the scheduler");
    let_go(&env);
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "retry"]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ITEMS), [1, KILLS + 1, 1, 1]);
    let given_up = [false, true].repeat(KILLS - 1).into_iter().chain([false]).collect();
    let expect = [("aborted".to_owned(), given_up), ("success".to_owned(), vec![])];
    assert_eq!(attempts(&env.show(&goal), "left"), expect);
    assert_gapless(&env.events(&goal));
}

#[test]
fn the_processes_of_a_step_die_with_the_scheduler_also_those_in_their_own_session() {
    /// Three times what is promised: this asks whether it happens, not how fast.
    const LIMIT: Duration = Duration::from_secs(6);
    let env = TestEnv::new();
    let stubborn = env.stubborn_goal();
    env.detach(&[stubborn.to_str().unwrap()]);
    let pids = env.stubborn_pids();
    let before = env.processes();
    assert!(pids.iter().all(|pid| before.contains(pid)), "{pids:?} are not among {before:?}");
    let killed = Instant::now();
    env.kill9("scheduler");
    wait_until("the step's processes are gone", || (!pids.iter().any(|pid| is_alive(*pid))).then_some(()));
    assert!(killed.elapsed() < LIMIT, "it took {:?}", killed.elapsed());
    let gateway = env.holder("gateway").unwrap().pid;
    wait_until("the keeper is gone too", || (env.processes() == [gateway]).then_some(()));
}
