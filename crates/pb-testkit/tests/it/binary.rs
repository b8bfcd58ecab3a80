//! The server as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use pb_testkit::model_server::{Reply, Script};
use serde_json::{Value, json};

use crate::client::{WAIT_LIMIT, ask, openai};

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is the person who types the command")]
fn the_binary_says_where_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let [script, port, log] = ["script.json", "port", "log"].map(|name| folder.path().join(name));
    fs::write(&script, serde_json::to_string(&Script::of([Reply::text("你好")])).unwrap()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pb-scripted-model"))
        .arg(&script)
        .arg("--port-file")
        .arg(&port)
        .arg("--log")
        .arg(&log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let _running = Running(child);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap();
    assert_eq!(fs::read_to_string(&port).unwrap().trim(), address.rsplit_once(':').unwrap().1);
    let answer = ask(address.parse().unwrap(), "/v1/chat/completions", &openai("hello", 0));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "你好");
    let line = first_line(&log);
    assert!(line["at_us"].is_u64(), "{line}");
    let bytes = openai("hello", 0).to_string().len();
    let expected = json!({"at_us": line["at_us"], "conversation": 0, "turn": 0, "body_bytes": bytes});
    assert_eq!(line, expected);
}

/// The line is written when the request has come, which need not be before its answer.
fn first_line(log: &Path) -> Value {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        if let Some((line, _)) = fs::read_to_string(log).unwrap().split_once('\n') {
            return serde_json::from_str(line).unwrap();
        }
        assert!(Instant::now() < deadline, "nothing was logged in {WAIT_LIMIT:?}");
        std::thread::yield_now();
    }
}
