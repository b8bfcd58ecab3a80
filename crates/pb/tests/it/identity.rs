//! Who runs: a pid that came to mean another process, a start from inside other namespaces, two users on one machine.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pb_runtime::LockHolder;
use pb_runtime::process::start_time;

use crate::env::{TestEnv, wait_until};
use crate::machine::is_alive;
use crate::tools;

/// A process that is none of ours, and lives until the test is over.
struct Bystander(Child);

impl Bystander {
    #[expect(clippy::disallowed_methods, reason = "the test needs a process that is none of ours")]
    fn start() -> Self {
        let mut sleep = Command::new("sleep");
        Self(sleep.arg("1000").stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lock(env: &TestEnv, name: &str) -> PathBuf {
    env.home().join(format!("{name}.lock"))
}

fn named(path: &Path) -> LockHolder {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The pid of a process that ended is given to another one, which is not ours to signal. Once with the start time of the
/// old one, which tells them apart; and once with its own, as if somebody had written it there.
#[test]
fn a_process_that_has_the_pid_of_a_lock_is_neither_shown_nor_signalled() {
    let env = TestEnv::new();
    env.start_daemons();
    let of_us = ["gateway", "scheduler"].map(|name| named(&lock(&env, name)));
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let bystander = Bystander::start();
    let pid = bystander.pid();
    let its_own = start_time(pid).unwrap();
    for is_its_own in [false, true] {
        for (name, holder) in ["gateway", "scheduler"].into_iter().zip(&of_us) {
            let started = if is_its_own { its_own } else { holder.start_time };
            let reused = LockHolder { pid, start_time: started, ..holder.clone() };
            fs::write(lock(&env, name), serde_json::to_string(&reused).unwrap()).unwrap();
        }
        let status = env.pb(["status"]);
        assert_eq!(status.exit, Some(3), "{status}");
        assert_eq!(status.raw_stdout.matches("not running").count(), 2, "{status}");
        for stop in [&["stop"][..], &["stop", "--all"], &["gateway", "stop"], &["scheduler", "stop"]] {
            let stopped = env.pb(stop);
            assert_eq!(stopped.exit, Some(0), "{stopped}");
            assert!(!stopped.raw_stderr.contains("pid"), "{stopped}");
        }
        assert!(is_alive(pid), "it was signalled, with its own start time: {is_its_own}");
    }
    env.start_daemons();
    assert!(["gateway", "scheduler"].iter().all(|name| env.holder(name).unwrap().pid != pid));
    assert!(is_alive(pid));
}

/// Runs `pb` where the pids of this machine mean nothing.
#[expect(clippy::disallowed_methods, reason = "the test is the person who works in a container")]
fn in_other_pids(env: &TestEnv, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"])
        .args(arguments)
        .env("PB_HOME", env.home())
        .env("PB_PORT", "0")
        .env("PB_LOCAL_MODEL_PORTS", "none")
        .current_dir(env.work())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

#[test]
fn a_second_one_is_refused_also_where_the_pid_of_the_first_means_nothing() {
    let env = TestEnv::new();
    if !in_other_pids(&env, &["true"]).status().is_ok_and(|status| status.success()) {
        tools::skipped("no PID namespace can be made here");
        return;
    }
    env.start_daemons();
    let pids = || ["gateway", "scheduler"].map(|name| env.holder(name).map(|holder| holder.pid));
    let before = pids();
    for name in ["gateway", "scheduler"] {
        let ran =
            in_other_pids(&env, &[env!("CARGO_BIN_EXE_pb"), name, "start", "--foreground"]).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(75), "{name}: {said}");
        assert!(said.contains(&format!("the {name} is already running")), "{said}");
    }
    assert_eq!(pids(), before, "the first ones go on, and their locks still say who they are");

    // And the other way round: one that runs in there holds the lock for those out here.
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let mut inside = in_other_pids(&env, &[env!("CARGO_BIN_EXE_pb"), "gateway", "start", "--foreground"]);
    let mut inside = inside.stderr(Stdio::null()).spawn().unwrap();
    wait_until("the one in there listens", || env.home().join("run/gateway.json").exists().then_some(()));
    let refused = env.pb(["gateway", "start"]);
    assert_eq!(refused.exit, Some(75), "{refused}");
    let status = env.pb(["status"]);
    assert!(status.raw_stdout.contains("its lock is held by a process that is not seen"), "{status}");
    let told = env.pb(["doctor", "--offline", "--json"]);
    assert!(told.raw_stdout.contains("is held by a process that it does not name"), "{told}");
    assert_eq!(told.exit, Some(1));
    // Its keeper ends it with itself.
    inside.kill().unwrap();
    inside.wait().unwrap();
    wait_until("a new one may start", || (env.pb(["gateway", "start"]).exit == Some(0)).then_some(()));
}

/// Another user of this machine: `nobody`, or none where we cannot become it.
struct OtherUser {
    /// The words before a command of theirs.
    words: Vec<&'static str>,
    /// Where they run `pb` from.
    pb: PathBuf,
    /// Their home.
    home: PathBuf,
}

impl Drop for OtherUser {
    fn drop(&mut self) {
        if self.home.exists() {
            self.pb(&self.home, "0", &["stop", "--all"]);
        }
    }
}

const NOBODY: [&str; 6] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "env"];

impl OtherUser {
    #[expect(clippy::disallowed_methods, reason = "the test becomes another user")]
    fn of(env: &TestEnv) -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        let sudo: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
        let words = [sudo, &NOBODY].concat();
        let (first, rest) = words.split_first().unwrap();
        let tried = Command::new(first).args(rest).arg("true").stderr(Stdio::null()).status();
        if !tried.is_ok_and(|status| status.success()) {
            tools::skipped("the test cannot become another user");
            return None;
        }
        // Where our binary lies, others may not come.
        let pb = env.root().join("pb");
        let binary = env!("CARGO_BIN_EXE_pb");
        fs::hard_link(binary, &pb).or_else(|_| fs::copy(binary, &pb).map(drop)).unwrap();
        fs::set_permissions(env.root(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(env.root().join("theirs")).unwrap();
        fs::set_permissions(env.root().join("theirs"), fs::Permissions::from_mode(0o777)).unwrap();
        Some(Self { words, pb, home: env.root().join("theirs/home") })
    }

    /// What `pb` says to them; with its exit code.
    #[expect(clippy::disallowed_methods, reason = "the test is the other user who types the command")]
    fn pb(&self, home: &Path, port: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let (first, rest) = self.words.split_first().unwrap();
        let ran = Command::new(first)
            .args(rest)
            .arg(format!("PB_HOME={}", home.display()))
            .args([format!("PB_PORT={port}").as_str(), "PB_LOCAL_MODEL_PORTS=none"])
            .arg(&self.pb)
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.code(), String::from_utf8(said).unwrap())
    }
}

#[test]
fn the_home_of_another_user_is_refused_and_two_homes_run_side_by_side() {
    let mut env = TestEnv::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let Some(other) = OtherUser::of(&env) else { return };
    env.variables.push(("PB_PORT", port.clone()));
    env.start_daemons();
    let ours = env.home();
    for command in ["start", "gateway start --foreground", "scheduler start", "status", "stop", "stop --all"]
    {
        let words: Vec<&str> = command.split(' ').collect();
        let (exit, said) = other.pb(&ours, "0", &words);
        assert_eq!(exit, Some(78), "{command}: {said}");
        assert!(said.contains(&format!("{} belongs to another user", ours.display())), "{command}: {said}");
        assert!(said.contains("hint: set PB_HOME to a folder that is yours"), "{command}: {said}");
    }

    let (exit, said) = other.pb(&ours, "0", &["doctor", "--offline"]);
    let whose = format!("belongs to user {}, and you are user 65534", rustix::process::geteuid().as_raw());
    assert_eq!((exit, said.contains(&whose)), (Some(1), true), "{said}");

    let theirs = other.home.clone();
    let (exit, said) = other.pb(&theirs, &port, &["start"]);
    assert_eq!(exit, Some(78), "{said}");
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("--port 0"), "{said}");
    let (exit, said) = other.pb(&theirs, "0", &["start"]);
    assert_eq!(exit, Some(0), "{said}");
    let (exit, said) = other.pb(&theirs, "0", &["status"]);
    assert_eq!((exit, said.contains("gateway    running")), (Some(0), true), "{said}");
    assert_eq!(env.pb(["status"]).exit, Some(0));
    assert!(fs::read_to_string(theirs.join("run/gateway.json")).is_ok_and(|json| !json.contains(&port)));

    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let (exit, said) = other.pb(&theirs, "0", &["status"]);
    assert_eq!(exit, Some(0), "theirs go on: {said}");
    let (exit, said) = other.pb(&theirs, "0", &["stop"]);
    assert_eq!((exit, said.matches("stopped").count()), (Some(0), 2), "{said}");
}
