//! What clients of the first implementation call, by the names that they use (`wire.md` §2.6).

use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::socket::Client;

const GOAL: &str = r#"
title = "两步"
workspace = "out"

[[items]]
id = "一"
kind = "command"
argv = ["true"]
effect = "pure"

[[items]]
id = "二"
kind = "command"
needs = ["一"]
argv = ["false"]
effect = "pure"
max_retries = 0
"#;

/// What the debug pages ask for tells the same.
fn debug_pages_show(client: &mut Client, goal: &str) {
    let debug = client.call("debug.goal", &json!({"goalId": goal}));
    assert_eq!(debug["goal"]["id"], json!(goal));
    let runs: Vec<usize> = debug["workItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["runs"].as_array().unwrap().len())
        .collect();
    assert_eq!(runs, [1, 1], "{debug}");
    assert_eq!(client.call("debug.goal", &json!({"goalId": "goal_none"})), Value::Null);
    let lanes = client.call("debug.lanes", &json!({}));
    let names: Vec<&str> =
        lanes["lanes"].as_array().unwrap().iter().map(|lane| lane["laneId"].as_str().unwrap()).collect();
    assert_eq!(names, ["main", "subagent", "cron", "session"]);
    assert_eq!(lanes["lanes"][0]["status"]["isAvailable"], true);
    let events = wait_until("the trace has them", || {
        let events = client.call("debug.events", &json!({"type": "scheduler", "limit": 3}));
        (events["total"] == 3).then_some(events)
    });
    let times: Vec<u64> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["timestamp"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "the latest first: {events}");
    assert!(events["events"][0]["type"].as_str().unwrap().starts_with("scheduler."));
}

#[test]
fn methods_that_only_clients_knew_are_there() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", GOAL);
    let goal = env.detach(&["goal.toml"]);
    wait_until("it ends", || (env.show(&goal)["status"] == "failed").then_some(()));
    let mut client = env.connect();
    let id = json!({"goalId": goal});
    assert_eq!(client.call("ping", &json!({}))["pong"], true);
    assert_eq!(client.call("goal.get", &id), client.call("goal.status", &id));
    assert_eq!(client.call("subscribe", &id), json!({"success": true}));
    assert_eq!(client.call("unsubscribe", &id), json!({"success": true}));

    let keys = |list: &Value| -> Vec<String> {
        let items = list["workItems"].as_array().unwrap();
        items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    };
    let all = client.call("workitem.list", &json!({}));
    assert_eq!((keys(&all), &all["total"]), (vec!["一".to_owned(), "二".to_owned()], &json!(2)));
    let failed = client.call("workitem.list", &json!({"goalId": goal, "status": "failed"}));
    assert_eq!((keys(&failed), &failed["total"]), (vec!["二".to_owned()], &json!(1)));
    let second = client.call("workitem.list", &json!({"limit": 1, "offset": 1}));
    assert_eq!((keys(&second), &second["total"]), (vec!["二".to_owned()], &json!(2)));
    let item = client.call("workitem.get", &json!({"workItemId": failed["workItems"][0]["id"]}));
    assert_eq!(item, failed["workItems"][0]);

    // The audit tells the same: who asked for it, and what was done to each item and run.
    let audit = client.call("audit.byGoal", &id);
    let entries = audit["logs"].as_array().unwrap();
    let of = |action: &str| entries.iter().filter(|entry| entry["action"] == action).collect::<Vec<_>>();
    assert_eq!(
        (of("goal.created").len(), of("work_item.created").len(), of("run.completed").len()),
        (1, 2, 2)
    );
    assert_eq!(
        (&of("goal.created")[0]["actor"], &of("goal.created")[0]["entity_id"]),
        (&json!("token"), &json!(goal))
    );
    let item_id = &failed["workItems"][0]["id"];
    let about = client.call("audit.byEntity", &json!({"entityType": "work_item", "entityId": item_id}));
    assert_eq!(about["logs"][0]["new_value"], "failed", "{about}");

    debug_pages_show(&mut client, &goal);

    let refused = client.answer("workitem.get", &json!({"workItemId": "nobody"}));
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["message"]),
        (&json!(-32011), &json!("workitem not found: nobody"))
    );
    let refused = client.answer("workitem.list", &json!({"status": "lost"}));
    assert_eq!(refused["error"]["code"], -32602);
}

#[test]
fn every_method_that_is_named_is_answered() {
    let env = TestEnv::new();
    env.start_daemons();
    let mut client = env.connect();
    let methods = client.call("system.methods", &json!({}))["methods"].as_array().unwrap().clone();
    assert!(methods.len() > 60, "{methods:?}");
    for method in &methods {
        let answer = client.answer(method.as_str().unwrap(), &json!({}));
        assert_ne!(answer["error"]["code"], -32601, "{method} is named, and there is none");
        assert_ne!(answer["error"]["code"], -32603, "{method}: {answer}");
    }
}
