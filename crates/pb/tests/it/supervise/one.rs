//! One of the two without the other.

use std::fs;

use insta::assert_snapshot;

use super::started;
use crate::life::WAITS;

#[test]
fn one_is_stopped_started_and_restarted_and_the_other_goes_on() {
    let env = started();
    let [supervisor, gateway, scheduler] = env.pids();
    let address = env.address();
    assert_snapshot!("stop_one", env.pb(["scheduler", "stop"]));
    assert_eq!(env.states().unwrap(), ["running", "stopped"]);
    assert_snapshot!("stop_one_twice", env.pb(["scheduler", "stop"]));
    // Nor does another supervisor start what a person has stopped.
    env.kill9("supervisor");
    env.wait_states(["running", "stopped"]);
    assert_snapshot!("start_one", env.pb(["scheduler", "start"]));
    assert_snapshot!("start_one_twice", env.pb(["scheduler", "start"]));
    assert_snapshot!("restart_one", env.pb(["gateway", "restart"]));
    assert_eq!(env.address(), address, "one that took any free port keeps it");
    let [other_supervisor, other_gateway, other_scheduler] = env.pids();
    assert!(supervisor != other_supervisor && gateway != other_gateway && scheduler != other_scheduler);
    let ran = env.pb(["gateway", "restart", "--debug"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let line = fs::read_to_string(format!("/proc/{}/cmdline", env.pids()[1])).unwrap();
    assert!(line.contains("--debug"), "{line:?}");
    env.assert_works();
    // With both stopped nothing is left to be kept running.
    assert_eq!(env.pb(["gateway", "stop"]).exit, Some(0));
    assert_eq!(env.pb(["scheduler", "stop"]).exit, Some(0));
    crate::env::wait_until("nothing runs", || env.processes().is_empty().then_some(()));
}

#[test]
fn who_follows_a_goal_sees_all_of_it_over_restarts_of_the_gateway() {
    let env = started();
    env.write("goal.toml", WAITS);
    let following = env.spawn(["run", "goal.toml", "--json"]);
    env.wait_lines("out/witness/wait", 1);
    for _ in 0..3 {
        assert_eq!(env.pb(["gateway", "restart"]).exit, Some(0));
    }
    env.write("out/go", "");
    let ran = following.wait();
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_eq!(env.witnesses("out", ["wait"]), [1]);
}
