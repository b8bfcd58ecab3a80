//! `debug.*` that looks at everything at once, and the whole of `system.status`.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, dial, eventually, goal_params};

/// A goal with one item, planned.
async fn planned(client: &mut Client, scheduler: &mut Scheduler) -> String {
    let mut params = goal_params("看得见");
    params["items"] = json!([{"id": "only", "work": {"kind": "command", "argv": ["true"]}}]);
    let id = client.call("goal.submit", params).await.unwrap()["id"].as_str().unwrap().to_owned();
    scheduler.execute().await;
    scheduler.plan(id.parse().unwrap()).await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_shows_goals_items_and_connections_and_a_scheduler_if_there_is_one() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let nothing = client.call("debug.snapshot", json!({})).await.unwrap();
    assert_eq!(nothing["scheduler"], Value::Null);
    assert_eq!(nothing["goals"], json!({"total": 0, "byStatus": {}}));
    assert_eq!(client.call("debug.scheduler", json!({})).await.unwrap(), Value::Null);

    let mut scheduler = Scheduler::start(&at).await;
    let goal = planned(&mut client, &mut scheduler).await;
    scheduler.connect().await;
    eventually("the scheduler is there", async || {
        client.call("debug.scheduler", json!({})).await.unwrap() != Value::Null
    })
    .await;
    let mut snapshot = client.call("debug.snapshot", json!({})).await.unwrap();
    let ticked = snapshot["scheduler"]["state"]["lastTickAt"].take();
    assert!(ticked.as_u64().unwrap() <= snapshot["timestamp"].as_u64().unwrap());
    let mut alone = client.call("debug.scheduler", json!({})).await.unwrap();
    assert_eq!(alone["lastTickAt"].take(), ticked);
    insta::assert_json_snapshot!(snapshot, {
        ".timestamp" => "[ms]",
        ".scheduler.state.activeGoals[]" => "[goal]",
        ".scheduler.goalStates[].goalId" => "[goal]",
    });
    for (key, of) in
        [("status", "state"), ("activeGoals", "state"), ("lanes", "state"), ("errorCount", "state")]
    {
        assert_eq!(alone[key], snapshot["scheduler"][of][key], "{key}");
    }
    assert_eq!(alone["goalStates"][0]["goalId"], goal);
    assert_eq!(
        (&alone["metrics"], &alone["goalStates"]),
        (&snapshot["scheduler"]["metrics"], &snapshot["scheduler"]["goalStates"],)
    );
    let goals = client.call("debug.goals", json!({"limit": 5})).await.unwrap();
    assert_eq!((&goals["goals"][0]["id"], &goals["total"]), (&json!(goal), &json!(1)));
    let runs = client.call("debug.runs", json!({})).await.unwrap();
    assert_eq!(runs, json!({"runs": [], "total": 0}));
    let error = client.call("debug.runs", json!({"status": "won"})).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("running, success, failure"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_connected_is_listed_with_the_goals_that_it_named_and_gone_when_it_leaves() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut other = Client::connect(gateway.address).await;
    let goal = client.call("goal.submit", goal_params("named")).await.unwrap()["id"].clone();
    other.call("goal.subscribe", json!({"goalId": goal})).await.unwrap();
    let told = client.call("debug.gateway", json!({})).await.unwrap();
    assert_eq!(told["connections"], json!({"total": 2, "authenticated": 2, "pending": 0}));
    let [ours, others] = told["sessions"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!(ours["id"], client.greeting["data"]["sessionId"]);
    assert_eq!(others["id"], other.greeting["data"]["sessionId"]);
    assert_eq!((&ours["subscribedGoals"], &others["subscribedGoals"]), (&json!([]), &json!([goal])));
    assert_eq!(ours["permissions"], json!(["read", "write", "admin"]));
    assert!(ours["publicKey"].as_str().unwrap().starts_with("local:"), "{ours}");
    other.call("goal.unsubscribe", json!({"goalId": goal})).await.unwrap();
    let told = client.call("debug.gateway", json!({})).await.unwrap();
    assert_eq!(told["sessions"][1]["subscribedGoals"], json!([]));
    other.call("auth.token", json!({"token": at.token()})).await.unwrap();
    let told = client.call("debug.gateway", json!({})).await.unwrap();
    assert_eq!(told["sessions"][1]["publicKey"], "token", "who proved to be somebody is listed as that");
    drop(other);
    eventually("the other is gone", async || {
        client.call("debug.gateway", json!({})).await.unwrap()["sessions"].as_array().unwrap().len() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_status_tells_of_machine_and_processes_to_who_is_admin() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let _scheduler = Scheduler::connected(&at).await;
    eventually("the scheduler is there", async || {
        client.call("system.status", json!({})).await.unwrap()["scheduler"]["isConnected"] == true
    })
    .await;
    let status = client.call("system.status", json!({})).await.unwrap();
    assert_eq!(status["system"]["os"]["platform"], "linux");
    assert!(status["system"]["hardware"]["memory"]["total"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(status["system"]["process"]["pid"], std::process::id());
    assert_eq!(status["processes"]["current"]["pid"], std::process::id());
    for (name, is) in [("gateway", "running"), ("scheduler", "running")] {
        let process = &status["processes"][name];
        assert_eq!((&process["type"], &process["status"]), (&json!(name), &json!(is)), "{process}");
        assert!(process["memory"]["rss"].as_u64().unwrap() > 1 << 20, "{process}");
        assert!(process["cpu"]["user"].is_u64() && process["cpu"]["system"].is_u64(), "{process}");
    }
    assert_eq!(
        (&status["gateway"]["isRunning"], &status["gateway"]["daemonConnected"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(status["gateway"]["connections"]["byIp"], json!({"127.0.0.1": 1}));
    assert_eq!(status["scheduler"]["state"]["status"], "idle");
    assert_eq!(status["scheduler"]["metrics"]["goalsProcessed"], 0);
    let brief = client.call("system.status", json!({"brief": true})).await.unwrap();
    assert_eq!((&brief["system"], &brief["processes"]), (&Value::Null, &Value::Null));
    let token = client.call("token.create", json!({"name": "reader", "permissions": []})).await.unwrap();
    let bearer = format!("Bearer {}", token["secret"].as_str().unwrap());
    let mut reader = dial(gateway.address, "/", &[("Authorization", &bearer)]).await.unwrap();
    let seen = reader.call("system.status", json!({})).await.unwrap();
    assert_eq!(
        (&seen["system"], &seen["gateway"]["connections"]["byIp"]),
        (&Value::Null, &Value::Null),
        "{seen}"
    );
}
