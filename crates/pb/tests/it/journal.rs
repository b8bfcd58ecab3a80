//! Under a service manager that gives us the journal, lines go there and not into files.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::env::{TIMEOUT, TestEnv, wait_until};

/// Runs what follows in a mount namespace of its own, in which the journal's folder is the first argument.
const WITH_JOURNAL: &str = r#"mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/journal; mount --bind "$0" /run/systemd/journal; exec "$@""#;

#[expect(clippy::disallowed_methods, reason = "the test is the service manager")]
fn with_journal(env: &TestEnv) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-ec", WITH_JOURNAL])
        .arg(env.file("journal"));
    command.stdin(Stdio::null());
    command
}

/// The gateway, whose standard error is a file that stands for the journal's stream; or another one, if `is_named` is not.
fn gateway(env: &TestEnv, is_named: bool) -> Child {
    let stderr = File::create(env.file("stderr")).unwrap();
    let meta = stderr.metadata().unwrap();
    let inode = if is_named { meta.ino() } else { meta.ino() + 1 };
    with_journal(env)
        .arg(env!("CARGO_BIN_EXE_pb"))
        .args(["gateway", "start", "--foreground"])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", env.user())
        .env("PB_HOME", env.home())
        .env("PB_PORT", "0")
        .env("PB_LOG", "debug")
        .env("JOURNAL_STREAM", format!("{}:{inode}", meta.dev()))
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

fn stop(mut gateway: Child) {
    kill_process(Pid::from_child(&gateway), Signal::TERM).unwrap();
    assert!(gateway.wait().unwrap().success());
}

#[test]
fn lines_go_to_the_journal_where_standard_error_is_its_stream_and_else_where_they_always_go() {
    let env = TestEnv::new();
    fs::create_dir(env.file("journal")).unwrap();
    if !with_journal(&env).arg("true").status().unwrap().success() {
        return; // This machine lets nobody mount.
    }
    let listener = UnixDatagram::bind(env.file("journal/socket")).unwrap();
    listener.set_read_timeout(Some(TIMEOUT)).unwrap();
    let running = gateway(&env, true);
    let mut bytes = vec![0; 64 * 1024];
    let entry = loop {
        let count = listener.recv(&mut bytes).unwrap();
        let entry = String::from_utf8(bytes[..count].to_vec()).unwrap();
        if entry.starts_with("MESSAGE=the gateway listens\n") {
            break entry;
        }
    };
    assert!(entry.contains("\nPRIORITY=6\nSYSLOG_IDENTIFIER=pb-gateway\nPB_"), "{entry}");
    assert!(entry.contains("\nPB_TARGET=pb_gateway::service\n"), "{entry}");
    wait_until("it serves", || {
        env.holder("gateway").filter(|_| env.home().join("run/gateway.json").exists())
    });
    assert!(!env.home().join("logs/gateway.log").exists());
    stop(running);
    assert!(!fs::read_to_string(env.file("stderr")).unwrap().contains("the gateway listens"));

    // One that was given another standard error still has the variable.
    let running = gateway(&env, false);
    wait_until("it tells on its terminal", || {
        fs::read_to_string(env.file("stderr")).unwrap().contains("the gateway listens").then_some(())
    });
    stop(running);
}
