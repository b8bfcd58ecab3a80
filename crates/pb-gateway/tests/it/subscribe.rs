//! `events.subscribe`: the one history, from its start, filtered, live.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, frames_of, goal, goal_params};

/// The subscription's id.
fn id(answer: &Value) -> Option<&str> {
    answer["subscriptionId"].as_str()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_start_every_event_comes_in_order_and_goes_on_live_without_a_seam() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut all = Vec::new();
    for n in 0..60 {
        all.extend(scheduler.commit(goal(n % 3), 10).await);
    }
    let gateway = at.gateway().await;
    scheduler.connect().await;
    let mut client = Client::connect(gateway.address).await;
    let answer = client.subscribe(json!({"after": "start"})).await;
    assert_eq!((&answer["snapshot"], &answer["rebase_required"]), (&Value::Null, &Value::Null));
    for n in 0..30 {
        all.extend(scheduler.tell(goal(n % 3), 5).await);
    }
    let seen = client.events(all.len()).await;
    assert_eq!(seen, frames_of(&identity, &all, id(&answer)));
    for n in 0..3 {
        let name = goal(n).to_string();
        let numbers = seen.iter().filter(|frame| frame["data"]["goalId"] == name).map(|frame| &frame["seq"]);
        assert!(numbers.eq((1..=250).map(Value::from).collect::<Vec<_>>().iter()), "{name}");
    }
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_behind_is_told_with_which_event_it_has_caught_up() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    scheduler.commit(goal(1), 5).await;
    let gateway = at.gateway().await;
    scheduler.connect().await;
    let mut client = Client::connect(gateway.address).await;
    let end = client.subscribe(json!({"after": "start"})).await["end"].clone();
    scheduler.tell(goal(2), 3).await;
    let seen = client.events(8).await;
    assert_eq!(seen[4]["cursor"], end);
    // Who has it already, or begins now, is behind nothing.
    let last = &seen[7]["cursor"];
    for params in [json!({"after": last}), json!({})] {
        let answer = client.subscribe(params.clone()).await;
        assert_eq!((&answer["cursor"], &answer["end"]), (last, &Value::Null), "{params}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_nothing_gets_every_event_from_now_on() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    scheduler.commit(goal(1), 3).await;
    let gateway = at.gateway().await;
    scheduler.connect().await;
    let mut client = Client::connect(gateway.address).await;
    let identity = scheduler.log.identity().clone();
    let told = scheduler.tell(goal(2), 3).await;
    assert_eq!(client.events(3).await, frames_of(&identity, &told, None));
    // Once it asks, it gets what it asked for and nothing else.
    let last = pb_store::Cursor::at(&identity, 6).to_string();
    let answer = client.subscribe(json!({"after": last, "goalId": goal(1).to_string()})).await;
    scheduler.tell(goal(2), 1).await;
    let told = scheduler.tell(goal(1), 1).await;
    assert_eq!(client.events(1).await, frames_of(&identity, &told, id(&answer)));
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_place_to_start_there_is_a_snapshot_and_what_follows() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let empty = client.subscribe(json!({})).await;
    assert_eq!(empty["snapshot"], json!({"goals": []}), "before there is a log");
    let waiting = client.call("goal.submit", goal_params("waits")).await.unwrap();
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let executed = scheduler.execute().await;
    assert_eq!(client.events(1).await, frames_of(&identity, &executed, id(&empty)));

    let mut client = Client::connect(gateway.address).await;
    let answer = client.subscribe(json!({"goalId": waiting["id"]})).await;
    assert_eq!(answer["snapshot"]["goals"][0]["id"], waiting["id"]);
    assert_eq!(answer["rebase_required"], Value::Null);
    let told = scheduler.tell(executed.first().unwrap().goal.parse().unwrap(), 2).await;
    assert_eq!(client.events(2).await, frames_of(&identity, &told, id(&answer)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_shows_what_it_names_and_says_where_the_client_is_when_it_hides_much() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut client = Client::connect(gateway.address).await;
    let answer =
        client.subscribe(json!({"after": "start", "goalId": goal(1).to_string(), "kinds": ["goal.*"]})).await;
    let mut shown = scheduler.tell(goal(1), 2).await;
    let hidden = scheduler.tell(goal(2), 1500).await;
    let after = scheduler.tell(goal(1), 1).await;
    let mut seen = client.events(4).await;
    let told = seen.remove(2);
    shown.extend(after);
    assert_eq!(seen, frames_of(&identity, &shown, id(&answer)));
    let at_hidden = pb_store::Cursor::at(&identity, hidden.get(999).unwrap().pos).to_string();
    let expected = json!({"type": "cursor", "cursor": at_hidden, "subscriptionId": answer["subscriptionId"]});
    assert_eq!(told, expected);
    // From there on nothing is missed.
    let mut other = Client::connect(gateway.address).await;
    let resumed = json!({"after": at_hidden, "goalId": goal(1).to_string()});
    let answer = other.subscribe(resumed).await;
    assert_eq!(other.events(1).await, frames_of(&identity, shown.get(2..).unwrap(), id(&answer)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_do_not_match_are_hidden() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let told = scheduler.tell(goal(1), 1).await;
    for (kinds, count) in [
        (json!(["goal.tested"]), 1),
        (json!(["x", "goal.*"]), 1),
        (json!(["*"]), 1),
        (json!(["goal"]), 0),
        (json!(["goal.testedx"]), 0),
        (json!(["run.*"]), 0),
        (json!([]), 0),
    ] {
        let mut client = Client::connect(gateway.address).await;
        let answer = client.subscribe(json!({"after": "start", "kinds": kinds})).await;
        // A second subscription ends with the last event, after the first one was served.
        let all = client.subscribe(json!({"after": "start"})).await;
        let seen = client.events(count + 1).await;
        let of = |answer: &Value| {
            let mine = |frame: &&Value| frame["subscriptionId"] == answer["subscriptionId"];
            seen.iter().filter(mine).cloned().collect::<Vec<_>>()
        };
        assert_eq!(of(&answer), frames_of(&identity, told.get(..count).unwrap(), id(&answer)), "{kinds}");
        assert_eq!(of(&all), frames_of(&identity, &told, id(&all)));
    }
    let many = json!({"kinds": vec!["x"; 65]});
    let mut client = Client::connect(gateway.address).await;
    assert_eq!(client.call("events.subscribe", many).await.unwrap_err()["code"], -32602);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_ends_when_it_is_told_to_and_there_are_only_so_many() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut client = Client::connect(gateway.address).await;
    let mut answers = Vec::new();
    for _ in 0..16 {
        answers.push(client.subscribe(json!({})).await);
    }
    let error = client.call("events.subscribe", json!({})).await.unwrap_err();
    assert_eq!(error["code"], -32005, "{error}");
    let kept = answers.pop().unwrap();
    for answer in answers {
        let which = json!({"subscriptionId": answer["subscriptionId"]});
        let ended = client.call("events.unsubscribe", which.clone()).await.unwrap();
        assert_eq!(ended, json!({"success": true}));
        let again = client.call("events.unsubscribe", which).await.unwrap();
        assert_eq!(again, json!({"success": false}));
    }
    let told = scheduler.tell(goal(1), 3).await;
    assert_eq!(client.events(3).await, frames_of(&identity, &told, id(&kept)));
    assert!(client.has_nothing_more().await);
}
