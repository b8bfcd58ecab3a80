//! `examples/clients`, as strangers copy them: through a gateway that is stopped, and one that is killed.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::env::{TestEnv, wait_until};
use crate::tools;

const GOAL: &str = r#"
title = "一件小事"
[[items]]
id = "a"
kind = "command"
argv = ["sh", "-c", "echo 你好 > a"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "a" }]
"#;

/// Asks when its only attempt ran out of time, and is done at the next.
const ASKS: &str = r#"
title = "付账单"
workspace = "paid"
[[items]]
id = "pay"
kind = "command"
argv = ["sh", "-c", "test -e again && echo paid >> receipt || { touch again; sleep 60; }"]
effect = "unsafe"
time_limit = "1s"
"#;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/clients").join(name)
}

/// A client that runs.
struct Running<'e> {
    env: &'e TestEnv,
    child: Child,
    output: String,
}

impl<'e> Running<'e> {
    /// Starts it in the folder in which commands run; what it prints goes into the file `output`.
    #[expect(clippy::disallowed_methods, reason = "the test is the person who has a client")]
    fn start(env: &'e TestEnv, program: &Path, arguments: &[PathBuf], output: &str) -> Self {
        let file = |name: String| File::create(env.file(&name)).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(env.work())
            .stdin(Stdio::piped())
            .stdout(file(output.to_owned()))
            .stderr(file(format!("{output}.stderr")))
            .spawn()
            .unwrap();
        Self { env, child, output: output.to_owned() }
    }

    fn printed(&self) -> String {
        fs::read_to_string(self.env.file(&self.output)).unwrap()
    }

    fn says(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn wait_for(&self, text: &str) {
        wait_until(&format!("the client prints {text:?}"), || self.printed().contains(text).then_some(()));
    }

    /// Waits until it ends, which must be well; what it printed.
    fn end(mut self) -> Vec<String> {
        let status = wait_until("the client ends", || self.child.try_wait().unwrap());
        let stderr = fs::read_to_string(self.env.file(&format!("{}.stderr", self.output))).unwrap();
        assert!(status.success(), "{}{stderr}", self.printed());
        self.printed().lines().map(str::to_owned).collect()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has a client follow three goals: one before it is run again, two around the death of the gateway. `word` is
/// which word of a line is the name of the event.
fn follow(env: &TestEnv, program: &Path, arguments: &[PathBuf], word: usize) {
    env.start_daemons();
    env.write("goal.toml", GOAL);
    let with_count = |count: &str| {
        let files = [env.home().join("run/gateway.json"), env.file("cursor"), count.into()];
        [arguments, files.as_slice()].concat()
    };
    let first = env.detach(&["goal.toml"]);
    let mut told = Running::start(env, program, &with_count("1"), "first").end();
    let ran = env.pb(["gateway", "stop"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    env.start_daemon("gateway");

    let client = Running::start(env, program, &with_count("2"), "second");
    let second = env.detach(&["goal.toml"]);
    client.wait_for("goal.completed");
    env.kill9("gateway");
    env.start_daemon("gateway");
    let third = env.detach(&["goal.toml"]);
    told.extend(client.end());

    let name_of = |line: &String| line.split(' ').nth(word).unwrap().to_owned();
    let mut count = 0;
    for goal in [first, second, third] {
        let names: Vec<String> = told.iter().filter(|line| line.contains(&goal)).map(name_of).collect();
        let expected: Vec<Value> =
            env.events(&goal).into_iter().map(|event| event["event"].clone()).collect();
        assert_eq!(names, expected, "{told:#?}");
        count += names.len();
    }
    assert_eq!(count, told.len(), "nothing else: {told:#?}");
}

#[test]
fn submit_py_asks_for_a_goal_once_and_answers_what_it_asks_through_a_restart() {
    let Some(python) = tools::python() else { return };
    let env = TestEnv::new();
    env.start_daemons();
    env.write("pay.toml", ASKS);
    env.write("pay.json", &env.json(["goal", "check", "pay.toml", "--json"]).to_string());
    let arguments = [
        example("submit.py"),
        env.home().join("run/gateway.json"),
        env.file("pay.json"),
        "pay-1".into(),
        env.file("cursor"),
    ];
    let mut client = Running::start(&env, &python, &arguments, "told");
    client.wait_for("retry | ");
    let ran = env.pb(["gateway", "stop"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    env.start_daemon("gateway");
    // The first answer finds nobody; the question comes again.
    client.says("retry\nretry\n");
    let told = client.end();
    assert_eq!(fs::read_to_string(env.file("paid/receipt")).unwrap(), "paid\n");
    let mut seqs: Vec<u64> = told.iter().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
    seqs.dedup();
    let goal = env.only_goal();
    assert_eq!(seqs, (1..=env.events(&goal).len() as u64).collect::<Vec<_>>(), "{told:#?}");

    // Who asks again by the same name asks for nothing new, and is told the end.
    let again = Running::start(&env, &python, &arguments, "again").end();
    assert_eq!(again, [told.last().unwrap().clone()]);
    assert_eq!(env.only_goal(), goal);
}

#[test]
fn follow_ts_is_strictly_typed_and_tells_each_event_once_through_restarts() {
    let Some(packages) = tools::node_packages() else { return };
    let env = TestEnv::new();
    let folder = env.file("examples/clients");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir(env.file("docs")).unwrap();
    for name in ["follow.ts", "tsconfig.json", "package.json", "../../docs/rpc.d.ts"] {
        fs::copy(example(name), folder.join(name)).unwrap();
    }
    assert!(fs::read_to_string(folder.join("tsconfig.json")).unwrap().contains("\"strict\": true"));
    symlink(packages, folder.join("node_modules")).unwrap();
    let node = Path::new("node");
    let tsc = [folder.join("node_modules/typescript/bin/tsc"), "--project".into(), folder.clone()];
    Running::start(&env, node, &tsc, "tsc").end();
    follow(&env, node, &[folder.join("dist/follow.js")], 1);
}

#[test]
fn follow_sh_tells_each_event_once_through_restarts() {
    let Some(curl) = tools::curl() else { return };
    let env = TestEnv::new();
    // The script looks for it as everybody does.
    assert!(curl.ends_with("curl"));
    follow(&env, Path::new("sh"), &[example("follow.sh")], 0);
}

#[test]
fn they_are_short_enough_to_be_read() {
    for name in ["submit.py", "follow.ts", "follow.sh"] {
        let lines = fs::read_to_string(example(name)).unwrap().lines().count();
        assert!(lines < 80, "{name} has {lines} lines");
    }
}
