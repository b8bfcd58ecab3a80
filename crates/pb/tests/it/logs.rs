//! What the processes tell of their work, and how it is read.

use std::fs;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::env::{TestEnv, wait_until};
use crate::life::WAITS;
use crate::machine::json_lines;

fn told(env: &TestEnv, arguments: &[&str]) -> Vec<Value> {
    let ran = env.pb(["logs", "--json"].iter().chain(arguments));
    assert_eq!(ran.exit, Some(0), "{ran}");
    json_lines(&ran.raw_stdout)
}

#[test]
fn both_processes_tell_in_one_place_as_lines_of_json() {
    let env = TestEnv::new();
    let nothing = env.pb(["logs"]);
    assert_snapshot!(nothing, @"
    exit: 0
    --- stderr
    nothing was told
    ");
    env.start_daemons();
    env.wait_linked(true);
    let lines = told(&env, &["--lines", "1000"]);
    let of = |process: &str| lines.iter().filter(|line| line["process"] == process).count();
    assert!(of("gateway") > 0 && of("scheduler") > 0, "{lines:?}");
    let times: Vec<&str> = lines.iter().map(|line| line["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let ready = lines.iter().find(|line| line["message"] == "the gateway is ready").unwrap();
    assert_eq!(
        (&ready["level"], &ready["pid"]),
        (&"INFO".into(), &env.holder("gateway").unwrap().pid.into())
    );
    assert_eq!(told(&env, &["--lines", "1"]).len(), 1);
    assert_eq!(told(&env, &["--level", "error"]), [] as [Value; 0]);
    assert!(told(&env, &["scheduler"]).iter().all(|line| line["process"] == "scheduler"));
    let shown = env.pb(["logs", "gateway"]);
    assert!(shown.raw_stdout.contains(" INFO  the gateway is ready pid="), "{shown}");
    // What is printed beside the log is empty: everything is told in one place.
    assert_eq!(fs::read_to_string(env.home().join("logs/gateway.out")).unwrap(), "");
}

#[test]
fn what_is_told_from_now_on_is_followed_until_it_is_enough() {
    let env = TestEnv::new();
    env.start_daemons();
    env.wait_linked(true);
    let following = env.spawn(["logs", "--follow", "--lines", "0", "--json"]);
    wait_until("it follows", || {
        env.kill9("gateway");
        env.start_daemon("gateway");
        following.printed("stdout").contains("the gateway is ready").then_some(())
    });
    kill_process(Pid::from_child(&following.child), Signal::INT).unwrap();
    let ran = following.wait();
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(json_lines(&ran.raw_stdout).iter().all(|line| line["timestamp"].is_string()), "{ran}");
}

#[test]
fn lines_of_one_goal_are_found_by_a_part_of_its_id() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", WAITS);
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    // A scheduler that comes after one that was killed says which run it goes on with.
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    env.write("out/go", "");
    let part = &goal[goal.len() - 8..];
    let lines = wait_until("it has told of the goal's end", || {
        let lines = told(&env, &["--goal", part]);
        lines.iter().any(|line| line["message"] == "goal.blocked").then_some(lines)
    });
    let messages: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["goal.created", "goal.started", "goal.blocked"]);
    assert!(lines.iter().all(|line| line["goal"] == goal.as_str()), "{lines:?}");
    assert_eq!(told(&env, &["--goal", "nobody"]), [] as [Value; 0]);
}

/// One item whose command is run in a tool's process.
const TOUCHES: &str = r#"
title = "Touches a file"
workspace = "out"

[[items]]
id = "touch"
kind = "command"
argv = ["touch", "done"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "done" }]
"#;

#[test]
fn lines_name_what_they_are_about_wherever_they_are_written() {
    let env = TestEnv::new();
    env.start_daemons();
    env.wait_linked(true);
    assert_eq!(env.pb(["log", "level", "gateway=debug,scheduler=debug,exec=debug"]).exit, Some(0));
    env.write("goal.toml", TOUCHES);
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let goal = env.only_goal();
    let shown = env.show(&goal);
    let item = &shown["items"][0]["id"];
    let lines = told(&env, &["--goal", &goal, "--level", "debug", "--lines", "1000"]);
    let line = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no line says {message:?}: {lines:#?}"))
    };
    // The part that runs tools knows nothing of goals; what is around it does.
    let tool = line("tool started");
    assert_eq!((&tool["goal"], &tool["item"]), (&goal.as_str().into(), item), "{tool}");
    assert!(tool["run"].as_str().unwrap().starts_with("run_"), "{tool}");
    assert_eq!(tool["target"], "pb_exec::launcher");
    let kept = line("a command is kept for the scheduler");
    let executed = line("a command is executed");
    assert_eq!((&kept["command"], &executed["goal"]), (&executed["command"], &goal.as_str().into()));
    assert_eq!((&kept["process"], &executed["process"]), (&"gateway".into(), &"scheduler".into()));

    let request = kept["request"].as_str().unwrap();
    let about = told(&env, &["--request", request, "--level", "debug", "--lines", "1000"]);
    let messages: Vec<&str> = about.iter().filter_map(|line| line["message"].as_str()).collect();
    assert!(messages.contains(&"a command is kept for the scheduler"), "{about:#?}");
    assert!(messages.contains(&"a request is answered"), "{about:#?}");
    assert!(about.iter().all(|line| line["session"].as_str().unwrap().starts_with("local_")), "{about:#?}");
    assert_eq!(told(&env, &["--request", "nobody's"]), [] as [Value; 0]);
}
