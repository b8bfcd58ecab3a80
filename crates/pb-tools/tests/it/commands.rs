//! `run_command` and `finish`.

use std::io;

use pb_exec::{Finished, Outcome, SpawnError};
use pb_tools::Command;
use serde_json::{Value, json};

use crate::env::{Env, finished};

async fn check(outcome: Outcome, output: &str) -> String {
    let env = Env::new();
    env.runner.answers(outcome, output);
    env.call("run_command", json!({"argv": ["cargo", "test"]})).await
}

async fn check_error(error: SpawnError) -> String {
    let env = Env::new();
    env.runner.answers_with(Err(error));
    env.call("run_command", json!({"argv": ["cargo", "test"]})).await
}

#[tokio::test]
async fn every_outcome_has_its_words() {
    insta::assert_snapshot!(check(Outcome::Exited(0), "好\n").await, @r#"
    exit code 0
    好
    "#);
    insta::assert_snapshot!(check(Outcome::Exited(0), "").await, @r#"
    exit code 0
    [no output]
    "#);
    insta::assert_snapshot!(check(Outcome::Exited(101), "error\n").await, @r#"
    NOT OK: exit code 101
    error
    "#);
    insta::assert_snapshot!(check(Outcome::Signaled(9), "").await, @r#"
    NOT OK: ended by signal 9
    [no output]
    "#);
    insta::assert_snapshot!(check(Outcome::TimedOut, "half").await, @r#"
    NOT OK: ended after 120 s, which was its time limit; what it had begun may be half done
    half
    "#);
    insta::assert_snapshot!(check(Outcome::Stopped, "half").await, @"UNKNOWN: `cargo test` was stopped");
    insta::assert_snapshot!(check(Outcome::Lost, "half").await, @"UNKNOWN: the keeper of `cargo test` died");
    insta::assert_snapshot!(check(Outcome::NotStarted("program not found".to_owned()), "").await, @"MODEL: `cargo test` was not started: program not found");
    insta::assert_snapshot!(check_error(SpawnError::TooLarge { bytes: 9_000_000 }).await, @"MODEL: cannot run the command: hand over a job of 9000000 bytes: the limit is 1048576");
    insta::assert_snapshot!(check_error(SpawnError::Pipe(io::ErrorKind::OutOfMemory.into())).await, @"HOST: cannot run the command: open a pipe to the keeper: out of memory");
}

#[tokio::test]
async fn processes_that_had_to_be_ended_are_told_of() {
    let env = Env::new();
    env.runner.answers_with(Ok(Finished { leftovers_killed: 2, ..finished(Outcome::Exited(0), "up") }));
    insta::assert_snapshot!(env.call("run_command", json!({"argv": ["server"]})).await, @r#"
    exit code 0
    [processes that it left running and that ended with it: 2]
    up
    "#);
}

#[tokio::test]
async fn long_output_keeps_both_ends() {
    let output = format!("first\n{}last\n", "中文\n".repeat(20_000));
    let answer = check(Outcome::Exited(0), &output).await;
    assert!(answer.len() < 17 * 1024, "{}", answer.len());
    assert!(answer.starts_with("exit code 0\nfirst\n中文\n"));
    assert!(answer.ends_with("中文\nlast"));
    let (head, rest) = answer.strip_prefix("exit code 0\n").unwrap().split_once("\n… ").unwrap();
    let (left_out, tail) = rest.split_once(" bytes left out …\n").unwrap();
    let left_out: usize = left_out.parse().unwrap();
    // The line end at the end is not shown.
    assert_eq!(head.len() + left_out + tail.len() + 1, output.len());
}

async fn asked(arguments: Value) -> Command {
    let env = Env::new().with("子/x", "");
    env.runner.answers(Outcome::Exited(0), "");
    let answer = env.call("run_command", arguments).await;
    assert_eq!(answer, "exit code 0\n[no output]");
    let mut asked = env.runner.asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

fn command(argv: &[&str], cwd: Option<&str>, time_limit_s: u64) -> Command {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    Command { argv, cwd: cwd.map(str::to_owned), time_limit_s }
}

#[tokio::test]
async fn a_list_is_run_as_it_is_and_a_line_by_a_shell() {
    let line = "ls | wc -l";
    assert_eq!(asked(json!({"argv": ["ls", "a b", "$x"]})).await, command(&["ls", "a b", "$x"], None, 120));
    assert_eq!(asked(json!({"command": line})).await, command(&["sh", "-c", line], None, 120));
    assert_eq!(asked(json!({"argv": line, "command": null})).await, command(&["sh", "-c", line], None, 120));
    let given = json!({"argv": ["ls"], "cwd": "子", "time_limit_s": 9_999});
    assert_eq!(asked(given).await, command(&["ls"], Some("子"), 1800));
    let given = json!({"argv": ["ls"], "cwd": "子/..", "time_limit_s": 0});
    assert_eq!(asked(given).await, command(&["ls"], None, 1));
}

#[tokio::test]
async fn what_names_no_command_or_folder_is_not_run() {
    let env = Env::new().with("file", "");
    let mut answers = Vec::new();
    for arguments in [
        json!({}),
        json!({"argv": []}),
        json!({"argv": [""]}),
        json!({"argv": ["ls"], "command": "ls"}),
        json!({"argv": ["ls", 7]}),
        json!({"argv": ["ls"], "shell": true}),
        json!({"argv": ["ls"], "cwd": "none"}),
        json!({"argv": ["ls"], "cwd": "file"}),
    ] {
        answers.push(env.call("run_command", arguments).await);
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    MODEL: arguments of `run_command`: missing field `argv`
    MODEL: arguments of `run_command`: `argv` names no program
    MODEL: arguments of `run_command`: `argv` names no program
    MODEL: arguments of `run_command`: give either `argv` or `command`, not both
    MODEL: arguments of `run_command`: `argv`: expected a list of strings
    MODEL: arguments of `run_command`: `shell`: unknown field `shell`, expected one of `argv`, `command`, `cwd`, `time_limit_s`
    MODEL: none: no such file or folder; list_dir shows what there is
    MODEL: file: not a folder
    "#);
    assert_eq!(env.runner.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn finish_gives_its_summary_back_bounded() {
    let env = Env::new();
    assert_eq!(env.call(pb_tools::FINISH, json!({"summary": "做完了"})).await, "做完了");
    let long = env.call(pb_tools::FINISH, json!({"summary": "文".repeat(9_000)})).await;
    assert_eq!(long, "文".repeat(8 * 1024 / 3));
}
