//! Stopping goals and processes: what is to end ends, in time, with everything below it.

use std::fs;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::env::{TestEnv, wait_until};
use crate::life::WAITS;
use crate::machine::is_alive;

/// Three times the two seconds that are promised.
const LIMIT: Duration = Duration::from_secs(6);

/// Daemons, and a goal that does not end by itself nor by SIGTERM; its id and processes.
fn stubborn() -> (TestEnv, String, [u32; 2]) {
    let env = TestEnv::new();
    let goal = env.detach(&[env.stubborn_goal().to_str().unwrap()]);
    let pids = env.stubborn_pids();
    (env, goal, pids)
}

fn wait_gone(pids: [u32; 2]) {
    wait_until("the step's processes are gone", || (!pids.iter().any(|pid| is_alive(*pid))).then_some(()));
}

#[test]
fn cancel_ends_everything_within_two_seconds() {
    let (env, goal, pids) = stubborn();
    let watching = env.spawn(["goal", "watch", &goal]);
    watching.wait_for_note("stay: started");
    let began = Instant::now();
    let cancelled = env.pb(["goal", "cancel", &goal, "--reason", "不要了"]);
    wait_gone(pids);
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    assert_snapshot!("cancel", cancelled);
    assert_snapshot!("cancel_watch", watching.wait());
    assert_eq!(env.processes().len(), 2, "the daemons, and no keeper");
    let told = env.show(&goal);
    assert_eq!(
        (&told["status"], &told["items"][0]["runs"][0]["status"]),
        (&"cancelled".into(), &"aborted".into())
    );
    let cancelled = env.events(&goal).pop().unwrap();
    assert_eq!(
        (&cancelled["event"], &cancelled["data"]["reason"]),
        (&"goal.cancelled".into(), &"不要了".into())
    );
    assert_snapshot!("cancel_twice", env.pb(["goal", "cancel", &goal]));
}

#[test]
fn a_goal_that_waits_is_cancelled_at_once_and_without_a_scheduler_when_one_comes() {
    let (env, _, pids) = stubborn();
    let waiting = env.detach(&["stubborn.toml"]);
    assert_eq!(env.pb(["goal", "cancel", &waiting]).exit, Some(0));
    assert_eq!(env.watch(&waiting), Some(1));
    assert_eq!(env.show(&waiting)["items"][0]["runs"], serde_json::json!([]));

    let late = env.detach(&["stubborn.toml"]);
    env.kill9("scheduler");
    wait_gone(pids);
    assert_snapshot!("cancel_without_scheduler", env.pb(["goal", "cancel", &late]));
    env.start_daemon("scheduler");
    assert_eq!(env.watch(&late), Some(1));
}

#[test]
fn stop_lets_a_step_end_and_the_next_start_goes_on_after_it() {
    let env = TestEnv::new();
    let next = "\n[[items]]\nid = \"next\"\nneeds = [\"wait\"]\nkind = \"command\"\n\
        argv = [\"sh\", \"-c\", \"echo x >> witness/next\"]\n\
        gates = [{ kind = \"file_exists\", path = \"witness/next\" }]\n";
    env.write("goal.toml", &format!("{WAITS}{next}"));
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    let stopping = env.spawn(["stop"]);
    stopping.wait_for_note("to finish its steps");
    fs::write(env.file("out/go"), "").unwrap();
    assert_snapshot!("stop_drains", stopping.wait());
    assert_eq!(env.processes(), Vec::<u32>::new());
    assert_eq!(env.witnesses("out", ["wait", "next"]), [1, 0], "what drains starts nothing");

    env.start_daemons();
    assert_eq!(env.watch(&goal), Some(0));
    assert_eq!(env.witnesses("out", ["wait", "next"]), [1, 1], "the unsafe step that ended was not repeated");
}

#[test]
fn asked_twice_the_scheduler_does_not_wait_and_its_steps_end_with_it() {
    let (env, goal, pids) = stubborn();
    let process = env.holder("scheduler").unwrap().process().unwrap();
    let began = Instant::now();
    // The first may come before the second was made, as one signal.
    wait_until("the scheduler ends", || {
        process.terminate();
        process.wait(Duration::from_millis(50)).then_some(())
    });
    wait_gone(pids);
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    env.start_daemon("scheduler");
    assert_eq!(env.pb(["goal", "cancel", &goal]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(1));
}

#[test]
fn status_tells_what_runs_and_stop_leaves_no_process() {
    let env = TestEnv::new();
    env.start_daemons();
    env.wait_linked(true);
    wait_until("the scheduler has told what it works with", || {
        env.json(["status", "--json"])["works_with"].is_object().then_some(())
    });
    assert_snapshot!("status_idle", env.pb(["status"]));
    assert_snapshot!("start_again", env.pb(["start"]));
    env.write("goal.toml", WAITS);
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    env.wait_linked(true);
    assert_snapshot!("status_busy", env.pb(["status"]));
    let told = env.json(["status", "--json"]);
    for name in ["gateway", "scheduler"] {
        assert_eq!(told[name]["pid"], env.holder(name).unwrap().pid);
    }
    assert_eq!(told["gateway"]["address"], format!("ws://{}", env.address()));
    assert_eq!(told["system"]["scheduler"]["isConnected"], true);
    assert_eq!(told["system"]["goals"]["active"], 1);
    fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(env.watch(&goal), Some(0));

    assert_snapshot!("stop", env.pb(["stop"]));
    assert_eq!(env.processes(), Vec::<u32>::new());
    assert_snapshot!("stop_again", env.pb(["stop"]));
    assert_eq!(env.pb(["status"]).exit, Some(3));
}

#[test]
fn each_daemon_is_stopped_and_restarted_by_itself() {
    let env = TestEnv::new();
    env.start_daemons();
    let pid = |name: &str| env.holder(name).map(|holder| holder.pid);
    let (gateway, scheduler) = (pid("gateway"), pid("scheduler"));
    assert_snapshot!("gateway_restart", env.pb(["gateway", "restart"]));
    assert_eq!(pid("scheduler"), scheduler);
    assert_ne!(pid("gateway"), gateway);
    assert_snapshot!("scheduler_stop", env.pb(["scheduler", "stop"]));
    assert_eq!(pid("scheduler"), None);
    env.wait_linked(false);
    assert_snapshot!("status_no_scheduler", env.pb(["status"]));
    assert_eq!(env.processes(), [pid("gateway").unwrap()]);
}
