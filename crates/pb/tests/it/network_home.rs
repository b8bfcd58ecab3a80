//! A home that another machine serves is refused: its locks and its WAL would not be sure.

use std::process::{Command, Stdio};

use crate::env::TestEnv;
use crate::tools;

/// Runs `sh` where it may mount: in namespaces of its own.
#[expect(clippy::disallowed_methods, reason = "the test is the person who mounts something")]
pub(crate) fn where_one_may_mount(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script]);
    command.stdin(Stdio::null());
    command
}

/// Mounts a file system of the type `fuse.sshfs` at `PB_HOME`; its server is gone, as after a night of sleep.
const MOUNT: &str =
    "mount -i -t fuse.sshfs -o fd=3,rootmode=40000,user_id=0,group_id=0 there \"$PB_HOME\" 3<>/dev/fuse\n";

#[test]
fn a_home_on_a_network_file_system_is_refused() {
    let env = TestEnv::new();
    std::fs::create_dir(env.home()).unwrap();
    let in_it = |command: &str| {
        let mut shell = where_one_may_mount(&format!("{MOUNT} exec {command}"));
        let shell = shell.env("PB_HOME", env.home()).env("PB_PORT", "0").env("PB", env!("CARGO_BIN_EXE_pb"));
        shell.output().unwrap()
    };
    if !in_it("true").status.success() {
        tools::skipped("nothing can be mounted here, not even in a user namespace");
        return;
    }
    for start in ["gateway start", "gateway start --foreground", "scheduler start --foreground", "start"] {
        let ran = in_it(&format!("\"$PB\" {start}"));
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(78), "{start}: {said}");
        let home = env.home().display().to_string();
        let expect = format!("{home} lies on a network file system (fuse.sshfs, mounted at {home})");
        assert!(said.contains(&expect), "{start}: {said}");
        assert!(said.contains("hint: set PB_HOME to a folder on a disk of this machine"), "{start}: {said}");
    }
    let ran = in_it("\"$PB\" doctor --offline --json");
    let told: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let check = told["checks"].as_array().unwrap().iter().find(|check| check["name"] == "file system");
    assert_eq!((ran.status.code(), &check.unwrap()["result"]), (Some(1), &"problem".into()));
    assert_eq!(std::fs::read_dir(env.home()).unwrap().count(), 0, "nothing was made beside it");
}
