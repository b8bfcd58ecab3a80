//! What a tool cannot do, tried with real tools on the kernel at hand.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::{fs, path::Path};

use pb_exec::{Enforced, Job, Outcome, Policy, support};

use crate::env::{TestEnv, run, run_well};

/// Runs each line by itself and checks that it fails, and says "denied" or the like.
async fn check_refused(job: impl Fn(&str) -> Job, lines: &[&str]) {
    for line in lines {
        let finished = run(&job(line)).await;
        let text = finished.output.text();
        assert!(matches!(finished.outcome, Outcome::Exited(1..)), "{line}: {finished:?}");
        let refused = ["Permission denied", "Operation not permitted", "cross-device"];
        assert!(refused.iter().any(|word| text.contains(word)), "{line}: {text}");
    }
}

#[test]
fn this_kernel_can_confine() {
    let support = support();
    assert!(support.fs && support.net && support.scope, "{support:?}");
    assert!(support.abi >= 6, "{support:?}");
}

#[tokio::test]
async fn the_workspace_can_be_used_as_usual() {
    let env = TestEnv::new();
    let script = "
        set -e
        mkdir -p a/b; echo text >a/b/file; mv a/b/file a/moved; ln a/moved a/hard; ln -s moved a/soft
        cat a/soft; : >a/moved; rm -r a; mkfifo pipe; rm pipe
        printf '#!/bin/sh\necho ran\n' >tool; chmod +x tool; ./tool
        echo gone >/dev/null; echo out >/dev/stdout; pwd; ls
        grep -c . /etc/passwd >/dev/null; ls /usr >/dev/null; ls -ld $HOME >/dev/null";
    let expect = format!("text\nran\nout\n{}\ntool\n", env.workspace().display());
    assert_eq!(run_well(&env.bash(script)).await, expect);
}

#[tokio::test]
async fn writing_outside_is_refused() {
    let env = TestEnv::new();
    let outside = env.write("other/file", "untouched");
    symlink(env.home().join("other"), env.workspace().join("link")).unwrap();
    let lines = [
        "echo x >$HOME/other/file",
        "echo x >>$HOME/other/file",
        "echo x >$HOME/other/new",
        "echo x >../other/file",
        "echo x >link/file",
        "truncate -s 0 $HOME/other/file",
        "rm $HOME/other/file",
        "mkdir $HOME/other/folder",
        "mv $HOME/other/file .",
        "ln $HOME/other/file .",
        "echo x >/proc/self/root$HOME/other/file",
        "echo x >/proc/self/oom_score_adj",
        "echo x >/etc/pb-exec-test",
        "ln -s x $HOME/other/link",
    ];
    check_refused(|line| env.bash(line), &lines).await;
    assert_eq!(fs::read_to_string(outside).unwrap(), "untouched");
    assert!(!Path::new("/etc/pb-exec-test").exists());
}

#[tokio::test]
async fn hidden_paths_cannot_be_read_or_listed() {
    let env = TestEnv::new();
    let key = env.write(".ssh/id_x", "private");
    env.write(".cargo/credentials.toml", "token");
    env.write(".cargo/config.toml", "[build]");
    env.write("shared/keys/one", "private");
    symlink(env.home().join("shared/keys"), env.home().join(".aws")).unwrap();
    symlink(&key, env.workspace().join("link")).unwrap();
    symlink(env.home().join(".ssh"), env.home().join("beside")).unwrap();
    fs::hard_link(env.home().join(".cargo/credentials.toml"), env.home().join("hard")).unwrap();
    let lines = [
        "cat $HOME/.ssh/id_x",
        "cat ../.ssh/id_x",
        "cat link",
        "cat $HOME/beside/id_x",
        "cat /proc/self/root$HOME/.ssh/id_x",
        "cat /proc/self/cwd/../.ssh/id_x",
        "cat $HOME/.cargo/credentials.toml",
        "cat $HOME/hard",
        "cat $HOME/.aws/one",
        "cat $HOME/shared/keys/one",
        "ls $HOME/.ssh",
        "ls $HOME",
        "ls /",
        "cp $HOME/.ssh/id_x .",
        "ln $HOME/.ssh/id_x .",
        "mv $HOME/.ssh .",
        "cd $HOME/.ssh && cat id_x",
        "unshare -Ur cat $HOME/.ssh/id_x",
        "unshare -Urm sh -c 'mount --bind $HOME/.ssh . && cat id_x'",
        "cat /proc/$PPID/environ",
        "cat /proc/$PPID/root$HOME/.ssh/id_x",
    ];
    check_refused(|line| env.bash(line), &lines).await;
    assert_eq!(run_well(&env.bash("cat $HOME/.cargo/config.toml")).await, "[build]");
}

#[tokio::test]
async fn a_path_that_appears_later_is_hidden_too() {
    let env = TestEnv::new();
    let job = env.bash("echo $$ >tool; until [ -e go ]; do :; done; cat $HOME/.aws/credentials");
    let running = crate::env::launcher().spawn(&job).unwrap();
    env.wait_number("tool");
    env.write(".aws/credentials", "private");
    env.write("work/go", "");
    let finished = running.wait().await;
    assert_eq!(finished.outcome, Outcome::Exited(1));
    assert!(finished.output.text().contains("Permission denied"));
}

#[tokio::test]
async fn a_workspace_inside_a_hidden_folder_can_be_used() {
    let env = TestEnv::new();
    let other = env.write(".pb/state.db", "private");
    let inside = env.write(".pb/workspaces/one/file", "mine");
    let job = |script: &str| {
        let mut job = env.bash(script);
        job.confinement.hidden.push(env.home().join(".pb"));
        job.cwd = inside.parent().unwrap().to_path_buf();
        job.confinement.writable = vec![job.cwd.clone()];
        job
    };
    assert_eq!(run_well(&job("echo more >new; cat file; ls")).await, "minefile\nnew\n");
    check_refused(job, &["cat ../../state.db", "ls ../..", "echo x >../new"]).await;
    assert_eq!(fs::read_to_string(other).unwrap(), "private");
}

#[tokio::test]
async fn full_access_does_not_uncover_what_is_hidden() {
    let env = TestEnv::new();
    env.write(".ssh/inner/id_x", "private");
    let check = async |writable: &str, policy: Policy, expect: &str| {
        let mut job = env.bash("cat $HOME/.ssh/inner/id_x");
        job.confinement.policy = policy;
        job.confinement.writable = vec![env.home().join(writable)];
        let finished = run(&job).await;
        let found = format!("{:?} {:?}", finished.outcome, finished.enforced);
        assert!(found.contains(expect), "{found}");
    };
    symlink(env.home().join(".ssh/inner"), env.workspace().join("cache")).unwrap();
    check("", Policy::Required, "NotStarted").await;
    check("", Policy::Required, "contains the hidden").await;
    check("", Policy::BestEffort, "Partial").await;
    check("work/cache", Policy::Required, "symbolic link").await;
    check("work/cache", Policy::BestEffort, "Exited(1) Partial").await;
    check("work/missing", Policy::Required, "Exited(1) Full").await;
}

#[tokio::test]
async fn only_listed_tcp_ports_can_be_connected_to() {
    let env = TestEnv::new();
    let listed = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let job = |script: &str| {
        let mut job = env.bash(script);
        job.confinement.tcp_ports = vec![port(&listed)];
        job
    };
    let connect = |port: u16| format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo connected");
    assert_eq!(run_well(&job(&connect(port(&listed)))).await, "connected\n");
    check_refused(job, &[&format!("set -e; {}", connect(port(&other)))]).await;
}

#[tokio::test]
async fn signals_to_processes_outside_are_refused() {
    let env = TestEnv::new();
    let own = std::process::id();
    let lines = ["kill -0", "kill -KILL"];
    check_refused(|line| env.bash(&format!("{line} {own}")), &lines).await;
    // Its own children it may signal.
    assert_eq!(run_well(&env.bash("sleep 1000 & kill $!; wait $!; echo $?")).await, "143\n");
}

#[tokio::test]
async fn the_memory_and_environment_of_processes_outside_are_refused() {
    let env = TestEnv::new();
    let own = std::process::id();
    let lines = ["environ", "mem", "maps", "root/etc/passwd", "cwd/Cargo.toml", "fd/1"];
    check_refused(|line| env.bash(&format!("cat /proc/{own}/{line}")), &lines).await;
}

#[tokio::test]
async fn children_inherit_the_confinement_and_gain_no_privileges() {
    let env = TestEnv::new();
    env.write(".ssh/id_x", "private");
    let lines = [
        "env -i cat $HOME/.ssh/id_x",
        "setsid -w sh -c 'cat $HOME/.ssh/id_x'",
        "(sh -c 'cat $HOME/.ssh/id_x; echo $? >status' &); until [ -s status ]; do :; done; exit $(cat status)",
    ];
    check_refused(|line| env.bash(line), &lines).await;
    // The capabilities of a container's root at most, also after an `exec`.
    let text = run_well(&env.bash("grep CapPrm /proc/self/status")).await;
    let kept = u64::from_str_radix(text.trim_start_matches("CapPrm:").trim(), 16).unwrap();
    assert_eq!(kept & !0xa004_25fb, 0, "{text}");
    assert_eq!(run_well(&env.bash("grep NoNewPrivs /proc/self/status")).await, "NoNewPrivs:\t1\n");
}

#[tokio::test]
async fn too_many_files_beside_a_hidden_path_fail_closed() {
    let env = TestEnv::new();
    let crowd = env.home().join("crowd");
    fs::create_dir(&crowd).unwrap();
    for number in 0..17_000 {
        fs::File::create(crowd.join(number.to_string())).unwrap();
    }
    let mut job = env.bash("true");
    job.confinement.hidden.push(crowd.join("key"));
    let finished = run(&job).await;
    assert!(
        matches!(&finished.outcome, Outcome::NotStarted(why) if why.contains("16384 rules")),
        "{finished:?}"
    );
    assert_eq!(finished.enforced, Enforced::None);
}
