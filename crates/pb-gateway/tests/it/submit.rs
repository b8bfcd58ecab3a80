//! A command that was answered is on the disk, is executed once, and a repeat gets the first answer.

use std::collections::BTreeSet;
use std::time::Instant;

use pb_store::InboxReader;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, LIMIT, Scheduler, TestHome, eventually, goal_params};

/// The same parameters under a key.
fn keyed(title: &str, key: &str) -> Value {
    let mut params = goal_params(title);
    params["idempotencyKey"] = key.into();
    params
}

/// The ids of the goals that are listed.
async fn listed(client: &mut Client) -> BTreeSet<String> {
    let list = client.call("goal.list", json!({})).await.unwrap();
    let goals = list["goals"].as_array().unwrap();
    assert_eq!(list["total"], goals.len());
    goals.iter().map(|goal| goal["id"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the gateway counts the scheduler as connected, or as gone.
async fn until_connected(client: &mut Client, connected: bool) {
    eventually("the link's state", async || {
        let status = client.call("system.status", json!({})).await.unwrap();
        status["scheduler"]["isConnected"] == connected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_scheduler_a_goal_is_answered_at_once_as_queued_and_waiting() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let asked = Instant::now();
    let goal = client.call("goal.submit", goal_params("first")).await.unwrap();
    assert!(asked.elapsed().as_secs() < 5, "it did not wait for a scheduler");
    assert_eq!(
        (&goal["title"], &goal["status"], &goal["waiting"]),
        (&json!("first"), &json!("queued"), &json!(true))
    );
    assert_eq!(client.call("goal.list", json!({})).await.unwrap(), json!({"goals": [goal], "total": 1}));
    let id = json!({"goalId": goal["id"]});
    let shown = client.call("goal.status", id.clone()).await.unwrap();
    assert_eq!((&shown["id"], &shown["waiting"]), (&goal["id"], &json!(true)));
    assert_eq!(client.call("workitem.byGoal", id).await.unwrap(), json!({"workItems": []}));
    let status = client.call("system.status", json!({})).await.unwrap();
    assert_eq!(status["goals"], json!({"queued": 1}));
    assert_eq!(
        (&status["scheduler"]["isConnected"], &status["scheduler"]["waitingCommands"]),
        (&json!(false), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answered_goal_outlives_the_gateway_and_reaches_the_scheduler_that_comes_later() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut ids = Vec::new();
    for title in ["one", "two", "three"] {
        let goal = client.call("goal.submit", goal_params(title)).await.unwrap();
        ids.push(goal["id"].as_str().unwrap().to_owned());
    }
    drop(client);
    gateway.stop().await;

    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let all: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(listed(&mut client).await, all);
    let mut scheduler = Scheduler::connected(&at).await;
    let told = scheduler.execute().await;
    assert_eq!(told.iter().map(|event| event.goal.clone()).collect::<Vec<_>>(), ids);
    eventually("all are in the log", async || {
        let list = client.call("goal.list", json!({})).await.unwrap();
        list["goals"].as_array().unwrap().iter().all(|goal| goal["waiting"].is_null())
    })
    .await;
    assert_eq!(listed(&mut client).await, all);
    let inbox = InboxReader::open(&at.home.gateway_db()).await.unwrap();
    eventually("the inbox is rid of them", async || inbox.count_after(0).await.unwrap() == 0).await;
    assert_eq!(listed(&mut client).await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_gives_the_same_goal_and_other_parameters_are_refused() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let first = client.call("goal.submit", keyed("first", "k")).await.unwrap();
    let check = async |client: &mut Client, when: &str| {
        let again = client.call("goal.submit", keyed("first", "k")).await.unwrap();
        assert_eq!(again["id"], first["id"], "{when}");
        let error = client.call("goal.submit", keyed("second", "k")).await.unwrap_err();
        assert_eq!(error["code"], -32602, "{when}");
        assert_eq!(error["message"], "the idempotency key was used with other parameters", "{when}");
        assert_eq!(
            listed(client).await,
            BTreeSet::from([first["id"].as_str().unwrap().to_owned()]),
            "{when}"
        );
    };
    check(&mut client, "while it waits").await;
    drop(client);
    gateway.stop().await;
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    check(&mut client, "after a restart").await;

    let mut scheduler = Scheduler::connected(&at).await;
    until_connected(&mut client, true).await;
    scheduler.execute().await;
    check(&mut client, "once it was executed").await;
    let inbox = InboxReader::open(&at.home.gateway_db()).await.unwrap();
    eventually("the inbox is rid of it", async || inbox.count_after(0).await.unwrap() == 0).await;
    check(&mut client, "once it left the inbox").await;
    let other = client.call("goal.submit", keyed("first", "")).await.unwrap_err();
    assert_eq!(other["code"], -32602, "an empty key is none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_from_many_connections_at_once_makes_one_goal() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let address = gateway.address;
        asking.spawn(async move {
            let mut client = Client::connect(address).await;
            let goal = client.call("goal.submit", keyed("once", "k")).await.unwrap();
            goal["id"].as_str().unwrap().to_owned()
        });
    }
    let ids: BTreeSet<String> = asking.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    let mut client = Client::connect(gateway.address).await;
    assert_eq!(listed(&mut client).await, ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_that_is_there_is_rung_and_its_stored_result_is_the_answer() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    until_connected(&mut client, true).await;
    let (answer, rung) = tokio::join!(client.call("goal.submit", keyed("first", "k")), async {
        let rung = scheduler.bell().await;
        scheduler.execute().await;
        rung
    });
    let answer = answer.unwrap();
    assert_eq!((&answer["id"], &answer["waiting"]), (&json!(rung), &Value::Null));
    assert_eq!(client.call("goal.submit", keyed("first", "k")).await.unwrap(), answer);

    // A refusal is kept and repeated as well.
    let refusal =
        json!({"error": {"code": -32004, "message": "not this folder", "data": {"hint": "another"}}});
    let (answer, ()) = tokio::join!(client.call("goal.submit", keyed("second", "k2")), async {
        scheduler.bell().await;
        let row = scheduler.inbox().await.pop().unwrap();
        scheduler.settle(&row, Vec::new(), &refusal).await;
    });
    assert_eq!(answer.as_ref().unwrap_err(), &refusal["error"]);
    assert_eq!(client.call("goal.submit", keyed("second", "k2")).await, answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_whose_word_was_lost_is_found_in_the_log() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    until_connected(&mut client, true).await;
    let asked = Instant::now();
    let (answer, link) = tokio::join!(client.call("goal.submit", goal_params("first")), async {
        scheduler.bell().await;
        let link = scheduler.link.take();
        scheduler.execute().await;
        link
    });
    assert_eq!(answer.unwrap()["waiting"], Value::Null, "{:?}", asked.elapsed());
    drop(link);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_that_executes_nothing_is_waited_for_five_seconds() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    until_connected(&mut client, true).await;
    let asked = Instant::now();
    let goal = client.call("goal.submit", goal_params("first")).await.unwrap();
    assert_eq!(goal["waiting"], true);
    let took = asked.elapsed();
    assert!(took.as_secs() >= 5 && took < LIMIT, "{took:?}");
    assert_eq!(scheduler.bell().await, goal["id"].as_str().unwrap());
    scheduler.link = None;
    until_connected(&mut client, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_that_says_too_little_is_refused_and_nothing_is_kept() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    for params in [
        json!({}),
        json!({"title": "", "description": "d"}),
        json!({"title": "t"}),
        json!({"title": ["t"], "description": "d"}),
        json!({"title": "t", "description": "d", "priority": 101}),
        json!({"title": "t", "description": "d", "idempotencyKey": "k".repeat(257)}),
    ] {
        let error = client.call("goal.submit", params.clone()).await.unwrap_err();
        assert_eq!(error["code"], -32602, "{params}: {error}");
    }
    let inbox = InboxReader::open(&at.home.gateway_db()).await.unwrap();
    assert_eq!(inbox.count_after(0).await.unwrap(), 0);
}
