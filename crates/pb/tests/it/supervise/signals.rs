//! The signals that processes get from shells, terminals and people.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{ALL, started};
use crate::env::{TestEnv, wait_until};
use crate::machine::is_alive;

/// How long stopped processes are left so: far below what counts as hanging.
const STOPPED_FOR: Duration = Duration::from_millis(300);

fn signal(env: &TestEnv, name: &str, signal: Signal) {
    let pid = env.holder(name).unwrap().pid;
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn a_hang_up_and_a_pause_change_nothing() {
    let env = started();
    let before = env.pids();
    for name in ALL {
        signal(&env, name, Signal::HUP);
        signal(&env, name, Signal::STOP);
        std::thread::sleep(STOPPED_FOR); // wait: what is stopped tells nothing
        signal(&env, name, Signal::CONT);
        env.assert_works();
    }
    assert_eq!(env.pids(), before);
}

#[test]
fn what_is_stopped_by_a_signal_hears_that_it_is_to_end() {
    let env = started();
    let holders = ALL.map(|name| env.holder(name).unwrap());
    for name in ALL {
        signal(&env, name, Signal::STOP);
    }
    let began = Instant::now();
    let stopped = env.pb(["stop"]);
    assert_eq!(stopped.exit, Some(0), "{stopped}");
    assert!(!stopped.stderr.contains("killed"), "{stopped}");
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
    assert!(holders.iter().all(|holder| !holder.is_alive()));
}

/// Who asks a process to end that is kept running gets another one: only the supervisor knows that it is to stay away.
#[test]
fn one_that_is_asked_to_end_by_a_stranger_comes_back() {
    let env = started();
    for name in ["gateway", "scheduler"] {
        let before = env.pids();
        signal(&env, name, Signal::TERM);
        wait_until("it is back", || {
            let other = env.holder(name)?.pid;
            (!before.contains(&other)).then_some(())
        });
        env.wait_running();
    }
}

#[test]
fn the_supervisor_stops_both_in_order_and_at_once_when_asked_twice() {
    let env = TestEnv::supervised();
    let goal = env.stubborn_goal();
    env.detach(&[goal.to_str().unwrap()]);
    let pids = env.stubborn_pids();
    let scheduler = env.holder("scheduler").unwrap();
    signal(&env, "supervisor", Signal::TERM);
    let log = env.home().join("logs/supervisor.log");
    wait_until("it stops the scheduler", || {
        std::fs::read_to_string(&log).unwrap().contains("stopping it").then_some(())
    });
    assert!(
        scheduler.is_alive() && env.holder("gateway").is_some(),
        "its step has time, and its events are seen"
    );
    let began = Instant::now();
    signal(&env, "supervisor", Signal::TERM);
    wait_until("all is gone", || env.processes().is_empty().then_some(()));
    assert!(began.elapsed() < Duration::from_secs(6), "three times two seconds: {:?}", began.elapsed());
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
}
