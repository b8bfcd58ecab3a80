//! What runs on the machine of a test: the two daemons, goals, and the processes of their steps.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::env::{TIMEOUT, TestEnv, wait_until};

impl TestEnv {
    /// Starts both daemons in the background.
    pub(crate) fn start_daemons(&self) {
        let ran = self.pb(["start"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
    }

    /// Starts one daemon in the background: `gateway` or `scheduler`.
    pub(crate) fn start_daemon(&self, name: &str) {
        let ran = self.pb([name, "start"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
    }

    /// Waits until the gateway has the scheduler and all its events, or has none.
    pub(crate) fn wait_linked(&self, linked: bool) {
        wait_until("the gateway and the scheduler are linked, or are not", || {
            let told: Value = serde_json::from_str(&self.pb(["status", "--json"]).raw_stdout).unwrap();
            let scheduler = &told["system"]["scheduler"];
            (scheduler["isConnected"] == linked && scheduler["lagEvents"] == 0).then_some(())
        });
    }

    /// Ends a daemon without asking it, and waits until it is gone.
    pub(crate) fn kill9(&self, name: &str) {
        let Some(process) = self.holder(name).and_then(|holder| holder.process()) else {
            return; // It ended in this moment.
        };
        process.kill();
        assert!(process.wait(TIMEOUT), "the {name} does not die");
    }

    /// The processes of this test: daemons, keepers, tools, and what those left behind. Each has
    /// a folder of the test in its environment, or stands in one.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let root = self.root().to_str().unwrap();
        let is_ours = |pid: u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let cwd = fs::read_link(format!("/proc/{pid}/cwd"));
            is_alive(pid)
                && (String::from_utf8_lossy(&environment).contains(root)
                    || cwd.is_ok_and(|cwd| cwd.starts_with(root)))
        };
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| is_ours(*pid)).collect()
    }

    /// Hands a goal file over and gives the goal's id.
    pub(crate) fn detach(&self, arguments: &[&str]) -> String {
        let ran = self.pb(["run", "--detach"].iter().chain(arguments));
        assert_eq!(ran.exit, Some(0), "{ran}");
        ran.raw_stdout.trim_end().to_owned()
    }

    /// The goal with its items and runs, as `pb goal show --json` prints it.
    pub(crate) fn show(&self, goal: &str) -> Value {
        self.json(["goal", "show", goal, "--json"])
    }

    /// The only goal there is.
    pub(crate) fn only_goal(&self) -> String {
        let list = self.json(["goal", "list", "--json"]);
        assert_eq!(list["total"], 1, "{list}");
        list["goals"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Follows a goal to its end; the exit code.
    pub(crate) fn watch(&self, goal: &str) -> Option<i32> {
        self.pb(["goal", "watch", goal]).exit
    }

    /// Every event of a goal that is over, as `pb goal watch --json` prints them.
    pub(crate) fn events(&self, goal: &str) -> Vec<Value> {
        json_lines(&self.pb(["goal", "watch", goal, "--json"]).raw_stdout)
    }

    /// A file below the folder in which commands run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Waits until a step has made a file, or until it has so many lines.
    pub(crate) fn wait_lines(&self, name: &str, count: usize) {
        wait_until(&format!("{name} has {count} lines"), || (lines(&self.file(name)) >= count).then_some(()));
    }

    /// The process id that a step wrote into a file, once it is there.
    pub(crate) fn wait_pid(&self, name: &str) -> u32 {
        wait_until(&format!("{name} holds a process id"), || {
            fs::read_to_string(self.file(name)).ok()?.strip_suffix('\n')?.parse().ok()
        })
    }

    /// A goal that ignores SIGTERM, in two sessions, and never ends. What it writes is as long for every pid.
    pub(crate) fn stubborn_goal(&self) -> PathBuf {
        let script = r#"
title = "Never ends"
workspace = "stubborn"

[[items]]
id = "stay"
kind = "command"
argv = ["sh", "-c", """
trap '' TERM
(setsid sh -c 'trap "" TERM HUP; printf "%010d\\n" $$ > grandchild; while :; do sleep 1000; done' &)
printf "%010d\\n" $$ > tool
while :; do sleep 1000; done
"""]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "never" }]
"#;
        self.write("stubborn.toml", script)
    }

    /// The processes of [`TestEnv::stubborn_goal`], once they run.
    pub(crate) fn stubborn_pids(&self) -> [u32; 2] {
        ["stubborn/tool", "stubborn/grandchild"].map(|name| self.wait_pid(name))
    }

    /// How often each item ran, by the witness files that the items wrote a line into.
    pub(crate) fn witnesses<const N: usize>(&self, folder: &str, items: [&str; N]) -> [usize; N] {
        items.map(|item| lines(&self.file(folder).join("witness").join(item)))
    }
}

/// The item of a goal as [`TestEnv::show`] gives it, by its key.
pub(crate) fn item<'v>(goal: &'v Value, key: &str) -> &'v Value {
    goal["items"].as_array().unwrap().iter().find(|item| item["key"] == key).unwrap()
}

/// One JSON value a line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether events are all of one goal, from its first one on, in order and each once.
#[track_caller]
pub(crate) fn assert_gapless(events: &[Value]) {
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());
}

/// True while the process is there and is not just waiting to be waited for.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

/// The files below a folder that hold a text.
pub(crate) fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut holding = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            holding.extend(files_with(&path, text));
        } else if kind.is_file() {
            // What is gone meanwhile, as a mark that was just put in its place, holds nothing.
            let bytes = fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                holding.push(path.display().to_string());
            }
        }
    }
    holding
}
