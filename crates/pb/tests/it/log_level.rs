//! What the running processes write is changed without a restart, and is as usual again after one.

use insta::assert_snapshot;
use serde_json::Value;

use crate::env::{TestEnv, wait_until};
use crate::machine::json_lines;

/// A goal of one command.
const TOUCH: &str = r#"
title = "Touches a file"
workspace = "out"

[[items]]
id = "touch"
kind = "command"
argv = ["touch", "done"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "done" }]
"#;

fn running() -> TestEnv {
    let env = TestEnv::new();
    env.start_daemons();
    env.wait_linked(true);
    env.write("goal.toml", TOUCH);
    env
}

/// What a process writes now, by what `pb log level` says.
fn now(env: &TestEnv, process: &str) -> String {
    let told = env.json(["log", "level", "--json", "--process", process]);
    told["processes"][0]["levels"]["now"].as_str().unwrap().to_owned()
}

fn set(env: &TestEnv, arguments: &[&str]) {
    let ran = env.pb(["log", "level"].iter().chain(arguments));
    assert_eq!(ran.exit, Some(0), "{ran}");
}

fn again(env: &TestEnv, process: &str) {
    env.kill9(process);
    env.start_daemon(process);
    env.wait_linked(true);
}

/// How many lines the launcher of tools has written.
fn of_launcher(env: &TestEnv) -> usize {
    let ran = env.pb(["logs", "scheduler", "--json", "--lines", "1000"]);
    let lines: Vec<Value> = json_lines(&ran.raw_stdout);
    lines.iter().filter(|line| line["message"] == "tool started").count()
}

#[test]
fn more_of_one_part_is_written_from_now_on_without_a_restart() {
    let env = running();
    assert_snapshot!(env.pb(["log", "level"]), @"
    exit: 0
    --- stdout
    PROCESS    NOW   AFTER A START
    gateway    info  info
    scheduler  info  info
    ");
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0));
    assert_eq!(of_launcher(&env), 0);
    assert_snapshot!(env.pb(["log", "level", "exec=debug", "--process", "scheduler"]), @"
    exit: 0
    --- stdout
    PROCESS    NOW              AFTER A START
    scheduler  info,exec=debug  info
    ");
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0));
    wait_until("the launcher's lines are there", || (of_launcher(&env) > 0).then_some(()));
    assert_snapshot!(env.pb(["log", "level"]), @"
    exit: 0
    --- stdout
    PROCESS    NOW              AFTER A START
    gateway    info             info
    scheduler  info,exec=debug  info
    ");
    set(&env, &["--reset"]);
    let before = of_launcher(&env);
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0));
    assert_eq!((now(&env, "scheduler").as_str(), of_launcher(&env)), ("info", before));
}

#[test]
fn a_start_is_as_usual_but_for_what_a_person_said_to_keep() {
    let mut env = running();
    set(&env, &["scheduler=debug"]);
    again(&env, "scheduler");
    assert_eq!(
        (now(&env, "gateway"), now(&env, "scheduler")),
        ("info,scheduler=debug".to_owned(), "info".to_owned())
    );
    set(&env, &["pb_store=debug,warn", "--keep", "--process", "scheduler"]);
    again(&env, "scheduler");
    assert_eq!(now(&env, "scheduler"), "store=debug,warn");
    // What is asked for without `--keep` is over what is kept, for as long as the process runs.
    set(&env, &["trace"]);
    assert_eq!(now(&env, "scheduler"), "trace");
    env.variables.push(("PB_LOG", "error".to_owned()));
    again(&env, "scheduler");
    assert_eq!(now(&env, "scheduler"), "error");
    env.variables.pop();
    again(&env, "scheduler");
    assert_eq!(now(&env, "scheduler"), "store=debug,warn");
    set(&env, &["--reset"]);
    again(&env, "scheduler");
    assert_eq!((now(&env, "gateway"), now(&env, "scheduler")), ("info".to_owned(), "info".to_owned()));
}

#[test]
fn what_cannot_be_is_said() {
    let env = running();
    for arguments in [&["scheduler=debg"][..], &["scheduler"], &["genai=trace"], &["a b=info"]] {
        let ran = env.pb(["log", "level"].iter().chain(arguments));
        assert_eq!(ran.exit, Some(64), "{ran}");
    }
    assert_snapshot!(env.pb(["log", "level", "info,genai=trace"]), @"
    exit: 64
    --- stderr
    error: invalid value 'info,genai=trace' for '[FILTER]': what `genai` tells is never written: it may quote a key; such as scheduler=debug,store=trace; levels are off, error, warn, info, debug, trace; parts are gateway, scheduler, store, exec, llm, tools, protocol, runtime and names of crates

    For more information, try '--help'.
    ");
    assert_eq!(env.pb(["scheduler", "stop"]).exit, Some(0));
    env.wait_linked(false);
    assert_snapshot!(env.pb(["log", "level"]), @"
    exit: 69
    --- stdout
    PROCESS  NOW   AFTER A START
    gateway  info  info
    --- stderr
    what the scheduler writes is not known: it is not connected
    ");
    assert_eq!(env.pb(["gateway", "stop"]).exit, Some(0));
    assert_snapshot!(env.pb(["log", "level", "debug"]), @"
    exit: 69
    --- stderr
    error: the gateway is not running
    hint: start both processes with: pb start
    ");
}
