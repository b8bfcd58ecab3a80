//! Branches that fail while others go on, and what is left of a goal that failed.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::machine::item;

/// `bad` fails and `after` needs it; `good` and `more` have nothing to do with it.
const FILE: &str = r#"
title = "Two branches"
workspace = "out"

[[items]]
id = "bad"
kind = "command"
argv = ["sh", "-c", "echo half > bad.txt; test -e mended"]
effect = "idempotent"
max_retries = 0
gates = [{ kind = "file_exists", path = "bad.txt" }]

[[items]]
id = "after"
kind = "command"
needs = ["bad"]
argv = ["sh", "-c", "echo x >> after.txt"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "after.txt" }]

[[items]]
id = "good"
kind = "command"
argv = ["sh", "-c", "echo 好 > good.txt"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "good.txt" }]

[[items]]
id = "more"
kind = "command"
needs = ["good"]
argv = ["sh", "-c", "cp good.txt more.txt"]
effect = "idempotent"
gates = [{ kind = "file_contains", path = "more.txt", text = "好" }]
"#;

fn artifacts(goal: &Value) -> Vec<(String, bool)> {
    let path =
        |artifact: &Value| (artifact["file_path"].as_str().unwrap().to_owned(), artifact["partial"] == true);
    goal["artifacts"].as_array().unwrap().iter().map(path).collect()
}

#[test]
fn a_failed_branch_leaves_the_others_and_what_they_made() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", FILE);
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    let goal = env.only_goal();
    let shown = env.pb(["goal", "show", &goal]).stdout;
    assert!(shown.contains("after  queued, cut off  -  0"), "{shown}");
    assert_snapshot!(&shown[shown.find("NOT DELIVERED").unwrap()..], @"
    NOT DELIVERED                    SIZE
    [root]/work/out/bad.txt   5 B   new
    [root]/work/out/good.txt  4 B   new
    [root]/work/out/more.txt  4 B   new

    failed: item `bad`: the command exited with 1
    ");
    let failed = env.show(&goal);
    assert_eq!((&failed["status"], &failed["verdict"]), (&json!("failed"), &json!("failed")));
    let statuses = ["bad", "after", "good", "more"].map(|key| item(&failed, key)["status"].clone());
    assert_eq!(statuses, ["failed", "queued", "done", "done"]);
    let partial = ["bad.txt", "good.txt", "more.txt"].map(|path| (path.to_owned(), true));
    assert_eq!(artifacts(&failed), partial);
    assert!(failed["artifacts"].as_array().unwrap().iter().all(|one| one["content_hash"] != ""));

    // Mended and tried again: what was done stays done, and what is there is delivered.
    fs::write(env.file("out/mended"), "").unwrap();
    assert_eq!(env.pb(["goal", "retry", &goal]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(0));
    let done = env.show(&goal);
    assert_eq!(done["status"], "completed");
    assert_eq!(item(&done, "more")["runs"].as_array().unwrap().len(), 1);
    let mut delivered = artifacts(&done);
    delivered.sort();
    let paths = ["after.txt", "bad.txt", "good.txt", "mended", "more.txt"];
    assert_eq!(delivered, paths.map(|path| (path.to_owned(), false)));
}

/// What is said of a branch that is done is true of what the goal leaves: the other wrote after it.
#[test]
fn a_branch_that_no_longer_holds_when_the_goal_fails_is_said_to() {
    let env = TestEnv::new();
    env.start_daemons();
    let file = r#"
title = "One spoils the other"
workspace = "out"

[[items]]
id = "good"
kind = "command"
argv = ["sh", "-c", "echo 1 > good.txt"]
effect = "idempotent"
gates = [{ kind = "file_contains", path = "good.txt", text = "1" }]

[[items]]
id = "bad"
kind = "command"
needs = ["good"]
argv = ["sh", "-c", "echo 2 > good.txt; exit 3"]
effect = "idempotent"
max_retries = 0
"#;
    env.write("goal.toml", file);
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(1));
    let failed = env.show(&env.only_goal());
    assert_eq!(
        failed["error"]["message"],
        "item `bad`: the command exited with 3; item `good` no longer holds: gate \"good.txt contains \"1\"\": the \
         text is not in it"
    );
    assert_eq!(item(&failed, "good")["verdict"], "failed");
}
