//! A goal that changed what judges it: a person looks, and says whether it counts.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use crate::env::TestEnv;
use crate::machine::item;

const GOAL: &str = r#"
title = "Fix the check"
workspace = "out"

[[items]]
id = "work"
kind = "command"
argv = ["sh", "-ec", "echo 'test -e done' > 检查.sh; touch done"]
effect = "idempotent"
gates = [{ kind = "command", name = "the check", argv = ["sh", "检查.sh"] }]

[[items]]
id = "after"
needs = ["work"]
kind = "command"
argv = ["sh", "-ec", "echo more > more"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "more" }]
"#;

fn asked() -> (TestEnv, String) {
    let env = TestEnv::new();
    env.write("goal.toml", GOAL);
    fs::create_dir(env.file("out")).unwrap();
    fs::write(env.file("out/检查.sh"), "test -e 没有").unwrap();
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("edited_asks", ran);
    let goal = env.only_goal();
    (env, goal)
}

#[test]
fn an_approval_makes_it_done_with_its_verdict_and_is_on_record() {
    let (env, goal) = asked();
    assert_snapshot!("edited_show", env.pb(["goal", "show", &goal]));
    let wrong = env.pb(["goal", "resume", &goal, "--answer", "raise"]);
    assert_snapshot!("edited_wrong_answer", wrong);
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "approve"]).exit, Some(0));
    // Another item writes, so the gate runs again before delivery; by the same files it needs no second word.
    assert_eq!(env.watch(&goal), Some(0));
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["verdict"]), (&json!("completed"), &json!("verified")));
    assert_eq!(item(&told, "work")["runs"].as_array().unwrap().len(), 1, "approved, not done again");
    assert_eq!(told["escalations"][0]["resolution_action"], "approve");
    let events = env.events(&goal);
    let approved: Vec<_> = events.iter().filter(|event| event["event"] == "gate.approved").collect();
    assert_eq!(approved.len(), 1);
    assert_eq!(approved[0]["data"]["edited"], json!(["检查.sh"]));
    assert!(approved[0]["data"]["approvedBy"].is_string());
}

#[test]
fn tried_again_it_asks_again_and_left_out_it_is_not_proven() {
    let (env, goal) = asked();
    fs::write(env.file("out/检查.sh"), "test -e 没有").unwrap();
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "retry"]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(2), "it did the same again");
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "skip"]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(3), "what was left out is not proven");
    assert_eq!(env.show(&goal)["verdict"], "partial");
}
