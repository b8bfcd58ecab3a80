//! What a service manager is told (`sd_notify(3)`), on a socket of the test's own.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::env::{TIMEOUT, TestEnv, wait_until};

struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn of(env: &mut TestEnv, watchdog: Duration) -> Self {
        let path = env.root().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        env.variables.push(("NOTIFY_SOCKET", path.to_str().unwrap().to_owned()));
        env.variables.push(("WATCHDOG_USEC", watchdog.as_micros().to_string()));
        Self { socket, heard: Vec::new() }
    }

    /// Waits until it is told this; how often it has been told so far.
    fn wait(&mut self, wanted: &str) -> usize {
        let before = self.count(wanted);
        while self.count(wanted) == before {
            let mut bytes = [0; 4096];
            let count = self.socket.recv(&mut bytes).unwrap();
            let text = std::str::from_utf8(&bytes[..count]).unwrap();
            self.heard.extend(text.lines().map(str::to_owned));
        }
        self.count(wanted)
    }

    fn count(&self, wanted: &str) -> usize {
        self.heard.iter().filter(|line| *line == wanted).count()
    }
}

#[test]
fn the_supervisor_is_ready_when_both_are_says_that_it_is_alive_and_that_it_stops() {
    let mut env = TestEnv::supervised();
    let mut manager = Manager::of(&mut env, Duration::from_millis(300));
    let running = env.spawn(["supervise"]);
    manager.wait("READY=1");
    let states: Vec<_> = manager.heard.iter().filter(|line| line.starts_with("STATUS=")).cloned().collect();
    assert_eq!(states.last().unwrap(), "STATUS=gateway running, scheduler running", "{states:?}");
    assert!(["gateway", "scheduler"].iter().all(|name| env.holder(name).is_some()));
    while manager.wait("WATCHDOG=1") < 3 {}
    env.assert_works();
    // What it runs does not talk to the service manager, nor start another supervisor beside it.
    env.kill9("scheduler");
    manager.wait("STATUS=gateway running, scheduler backoff");
    manager.wait("STATUS=gateway running, scheduler running");
    let pid = Pid::from_child(&running.child);
    kill_process(pid, Signal::TERM).unwrap();
    manager.wait("STOPPING=1");
    let ran = running.wait();
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_eq!(manager.count("READY=1"), 1, "{:?}", manager.heard);
    assert_eq!(env.processes(), Vec::<u32>::new());
}

/// A supervisor that a service manager runs is started again by that, with all that is below it.
#[test]
fn nobody_else_starts_a_supervisor_that_a_service_manager_runs() {
    let mut env = TestEnv::supervised();
    let mut manager = Manager::of(&mut env, Duration::from_mins(1));
    let running = env.spawn(["supervise"]);
    manager.wait("READY=1");
    env.kill9("supervisor");
    drop(running);
    env.variables.retain(|(name, _)| !matches!(*name, "NOTIFY_SOCKET" | "WATCHDOG_USEC"));
    let variable = |name| {
        let pid = env.holder(name).unwrap().pid;
        let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        String::from_utf8_lossy(&bytes).contains("PB_SUPERVISED=")
    };
    assert_eq!(["gateway", "scheduler"].map(variable), [false, false]);
    // As it does: the next one finds what is left.
    assert_eq!(env.pb(["start"]).exit, Some(0));
    env.wait_running();
}

#[test]
fn a_process_alone_tells_it_too_and_falls_silent_when_it_hangs() {
    for name in ["gateway", "scheduler"] {
        let mut env = TestEnv::new();
        let mut manager = Manager::of(&mut env, Duration::from_millis(300));
        let running = env.spawn([name, "start", "--foreground"]);
        manager.wait("READY=1");
        while manager.wait("WATCHDOG=1") < 3 {}
        let pid = Pid::from_child(&running.child);
        kill_process(pid, Signal::STOP).unwrap();
        manager.socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut bytes = [0; 4096];
        wait_until("it is silent", || manager.socket.recv(&mut bytes).is_err().then_some(()));
        kill_process(pid, Signal::CONT).unwrap();
        manager.socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        manager.wait("WATCHDOG=1");
        kill_process(pid, Signal::TERM).unwrap();
        manager.wait("STOPPING=1");
        let ran = running.wait();
        assert_eq!(ran.exit, Some(0), "{ran}");
    }
}
