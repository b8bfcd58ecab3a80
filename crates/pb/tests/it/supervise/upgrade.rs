//! Another binary in the place of the one that runs.

use std::fs;
use std::path::{Path, PathBuf};

use super::started;
use crate::env::TestEnv;
use crate::life::WAITS;

/// A copy of the binary, put in its place as package managers do: whole, by a rename.
fn install(env: &TestEnv, name: &str) -> PathBuf {
    let (path, fresh) = (env.root().join(name), env.root().join("fresh"));
    fs::copy(env!("CARGO_BIN_EXE_pb"), &fresh).unwrap();
    fs::rename(&fresh, &path).unwrap();
    path
}

fn program(env: &TestEnv, name: &str) -> PathBuf {
    let pid = env.holder(name).unwrap().pid;
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}

fn run(env: &TestEnv, pb: &Path, arguments: &[&str]) -> std::process::Output {
    #[expect(clippy::disallowed_methods, reason = "the test is the person who types the command")]
    let mut command = std::process::Command::new(pb);
    let variables = env.variables.iter().map(|(name, value)| (name, value));
    command
        .args(arguments)
        .env("PB_HOME", env.home())
        .env("HOME", env.user())
        .envs(variables)
        .output()
        .unwrap()
}

#[test]
fn a_restart_after_an_upgrade_lets_steps_end_and_is_the_new_program_on_the_same_port() {
    let env = TestEnv::supervised();
    let pb = install(&env, "pb");
    let ran = run(&env, &pb, &["start"]);
    assert!(ran.status.success(), "{ran:?}");
    let (supervisor, address) = (env.pids()[0], env.address());
    env.write("goal.toml", WAITS);
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);

    install(&env, "pb");
    let gone = env.root().join("pb (deleted)");
    assert_eq!(
        ["supervisor", "gateway", "scheduler"].map(|name| program(&env, name)),
        [(); 3].map(|()| gone.clone())
    );
    std::thread::scope(|scope| {
        let restart = scope.spawn(|| run(&env, &pb, &["restart"]));
        let log = env.home().join("logs/supervisor.log");
        crate::env::wait_until("the scheduler is asked to stop", || {
            fs::read_to_string(&log).unwrap().contains("stopping it").then_some(())
        });
        env.write("out/go", "");
        let ran = restart.join().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    });
    assert_eq!(
        ["supervisor", "gateway", "scheduler"].map(|name| program(&env, name)),
        [(); 3].map(|()| pb.clone())
    );
    assert_eq!((env.pids()[0], env.address()), (supervisor, address));
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ["wait"]), [1], "its step ended first");
}

/// The supervisor is asked to stop while it waits for a step, to become another program: it does not.
#[test]
fn who_is_asked_to_stop_in_a_restart_stops() {
    let env = started();
    let goal = env.stubborn_goal();
    env.detach(&[goal.to_str().unwrap()]);
    env.stubborn_pids();
    let restarting = env.spawn(["restart"]);
    let log = env.home().join("logs/supervisor.log");
    crate::env::wait_until("the scheduler is asked to stop", || {
        fs::read_to_string(&log).unwrap().contains("stopping it").then_some(())
    });
    // What was asked for meanwhile is not lost with the restart.
    let stopping = env.spawn(["stop"]);
    stopping.wait_for_note("waiting for steps");
    let forced = env.pb(["scheduler", "stop", "--force"]);
    assert_eq!(forced.exit, Some(0), "{forced}");
    let (stopped, restarted) = (stopping.wait(), restarting.wait());
    assert_eq!((stopped.exit, restarted.exit), (Some(0), Some(69)), "{stopped}\n{restarted}");
    crate::env::wait_until("nothing runs", || env.processes().is_empty().then_some(()));
}

#[test]
fn a_restart_with_settings_that_do_not_work_stops_nothing() {
    let env = started();
    let before = env.pids();
    fs::write(env.home().join("config.toml"), "[gateway\n").unwrap();
    for what in [vec!["restart"], vec!["gateway", "restart"], vec!["scheduler", "restart"]] {
        let refused = env.pb(&what);
        assert_eq!(refused.exit, Some(78), "{refused}");
        assert!(refused.raw_stderr.contains("nothing was stopped"), "{refused}");
    }
    assert_eq!(env.pids(), before);
}
