//! Whatever is killed comes back without a person.

use std::time::{Duration, Instant};

use super::{ALL, started};
use crate::env::{TestEnv, wait_until};
use crate::life::WAITS;

/// Three times the second that is promised (F2), and what a debug build and other tests beside it take.
const BACK_MAX: Duration = Duration::from_secs(9);

/// Kills these, one right after the other, and waits until all three are back, and work.
fn kill(env: &TestEnv, names: &[&str]) {
    let before = env.pids();
    let began = Instant::now();
    for name in names {
        env.kill9(name);
    }
    let after = wait_until(&format!("all are back after {names:?} were killed"), || {
        let after = ALL.map(|name| env.holder(name).map(|holder| holder.pid));
        let is_anew = ALL.iter().zip(after).zip(before).all(|((name, after), before)| {
            after.is_some_and(|after| (after != before) == names.contains(name))
        });
        (is_anew && env.states()? == ["running", "running"]).then_some(after)
    });
    assert!(began.elapsed() < BACK_MAX, "{names:?} were back after {:?}: {after:?}", began.elapsed());
    env.assert_works();
}

#[test]
fn each_of_them() {
    let env = started();
    for name in ALL {
        kill(&env, &[name]);
    }
}

#[test]
fn each_pair_in_each_order() {
    let env = started();
    for first in ALL {
        for second in ALL.into_iter().filter(|second| *second != first) {
            kill(&env, &[first, second]);
        }
    }
}

/// Nobody is left who could start anything: the next command does.
#[test]
fn after_all_three_the_next_command_starts_them() {
    let env = started();
    for name in ALL {
        env.kill9(name);
    }
    env.assert_works();
    env.wait_running();
    assert_eq!(env.processes().len(), 3);
}

/// What was under way goes on, its effect was made once, and who followed it saw all of it.
#[test]
fn a_goal_goes_on_over_the_death_of_each() {
    let env = started();
    env.write("goal.toml", &WAITS.replace("unsafe", "idempotent"));
    let following = env.spawn(["run", "goal.toml"]);
    env.wait_lines("out/witness/wait", 1);
    for name in ["supervisor", "gateway", "scheduler"] {
        env.kill9(name);
        env.wait_running();
    }
    env.wait_lines("out/witness/wait", 2);
    env.write("out/go", "");
    let ran = following.wait();
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_eq!(env.witnesses("out", ["wait"]), [2], "once, and once more as the scheduler died");
}
