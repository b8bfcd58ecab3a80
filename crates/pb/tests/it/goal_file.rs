//! `pb goal check`: what a goal file would do, or what is wrong with it.

use insta::assert_snapshot;

use crate::env::TestEnv;

const GOOD: &str = r#"
title = "数一数 {{repo}} 的待办"
tags = ["中文"]

[inputs]
repo = { description = "The folder to read", type = "path" }

[budget]
time_minutes = 5

[[success_criteria]]
description = "count.txt is right"

[[items]]
id = "count"
kind = "command"
argv = ["sh", "-ec", '''
  grep -rc TODO "$PB_INPUT_REPO"   > count.txt
''']
effect = "idempotent"

[[items.gates]]
kind = "file_exists"
path = "count.txt"

[[items.gates]]
kind = "command"
name = "not empty"
argv = ["test", "-s", "count.txt"]
required = false

[[items]]
id = "报告"
needs = ["count"]
kind = "agent"
prompt = "Write a report."

[[items]]
id = "sum"
needs = ["count"]
kind = "command"
argv = ["true"]
"#;

const BAD: &str = r#"
titel = "x"

[[items]]
id = "a"
kind = "command"
argv = "true"
needs = ["b"]

[[items]]
id = "a"
kind = "comand"
"#;

#[test]
fn a_good_file_shows_its_plan() {
    let env = TestEnv::new();
    env.write("good.toml", GOOD);
    assert_snapshot!(env.pb(["goal", "check", "good.toml", "--set", "repo=."]));
    assert!(!env.home().exists(), "checking a file touches nothing");
}

#[test]
fn a_good_file_as_json() {
    let env = TestEnv::new();
    env.write("good.toml", GOOD);
    assert_snapshot!(env.pb(["goal", "check", "good.toml", "--set", "repo=.", "--json"]));
}

#[test]
fn a_bad_file_says_where_and_what_to_do() {
    let env = TestEnv::new();
    env.write("bad.toml", BAD);
    assert_snapshot!("bad_file_check", env.pb(["goal", "check", "bad.toml"]));
    assert_snapshot!("bad_file_check_json", env.pb(["goal", "check", "bad.toml", "--json"]));
    assert_snapshot!("bad_file_run", env.pb(["run", "bad.toml"]));
    assert!(!env.home().exists(), "nothing is started for a bad file");
}

#[test]
fn a_cycle_is_spelled_out() {
    let env = TestEnv::new();
    let item = |id: &str, need: &str| {
        format!("[[items]]\nid = \"{id}\"\nkind = \"command\"\nargv = [\"true\"]\nneeds = [\"{need}\"]\n")
    };
    env.write("cycle.toml", &format!("title = \"x\"\n{}{}", item("a", "b"), item("b", "a")));
    assert_snapshot!(env.pb(["goal", "check", "cycle.toml"]));
}

#[test]
fn inputs_are_checked() {
    let env = TestEnv::new();
    env.write("good.toml", GOOD);
    assert_snapshot!("input_missing", env.pb(["goal", "check", "good.toml"]));
    assert_snapshot!("input_unknown", env.pb(["goal", "check", "good.toml", "--set", "rep=."]));
    assert_snapshot!("input_no_equals_sign", env.pb(["goal", "check", "good.toml", "--set", "repo"]));
}

#[test]
fn a_file_that_cannot_be_read() {
    let env = TestEnv::new();
    assert_snapshot!("missing_file", env.pb(["run", "nope.toml"]));
    assert_snapshot!("a_folder", env.pb(["run", "."]));
    std::fs::write(env.work().join("latin1.toml"), b"title = \"\xe9\"").unwrap();
    assert_snapshot!("not_utf8", env.pb(["goal", "check", "latin1.toml"]));
}
