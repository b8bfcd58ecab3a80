//! `security.md` 26: `pb stop --all` in each of its bad moments. Every descendant is gone within two seconds,
//! and the stop outlives a restart, until `pb start`.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pb_testkit::model_server::{Fault, Reply};
use serde_json::Value;

use crate::env::{TestEnv, wait_until};
use crate::machine::is_alive;
use crate::model::{Scripted, agent_file, worker};

/// Three times the two seconds that are promised.
const LIMIT: Duration = Duration::from_secs(6);

/// A tool that ignores SIGTERM, in two sessions.
fn stubborn(env: &TestEnv) -> [u32; 2] {
    env.detach(&[env.stubborn_goal().to_str().unwrap()]);
    env.stubborn_pids()
}

/// Pulls the switch: all that runs is gone when it returns, and in time.
fn stop_all(env: &TestEnv) -> crate::env::Ran {
    let began = Instant::now();
    let stopped = env.pb(["stop", "--all"]);
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    assert_eq!(stopped.exit, Some(0), "{stopped}");
    assert_eq!(env.processes(), Vec::<u32>::new(), "{stopped}");
    stopped
}

/// Nothing starts any more, until a person says so.
fn assert_persists(env: &TestEnv) {
    for start in [["scheduler", "start"], ["gateway", "start"]] {
        assert_eq!(env.pb(start).exit, Some(75));
    }
    assert_eq!(env.processes(), Vec::<u32>::new());
    let status: Value = serde_json::from_str(&env.pb(["status", "--json"]).raw_stdout).unwrap();
    assert_eq!(status["halted"], true);
    let started = env.pb(["start"]);
    assert_eq!(started.exit, Some(0), "{started}");
    assert!(started.stderr.contains("everything had been stopped with pb stop --all"), "{started}");
    env.wait_linked(true);
}

#[test]
fn security_26_while_a_tool_ignores_sigterm() {
    let env = TestEnv::new();
    let pids = stubborn(&env);
    let stopped = stop_all(&env);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    assert!(stopped.stderr.contains("nothing starts any more, until: pb start"), "{stopped}");
    assert_snapshot!("halted_run", env.pb(["run", "stubborn.toml"]));
    assert_snapshot!("halted_status", env.pb(["status"]));
    assert_persists(&env);
    // What it did goes on where it was.
    env.wait_lines("stubborn/tool", 1);
    assert_snapshot!("stop_all_twice", {
        stop_all(&env);
        stop_all(&env)
    });
}

#[test]
fn security_26_while_a_model_streams() {
    let scripted =
        Scripted::saying([worker([Reply::text("I think, and think").fault(Fault::hang_after(1))])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("Thinks", ""));
    let goal = env.detach(&["goal.toml"]);
    wait_until("the model streams", || (!scripted.model.requests().is_empty()).then_some(()));
    stop_all(env);
    assert_persists(env);
    let told = env.show(&goal);
    assert!(told["assumed_tokens"].as_u64().unwrap() > 0, "the call whose end nobody saw is charged: {told}");
}

#[test]
fn security_26_while_the_database_is_busy() {
    let env = TestEnv::new();
    let pids = stubborn(&env);
    let busy = rusqlite::Connection::open(env.home().join("state.db")).unwrap();
    busy.execute_batch("BEGIN IMMEDIATE").unwrap();
    stop_all(&env);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    drop(busy);
    assert_persists(&env);
}

#[test]
fn security_26_while_the_gateway_is_dead() {
    let env = TestEnv::new();
    let pids = stubborn(&env);
    env.kill9("gateway");
    stop_all(&env);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    assert_persists(&env);
}

/// The scheduler is dead already, and somebody holds its keepers up: they are found by their mark.
#[test]
fn the_switch_ends_what_a_dead_scheduler_left() {
    let env = TestEnv::new();
    stubborn(&env);
    env.kill9("scheduler");
    stop_all(&env);
}

/// A scheduler that runs all the same looks for the file before each claim.
#[test]
fn a_running_scheduler_starts_nothing_while_the_stop_is_there() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", crate::life::WAITS);
    let halt = env.home().join("halt");
    std::fs::write(&halt, "").unwrap();
    // A plan of its own would be made in the same commit as the goal.
    let goal = env.detach(&["goal.toml"]);
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["phase"]), (&"queued".into(), &"intake".into()), "{told}");
    assert_eq!(told["items"], serde_json::json!([]));
    std::fs::remove_file(&halt).unwrap();
    env.wait_lines("out/witness/wait", 1);
    std::fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(env.watch(&goal), Some(0));
}
