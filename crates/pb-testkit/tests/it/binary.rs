//! The server as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use pb_testkit::model_server::{Reply, Script};

use crate::client::{ask, openai};

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
    let (script, port) = (folder.path().join("script.json"), folder.path().join("port"));
    fs::write(&script, serde_json::to_string(&Script::of([Reply::text("你好")])).unwrap()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pb-scripted-model"))
        .arg(&script)
        .arg("--port-file")
        .arg(&port)
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
}
