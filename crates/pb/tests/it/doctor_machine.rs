//! `pb doctor` on a machine that is not well: a wrong clock, a full disk, a WAL that grows, processes that hang.

use std::fs::{self, File};

use pb_runtime::clock::TEST_CLOCK;
use serde_json::Value;

use crate::doctor::doctor;
use crate::env::TestEnv;

/// A person whose clock is wrong by what stands in the file.
fn with_clock() -> (TestEnv, impl Fn(i64)) {
    let mut env = TestEnv::new();
    let file = env.root().join("clock");
    fs::write(&file, "0").unwrap();
    env.variables.push((TEST_CLOCK, file.display().to_string()));
    (env, move |wrong_by_ms: i64| fs::write(&file, wrong_by_ms.to_string()).unwrap())
}

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_clock_that_was_set_is_told_with_how_far() {
    let (env, set) = with_clock();
    env.start_daemons();
    set(2 * HOUR_MS + 60_000);
    let told = doctor(&env, &["--offline"]);
    told.assert("clock jumps", "warning", "went forward by 2 h ");
    assert_eq!(told.exit, Some(0), "{}", told.value);
    set(-2 * HOUR_MS);
    doctor(&env, &["--offline"]).assert("clock jumps", "warning", "went back by ");
    set(1000);
    doctor(&env, &["--offline"]).assert("clock jumps", "ok", "none since");
}

#[test]
fn a_clock_that_cannot_be_right_is_a_problem() {
    let (env, set) = with_clock();
    env.start_daemons();
    env.write("goal.toml", "title = 'x'\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['true']\n");
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(3));
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    assert!(env.home().join("state.mark").exists(), "the scheduler notes when it was at work");
    set(-HOUR_MS);
    let told = doctor(&env, &["--offline"]);
    told.assert("clock", "problem", "and the scheduler was at work at ");
    assert_eq!(told.exit, Some(1));
    set(-50 * 365 * 24 * HOUR_MS);
    doctor(&env, &["--offline"]).assert("clock", "problem", "which cannot be");
}

#[test]
fn a_disk_with_too_little_room_and_a_wal_that_grows_are_told() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    fs::write(env.home().join("config.toml"), "[disk]\nfree_bytes_min = 1_000_000_000_000_000_000\n")
        .unwrap();
    let wal = File::create(env.home().join("gateway.db-wal")).unwrap();
    wal.set_len(65 * 1024 * 1024).unwrap();
    let told = doctor(&env, &["--offline"]);
    told.assert("disk", "problem", "new goals are refused below");
    told.assert("gateway.db", "warning", "WAL 68.1 MB");
    told.assert("state.db", "ok", "whole");
    assert_eq!(told.exit, Some(1));
}

#[test]
fn processes_that_are_stopped_do_not_stop_the_doctor() {
    let env = TestEnv::new();
    env.start_daemons();
    let pids = ["gateway", "scheduler"].map(|name| env.holder(name).unwrap().pid);
    let signal = |signal| {
        for pid in pids {
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            rustix::process::kill_process(pid, signal).unwrap();
        }
    };
    signal(rustix::process::Signal::STOP);
    let told = doctor(&env, &["--offline", "--fix"]);
    signal(rustix::process::Signal::CONT);
    assert_eq!((told.exit, &told.value["problems"]), (Some(0), &Value::from(0)), "{}", told.value);
    told.assert("state.db", "ok", "whole");
    assert_eq!(env.pb(["status"]).exit, Some(0));
}
