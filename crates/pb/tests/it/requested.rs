//! `approval.create`: a client asks for a yes to what it does itself; its goal is not delivered before the answer.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use crate::env::{TestEnv, wait_until};

/// Work that goes on until the test lets it go.
const GOAL: &str = r#"
title = "周报"
workspace = "out"

[[items]]
id = "write"
kind = "command"
argv = ["sh", "-c", "until [ -e go ]; do sleep 0.02; done; echo 周报 > report.txt"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "report.txt" }]
"#;

#[test]
fn what_a_client_asks_survives_everything_and_holds_the_delivery_back() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", GOAL);
    let goal = env.detach(&["goal.toml"]);
    wait_until("it runs", || (env.show(&goal)["status"] == "active").then_some(()));
    let wanted = json!({
        "goalId": goal, "requestType": "deploy", "description": "把周报发到全公司？",
        "details": {"to": "all@example.org"}, "idempotencyKey": "k1",
    });
    let mut client = env.connect();
    let made = client.call("approval.create", &wanted);
    assert_eq!(
        (&made["status"], &made["requestType"], &made["description"], &made["goalId"]),
        (&json!("pending"), &json!("deploy"), &json!("把周报发到全公司？"), &json!(goal))
    );
    assert_eq!(client.call("approval.create", &wanted)["id"], made["id"], "a repeat asks nothing new");

    for daemon in ["gateway", "scheduler"] {
        env.kill9(daemon);
    }
    fs::write(env.work().join("out/go"), "").unwrap();
    env.start_daemons();
    wait_until("its work is done", || (env.show(&goal)["status"] == "blocked").then_some(()));
    assert_eq!(env.show(&goal)["artifacts"], json!([]));
    assert_snapshot!("requested_inbox", env.pb(["inbox"]));

    let mut client = env.connect();
    let grant = json!({"approvalId": made["id"], "conditions": "只发给管理层"});
    assert_eq!(client.call("approval.grant", &grant)["success"], true);
    wait_until("it is delivered", || (env.show(&goal)["status"] == "completed").then_some(()));
    let after = client.call("approval.get", &grant);
    assert_eq!(
        (&after["status"], &after["details"]["resolution_data"]["text"]),
        (&json!("approved"), &json!("只发给管理层"))
    );
    let late = client.answer("approval.deny", &json!({"approvalId": made["id"]}));
    assert_eq!(late["error"]["message"], "Approval request is not pending");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", GOAL);
    let goal = env.detach(&["goal.toml"]);
    wait_until("it runs", || (env.show(&goal)["status"] == "active").then_some(()));
    let mut client = env.connect();
    let mut refused = |change: &[(&str, &str)]| {
        let mut wanted = json!({"goalId": goal, "requestType": "deploy", "description": "Deploy?"});
        for (key, value) in change {
            wanted[key] = json!(value);
        }
        let error = &client.answer("approval.create", &wanted)["error"];
        format!("{} {}", error["code"], error["message"].as_str().unwrap())
    };
    let problems = [
        refused(&[("goalId", "goal_00000000000000000000000000000000")]),
        refused(&[("workItemId", "write")]),
        refused(&[("workItemId", "item_00000000000000000000000000000000")]),
        refused(&[("description", " ")]),
    ];
    assert_snapshot!("requested_refused", problems.join("\n"));
    assert_eq!(client.call("approval.pending", &json!({}))["count"], 0);
}
