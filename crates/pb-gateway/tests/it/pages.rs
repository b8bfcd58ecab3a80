//! Pages of lists: a cursor leads through all rows once, whatever comes and goes meanwhile.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, goal_params};

/// What every client takes (`docs/RPC.md`).
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Submits a goal of this priority; its id.
async fn submit(client: &mut Client, priority: u8) -> String {
    let mut params = goal_params("one of many");
    params["priority"] = priority.into();
    let goal = client.call("goal.submit", params).await.unwrap();
    goal["id"].as_str().unwrap().to_owned()
}

fn ids(page: &Value, key: &str) -> Vec<String> {
    page[key].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Walks through a list in pages of `limit`, and calls `between` after each.
async fn walk(
    client: &mut Client,
    (method, key): (&str, &str),
    mut params: Value,
    mut between: impl AsyncFnMut(&mut Client),
) -> Vec<String> {
    let mut walked = Vec::new();
    loop {
        let page = client.call(method, params.clone()).await.unwrap();
        let rows = ids(&page, key);
        assert!(rows.len() as u64 <= params["limit"].as_u64().unwrap(), "{page}");
        walked.extend(rows);
        match &page["nextCursor"] {
            Value::Null => return walked,
            cursor => params["cursor"] = cursor.clone(),
        }
        between(client).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goals_of_the_log_and_of_the_inbox_are_walked_through_together() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::start(&at).await;
    let mut all = Vec::new();
    for (n, priority) in [50, 90, 10, 50, 50, 70, 30].into_iter().enumerate() {
        all.push(submit(&mut client, priority).await);
        if n == 3 {
            scheduler.execute().await;
        }
    }
    let whole = client.call("goal.list", json!({})).await.unwrap();
    assert_eq!((&whole["total"], &whole["nextCursor"]), (&json!(7), &Value::Null));
    let order = ids(&whole, "goals");
    for limit in [1, 2, 3, 7] {
        let quiet = async |_: &mut Client| {};
        assert_eq!(walk(&mut client, ("goal.list", "goals"), json!({"limit": limit}), quiet).await, order);
    }
    let latest =
        walk(&mut client, ("goal.list", "goals"), json!({"limit": 1, "latest": true}), async |_| {}).await;
    assert_eq!(latest, all.iter().rev().cloned().collect::<Vec<_>>());
    // Goals that come in front of what was told neither hide a row nor repeat one.
    let grows = async |client: &mut Client| {
        submit(client, 100).await;
    };
    assert_eq!(walk(&mut client, ("goal.list", "goals"), json!({"limit": 2}), grows).await, order);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_walked_through_goal_by_goal() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    for title in ["first", "second"] {
        let mut params = goal_params(title);
        params["items"] = (1..=3)
            .map(|n| json!({"id": format!("step-{n}"), "work": {"kind": "command", "argv": ["true"]}}))
            .collect();
        client.call("goal.submit", params).await.unwrap();
        for event in scheduler.execute().await {
            scheduler.plan(event.goal.parse().unwrap()).await;
        }
    }
    let whole = client.call("workitem.list", json!({})).await.unwrap();
    assert_eq!(whole["total"], 6, "{whole}");
    let order = ids(&whole, "workItems");
    for limit in [1, 2, 5] {
        let walked =
            walk(&mut client, ("workitem.list", "workItems"), json!({"limit": limit}), async |_| {}).await;
        assert_eq!(walked, order, "{limit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_list_is_refused_with_what_to_do() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    submit(&mut client, 50).await;
    submit(&mut client, 50).await;
    let page = client.call("goal.list", json!({"limit": 1})).await.unwrap();
    let methods = ["workitem.list", "escalation.list", "approval.list", "schedule.list", "conversation.list"];
    for method in methods {
        for cursor in [page["nextCursor"].clone(), json!(""), json!("p1.游标")] {
            let error = client.call(method, json!({"cursor": cursor})).await.unwrap_err();
            assert_eq!(error["code"], -32602, "{method}: {error}");
            assert!(error["data"]["hint"].as_str().unwrap().contains("nextCursor"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_never_longer_than_every_client_takes() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut params = goal_params("long");
    let criterion =
        json!({"description": "长".repeat(1_300), "type": "heuristic", "verification_method": "manual"});
    params["success_criteria"] = vec![criterion; 60].into();
    let goals = ANSWER_BYTES_MAX / params.to_string().len() + 5;
    for _ in 0..goals {
        client.call("goal.submit", params.clone()).await.unwrap();
    }
    let error = client.call("goal.list", json!({"limit": 1000})).await.unwrap_err();
    assert_eq!(error["code"], -32602);
    assert!(error["data"]["hint"].as_str().unwrap().contains("`limit`"), "{error}");
    let walked = walk(&mut client, ("goal.list", "goals"), json!({"limit": 20}), async |_| {}).await;
    assert_eq!(walked.len(), goals);
    let answer = client.subscribe(json!({})).await;
    assert!(answer.to_string().len() < ANSWER_BYTES_MAX);
    let told = ids(&answer["snapshot"], "goals");
    assert_eq!(told, walked[..told.len()]);
    assert!(told.len() > goals / 2, "{} of {goals}", told.len());
}
