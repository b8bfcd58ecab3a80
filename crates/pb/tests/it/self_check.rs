//! `pb self-check`: works beside everything, and leaves nothing.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::env::{TestEnv, wait_until};
use crate::network_home::where_one_may_mount;
use crate::tools;

/// A person whose temporary folder is one of the test.
fn person() -> TestEnv {
    let mut env = TestEnv::new();
    let temporary = env.root().join("tmp");
    fs::create_dir(&temporary).unwrap();
    env.variables.push(("TMPDIR", temporary.display().to_string()));
    env
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn it_works_without_a_home_and_leaves_nothing() {
    let mut env = person();
    env.variables.extend([("PB_HOME", String::new()), ("HOME", String::new())]);
    let told = env.json(["self-check", "--json"]);
    let steps = told["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "confine",
            "database",
            "disk",
            "start gateway",
            "start scheduler",
            "goal",
            "stop both",
            "leave nothing"
        ]
    );
    assert!(steps.iter().all(|step| step["ok"] == true && step["duration_ms"].is_u64()), "{told}");
    assert_eq!((&told["ok"], &steps[5]["found"]), (&Value::Bool(true), &"verified".into()));
    assert!(is_empty(&env.root().join("tmp")) && is_empty(&env.user()));
    assert_eq!(env.processes(), Vec::<u32>::new());
}

#[test]
fn it_disturbs_nothing_that_runs() {
    let env = person();
    env.start_daemons();
    let pids = || ["gateway", "scheduler"].map(|name| env.holder(name).unwrap().pid);
    let before = pids();
    let ran = env.pb(["self-check"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(ran.raw_stderr.contains("it works, in "), "{ran}");
    assert_eq!(pids(), before);
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0, "its goal is in none of our logs");
    assert!(is_empty(&env.root().join("tmp")));
}

#[test]
fn without_a_folder_for_it_nothing_is_tried() {
    let env = person();
    fs::remove_dir(env.root().join("tmp")).unwrap();
    let ran = env.pb(["self-check"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert!(ran.raw_stderr.contains("TMPDIR=FOLDER pb self-check") && ran.raw_stdout.is_empty(), "{ran}");
}

#[test]
fn what_does_not_work_is_told_and_nothing_is_left() {
    let env = person();
    let script = "mount -t tmpfs -o size=64k none \"$TMPDIR\" || exit 99\n\
        \"$PB\" self-check --json || code=$?\n ls -A \"$TMPDIR\" >&2\n exit $code";
    let mut shell = where_one_may_mount(script);
    let shell = shell.env("TMPDIR", env.root().join("tmp")).env("PB", env!("CARGO_BIN_EXE_pb"));
    let ran = shell.output().unwrap();
    let (told, left) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    if told.is_empty() && ran.status.code() != Some(1) {
        tools::skipped(&format!("nothing can be mounted here: {left}"));
        return;
    }
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}{left}"));
    let failed: Vec<&Value> =
        told["steps"].as_array().unwrap().iter().filter(|step| step["ok"] == false).collect();
    assert_eq!(
        (failed.len(), &failed[0]["name"], &told["ok"]),
        (1, &"database".into(), &Value::Bool(false)),
        "{told}"
    );
    assert!(failed[0]["found"].as_str().unwrap().contains("the disk is full"), "{told}");
    assert_eq!((ran.status.code(), left.as_str()), (Some(1), ""), "{told}");
}

#[test]
fn ctrl_c_ends_it_and_nothing_is_left() {
    let env = person();
    let checking = env.spawn(["self-check"]);
    wait_until("a step is done", || checking.printed("stdout").contains("start gateway").then_some(()));
    kill_process(Pid::from_child(&checking.child), Signal::INT).unwrap();
    let ran = checking.wait();
    // It may have been over already.
    assert!(matches!(ran.exit, Some(130 | 0)), "{ran}");
    wait_until("nothing is left", || {
        (is_empty(&env.root().join("tmp")) && env.processes().is_empty()).then_some(())
    });
}
