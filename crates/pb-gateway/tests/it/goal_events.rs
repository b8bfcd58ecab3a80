//! `goal.subscribe` and `goal.unsubscribe`, as the clients of the first implementation use them.

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Client, Scheduler, TestHome, frames_of, goal, goal_params};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_names_goals_is_told_about_these_and_who_names_none_about_all() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let log = scheduler.log.identity().clone();
    let (mut plain, mut client) =
        (Client::connect(gateway.address).await, Client::connect(gateway.address).await);
    let first = client.call("goal.submit", goal_params("一")).await.unwrap()["id"].clone();
    let made = scheduler.execute().await;
    assert_eq!(client.events(made.len()).await, frames_of(&log, &made, None));
    let first = first.as_str().unwrap().parse().unwrap();
    for _ in 0..2 {
        // Named twice is named once.
        assert_eq!(
            client.call("goal.subscribe", json!({"goalId": first})).await,
            Ok(json!({"success": true}))
        );
    }
    scheduler.tell(goal(2), 2).await;
    let ours = scheduler.tell(first, 2).await;
    scheduler.tell(goal(3), 1).await;
    assert_eq!(client.events(2).await, frames_of(&log, &ours, None));

    // What it hands over itself belongs to it.
    let second = client.call("goal.submit", goal_params("二")).await.unwrap()["id"].clone();
    let made = scheduler.execute().await;
    assert_eq!(client.events(made.len()).await, frames_of(&log, &made, None));

    assert_eq!(
        client.call("goal.unsubscribe", json!({"goalId": second})).await,
        Ok(json!({"success": true}))
    );
    let second = second.as_str().unwrap().parse().unwrap();
    scheduler.tell(second, 2).await;
    let ours = scheduler.tell(first, 1).await;
    assert_eq!(client.events(1).await, frames_of(&log, &ours, None));
    assert!(client.has_nothing_more().await);
    // Without any goal it is not told about all again.
    client.call("goal.unsubscribe", json!({"goalId": first})).await.unwrap();
    scheduler.tell(first, 1).await;
    let last = scheduler.tell(goal(4), 1).await;
    while plain.event().await["cursor"] != frames_of(&log, &last, None)[0]["cursor"] {}
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_that_is_named_must_be_there_and_one_that_is_left_need_not() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let nobody = json!({"goalId": goal(9)});
    let error = client.call("goal.subscribe", nobody.clone()).await.unwrap_err();
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!(-32010), &json!(format!("goal not found: {}", goal(9))))
    );
    let error = client.call("goal.subscribe", json!({})).await.unwrap_err();
    assert_eq!(error["code"], -32602);
    assert_eq!(client.call("goal.unsubscribe", nobody).await, Ok(json!({"success": true})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn named_goals_and_a_subscription_with_a_cursor_go_side_by_side() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let log = scheduler.log.identity().clone();
    let mut client = Client::connect(gateway.address).await;
    let named = client.call("goal.submit", goal_params("一")).await.unwrap()["id"].clone();
    scheduler.execute().await;
    let answer = client.subscribe(json!({"kinds": ["nothing"]})).await;
    assert!(answer["subscriptionId"].is_string());
    client.call("goal.subscribe", json!({"goalId": named})).await.unwrap();
    let named = named.as_str().unwrap().parse().unwrap();
    scheduler.tell(goal(2), 1).await;
    let ours = scheduler.tell(named, 2).await;
    assert_eq!(client.events(2).await, frames_of(&log, &ours, None));
    assert!(client.has_nothing_more().await);
}
