//! `audit.*`: who did what, read from the log.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, eventually, goal};

/// A log in which two people and the scheduler did things about two goals, and more happens in between.
async fn filled(at: &TestHome, client: &mut Client) -> Scheduler {
    let scheduler = Scheduler::connected(at).await;
    for (n, by) in [(1, "token:手机"), (2, "local:1000")] {
        let id = goal(n);
        let told = |more: Value| {
            let mut told = json!({"goalId": id, "workItemId": "item_1", "runId": "run_1"});
            told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            told
        };
        let at = u64::from(n) * 1_000;
        scheduler
            .commit_of(
                id,
                vec![
                    (at, "goal.created", json!({"goalId": id, "createdBy": by, "status": "queued"})),
                    (at + 1, "run.started", told(json!({}))),
                    (at + 2, "model.answered", told(json!({}))),
                    (at + 3, "run.completed", told(json!({"success": true}))),
                    (at + 4, "approval.granted", told(json!({"approvalId": "esc_1", "grantedBy": by}))),
                    (at + 5, "goal.completed", json!({"goalId": id, "status": "completed"})),
                ],
            )
            .await;
    }
    eventually("the log is there for the gateway", async || {
        client.call("audit.stats", json!({})).await.unwrap()["total"] == 10
    })
    .await;
    scheduler
}

fn told(result: &Value) -> Vec<String> {
    let entry = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap().to_owned();
        format!("{} {} {} {}", entry["timestamp"], text("actor"), text("action"), text("entity_type"))
    };
    result["logs"].as_array().unwrap().iter().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_did_what_is_told_the_latest_first() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    assert_eq!(client.call("audit.list", json!({})).await.unwrap(), json!({"logs": [], "total": 0}));
    let _scheduler = filled(&at, &mut client).await;
    let list = client.call("audit.list", json!({"limit": 100})).await.unwrap();
    insta::assert_snapshot!(told(&list).join("\n"), @"
    2005 scheduler goal.status_changed goal
    2004 local:1000 permission.granted permission
    2003 scheduler run.completed run
    2001 scheduler run.started run
    2000 local:1000 goal.created goal
    1005 scheduler goal.status_changed goal
    1004 token:手机 permission.granted permission
    1003 scheduler run.completed run
    1001 scheduler run.started run
    1000 token:手机 goal.created goal
    ");
    insta::assert_json_snapshot!(list["logs"][4], {".id" => "[id]"}, @r#"
    {
      "id": "[id]",
      "timestamp": 2000,
      "actor": "local:1000",
      "actor_type": "user",
      "action": "goal.created",
      "entity_type": "goal",
      "entity_id": "goal_00000000000000000000000000000002",
      "goal_id": "goal_00000000000000000000000000000002",
      "new_value": "queued",
      "metadata": {
        "goalId": "goal_00000000000000000000000000000002",
        "createdBy": "local:1000",
        "status": "queued"
      }
    }
    "#);
    insta::assert_json_snapshot!(client.call("audit.stats", json!({})).await.unwrap(), @r#"
    {
      "total": 10,
      "by_action": {
        "goal.created": 2,
        "goal.status_changed": 2,
        "permission.granted": 2,
        "run.completed": 2,
        "run.started": 2
      },
      "by_entity_type": {
        "goal": 4,
        "permission": 2,
        "run": 4
      },
      "by_actor_type": {
        "scheduler": 6,
        "user": 4
      },
      "oldest_timestamp": 1000,
      "newest_timestamp": 2005,
      "complete": true
    }
    "#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_some_of_it_can_be_asked_for() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let _scheduler = filled(&at, &mut client).await;
    let first = goal(1).to_string();
    for (method, params, expect) in [
        ("audit.byGoal", json!({"goalId": first}), 5),
        ("audit.byEntity", json!({"entityType": "run", "entityId": "run_1"}), 4),
        ("audit.byEntity", json!({"entityType": "goal", "entityId": first}), 2),
        ("audit.byAction", json!({"action": "run.started"}), 2),
        ("audit.byAction", json!({"actionPrefix": "run."}), 4),
        ("audit.byTimeRange", json!({"from": 1_003, "to": 2_000}), 4),
        ("audit.byActor", json!({"actor": "token:手机"}), 2),
        ("audit.byActor", json!({"actor": "nobody"}), 0),
        ("audit.list", json!({"offset": 8}), 2),
    ] {
        let result = client.call(method, params.clone()).await.unwrap();
        assert_eq!(result["logs"].as_array().unwrap().len(), expect, "{method} {params}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_give_each_entry_once_while_more_is_written() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let scheduler = filled(&at, &mut client).await;
    let all = told(&client.call("audit.list", json!({})).await.unwrap());
    for limit in [1, 3, 10, 100] {
        let (mut got, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = client.call("audit.list", json!({"limit": limit, "cursor": cursor})).await.unwrap();
            got.extend(told(&page));
            // What is new is before the first page, and on none of these.
            scheduler.commit(goal(3), 1).await;
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(got, all, "{limit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_looks_at_so_much_and_says_where_it_came() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let scheduler = filled(&at, &mut client).await;
    scheduler.commit(goal(3), 25_000).await;
    let page = client.call("audit.list", json!({})).await.unwrap();
    assert_eq!(page["total"], 0, "nothing of it is an entry");
    let rest = client.call("audit.list", json!({"cursor": page["nextCursor"]})).await.unwrap();
    assert_eq!((rest["total"].as_u64(), rest.get("nextCursor")), (Some(10), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_is_told() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let _scheduler = filled(&at, &mut client).await;
    let mut said = Vec::new();
    for (method, params) in [
        ("audit.byEntity", json!({"entityType": "run"})),
        ("audit.byAction", json!({})),
        ("audit.byTimeRange", json!({"from": 2, "to": 1})),
        ("audit.byActor", json!({})),
        ("audit.byGoal", json!({"goalId": "goal_none"})),
        ("audit.list", json!({"cursor": "c1.none"})),
    ] {
        let error = client.call(method, params).await.unwrap_err();
        said.push(format!("{method}: {} {}", error["code"], error["message"].as_str().unwrap()));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    audit.byEntity: -32602 Invalid params: entityType and entityId are needed
    audit.byAction: -32602 Invalid params: action or actionPrefix is needed
    audit.byTimeRange: -32602 Invalid params: from is after to
    audit.byActor: -32602 Invalid params: actor is needed
    audit.byGoal: -32010 goal not found: goal_none
    audit.list: -32602 Invalid params: cursor: it is not one of ours
    ");
}
