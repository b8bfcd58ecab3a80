//! `goal.plan`: a goal file of what was planned.

use std::collections::BTreeMap;
use std::path::Path;

use pb_model::GoalSpec;
use pb_model::goal_file::{self, ResolveContext};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, goal_params};

fn with_items() -> Value {
    let mut params = goal_params("帮我数一数 {{repo}}");
    params["workspace"] = json!("/tmp/工作区");
    params["items"] = json!([
        {"id": "数", "title": "数一数", "work": {"kind": "command", "argv": ["sh", "-c", "echo '两只'\necho 🐇"], "effect": "pure"}},
        {"id": "report", "needs": ["数"], "work": {"kind": "agent", "prompt": "写一份报告"},
         "gates": [{"kind": "file_exists", "path": "报告.md", "required": true}]},
    ]);
    params
}

/// The goal that a goal file is.
fn read(file: &str) -> GoalSpec {
    let set = BTreeMap::new();
    let context = ResolveContext { cwd: Path::new("/cwd"), file_dir: Path::new("/dir"), set: &set };
    goal_file::parse(file).unwrap().resolve(&context).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_of_a_goal_is_a_goal_file_that_means_the_same() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let goal = client.call("goal.submit", with_items()).await.unwrap();
    let id = goal["id"].as_str().unwrap();
    scheduler.execute().await;
    scheduler.plan(id.parse().unwrap()).await;

    // Any part of the id will do.
    let told = client.call("goal.plan", json!({"goalId": id[..20]})).await.unwrap();
    let spec: GoalSpec = serde_json::from_value(told["spec"].clone()).unwrap();
    let asked: GoalSpec = serde_json::from_value(with_items()).unwrap();
    assert_eq!(spec.items, asked.items);
    let mut written = read(told["goalFile"].as_str().unwrap());
    // The braces in the title are kept by an input, and the criterion of every goal is not written.
    assert_eq!(std::mem::take(&mut written.inputs).into_keys().collect::<Vec<_>>(), ["nothing"]);
    assert_eq!(written, asked);
    // And it may be asked for as it is.
    client.call("goal.submit", told["spec"].clone()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_without_a_plan_has_none_to_show() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let goal = client.call("goal.submit", goal_params("nobody planned it")).await.unwrap();
    let id = goal["id"].as_str().unwrap();
    let asked = json!({"goalId": id});
    let refused = |message: &str| {
        let hint = format!("follow it with: pb goal watch {id}");
        json!({"code": -32022, "message": message, "data": {"hint": hint}})
    };
    let in_inbox = client.call("goal.plan", asked.clone()).await.unwrap_err();
    assert_eq!(in_inbox, refused("the goal waits for a scheduler"));
    scheduler.execute().await;
    let in_log = client.call("goal.plan", asked).await.unwrap_err();
    assert_eq!(in_log, refused("the goal has no plan yet"));
    let unknown = client.call("goal.plan", json!({"goalId": "nowhere"})).await.unwrap_err();
    assert_eq!(unknown["code"], -32010);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_file_is_read_for_who_has_no_command_line() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let file = r#"
title = "数一数 {{what}}"
description = "Count"
workspace = "here"

[inputs.what]
description = "What is counted"

[[items]]
id = "count"
kind = "command"
argv = ["true"]
effect = "pure"
"#;
    let asked = json!({"goalFile": file, "folder": "/work", "inputs": {"what": "兔子"}});
    let told = client.call("goal.check", asked).await.unwrap();
    assert_eq!((&told["problems"], &told["leftOut"]), (&json!([]), &json!(0)), "{told}");
    let goal: GoalSpec = serde_json::from_value(told["goal"].clone()).unwrap();
    assert_eq!((goal.title.as_str(), goal.workspace.as_deref()), ("数一数 兔子", Some("/work/here")));
    client.call("goal.submit", told["goal"].clone()).await.unwrap();

    // What has to be given is named, also before it is.
    let told = client.call("goal.check", json!({"goalFile": file})).await.unwrap();
    let what = json!({"name": "what", "description": "What is counted", "isPath": false});
    assert_eq!((&told["inputs"], told.get("goal")), (&json!([what]), None), "{told}");
    assert_eq!(told["problems"].as_array().unwrap().len(), 1, "{told}");

    let told = client.call("goal.check", json!({"goalFile": "titel = 'x'\n"})).await.unwrap();
    assert_eq!(told.get("goal"), None);
    assert_eq!(
        (&told["problems"][0]["line"], &told["problems"][0]["column"]),
        (&json!(1), &json!(1)),
        "{told}"
    );
    let refused = client.call("goal.check", json!({"goalFile": file, "folder": "here"})).await.unwrap_err();
    assert_eq!(refused["message"], "Invalid params: folder: it is an absolute path");
}
