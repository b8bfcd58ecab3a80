//! The supervisor: what it keeps running, whatever happens to it and to them (`durability.md` §5, F2, F13, F14).

mod comes_back;
mod cycles;
mod fails;
mod one;
mod service_manager;
mod signals;
mod upgrade;

use insta::assert_snapshot;
use serde_json::Value;

use crate::env::{TestEnv, wait_until};

/// The processes, in the order in which they start.
const ALL: [&str; 3] = ["supervisor", "gateway", "scheduler"];

/// A goal that is done at once.
pub(crate) const QUICK: &str = r#"
title = "很快就好"
workspace = "out"

[[items]]
id = "touch"
kind = "command"
argv = ["sh", "-ec", "echo x > done"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "done" }]
"#;

impl TestEnv {
    /// What the supervisor tells; nothing while none does.
    fn told(&self) -> Option<Value> {
        let status: Value = serde_json::from_str(&self.pb(["status", "--json"]).raw_stdout).unwrap();
        Some(status["supervisor"].clone()).filter(|told| !told.is_null())
    }

    /// The states of gateway and scheduler, as the supervisor tells.
    fn states(&self) -> Option<[String; 2]> {
        let told = self.told()?;
        Some([0, 1].map(|place| told["children"][place]["state"].as_str().unwrap().to_owned()))
    }

    /// Waits until both are in these states.
    fn wait_states(&self, wanted: [&str; 2]) {
        wait_until(&format!("they are {wanted:?}"), || {
            let states = self.states()?;
            (states == wanted).then_some(())
        });
    }

    /// Waits until all three run.
    fn wait_running(&self) {
        self.wait_states(["running", "running"]);
    }

    /// Their process ids.
    fn pids(&self) -> [u32; 3] {
        ALL.map(|name| self.holder(name).unwrap_or_else(|| unreachable!("the {name} does not run")).pid)
    }

    /// A goal is taken, done and proven.
    fn assert_works(&self) {
        self.write("quick.toml", QUICK);
        let ran = self.pb(["run", "quick.toml"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
    }
}

/// A person who started everything once.
fn started() -> TestEnv {
    let env = TestEnv::supervised();
    env.start_daemons();
    env
}

#[test]
fn a_person_starts_once_sees_it_and_stops() {
    let env = TestEnv::supervised();
    assert_snapshot!("start", env.pb(["start"]));
    assert_snapshot!("start_twice", env.pb(["start"]));
    env.wait_linked(true);
    assert_snapshot!("status", env.pb(["status"]));
    env.assert_works();
    assert_snapshot!("stop", env.pb(["stop"]));
    assert_snapshot!("stop_twice", env.pb(["stop"]));
    assert_eq!(env.processes(), Vec::<u32>::new());
}

#[test]
fn whoever_needs_it_first_starts_it() {
    let env = TestEnv::supervised();
    env.assert_works();
    assert_eq!(env.states().unwrap(), ["running", "running"]);
}

/// Many at once: one supervisor, one of each.
#[test]
fn starts_at_the_same_moment_come_to_one_of_each() {
    let env = TestEnv::supervised();
    let starts: Vec<_> = (0..6).map(|_| env.spawn(["start"])).collect();
    for start in starts {
        let ran = start.wait();
        assert_eq!(ran.exit, Some(0), "{ran}");
    }
    env.wait_running();
    assert_eq!(env.processes().len(), 3);
}

#[test]
fn with_force_both_are_started_anew_with_what_is_asked_for() {
    let env = started();
    let before = env.pids();
    let ran = env.pb(["start", "--force", "--debug"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let after = env.pids();
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", after[2])).unwrap();
    assert!(line.contains("--debug"), "{line:?}");
}

#[test]
fn security_26_while_a_supervisor_keeps_both_running() {
    let env = TestEnv::supervised();
    let goal = env.stubborn_goal();
    env.detach(&[goal.to_str().unwrap()]);
    let pids = env.stubborn_pids();
    let stopped = env.pb(["stop", "--all"]);
    assert_eq!(stopped.exit, Some(0), "{stopped}");
    assert_eq!(env.processes(), Vec::<u32>::new(), "{stopped}");
    assert!(!pids.iter().any(|pid| crate::machine::is_alive(*pid)));
    let refused = env.pb(["supervise"]);
    assert_eq!(refused.exit, Some(75), "{refused}");
    assert_eq!(env.pb(["start"]).exit, Some(0));
    env.wait_running();
}
