//! A cursor resumes exactly after the event that it came with; one that cannot be served is
//! answered with a snapshot and `rebase_required`, never guessed at.

use pb_store::Cursor;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Scheduler, TestHome, frames_of, get, goal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_gives_exactly_the_rest() {
    let at = TestHome::new();
    let scheduler = Scheduler::start(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut all = scheduler.commit(goal(1), 15).await;
    all.extend(scheduler.commit(goal(2), 15).await);
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let answer = client.subscribe(json!({"after": "start"})).await;
    let mut cursors = vec![answer["cursor"].clone()];
    cursors.extend(client.events(all.len()).await.into_iter().map(|frame| frame["cursor"].clone()));
    for (done, cursor) in cursors.iter().enumerate() {
        let mut client = Client::connect(gateway.address).await;
        let answer = client.subscribe(json!({"after": cursor})).await;
        assert_eq!(&answer["cursor"], cursor);
        assert_eq!((&answer["snapshot"], &answer["rebase_required"]), (&Value::Null, &Value::Null));
        let rest = all.get(done..).unwrap();
        let seen = client.events(rest.len()).await;
        assert_eq!(seen, frames_of(&identity, rest, answer["subscriptionId"].as_str()), "after {done}");
        assert!(client.has_nothing_more().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_a_gateway_that_knew_no_log_is_served_from_the_start() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let early = client.subscribe(json!({})).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let told = scheduler.tell(goal(1), 3).await;
    let mut client = Client::connect(gateway.address).await;
    let answer = client.subscribe(json!({"after": early["cursor"]})).await;
    let expected = frames_of(scheduler.log.identity(), &told, answer["subscriptionId"].as_str());
    assert_eq!(client.events(3).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_is_no_cursor_is_refused() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let real = Cursor { log_id: "x".to_owned(), generation: 1, pos: 1 }.to_string();
    for bad in
        ["", "Start", "c1.", "c1.!!", "0", &format!("{real}="), &format!("{real}\n"), &"c".repeat(5000)]
    {
        let error = client.call("events.subscribe", json!({"after": bad})).await.unwrap_err();
        assert_eq!(error["code"], -32602, "{bad}");
        assert_eq!(error["message"], "Invalid params: after: not a cursor", "{bad}");
    }
    let answer = get(gateway.address, "/events?after=c1.nonsense", &[]).await;
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &said["code"]), (400, &json!(-32602)));
    client.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_history_or_beyond_the_end_asks_for_a_rebase() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut last = scheduler.tell(goal(1), 5).await.pop().unwrap().pos;
    let here = Cursor::at(&identity, 1);
    for (why, cursor) in [
        ("one beyond the end", Cursor { pos: last + 1, ..here.clone() }),
        ("far beyond the end", Cursor { pos: u64::MAX, ..here.clone() }),
        ("another log", Cursor { log_id: "x".to_owned(), ..here.clone() }),
        ("an earlier generation", Cursor { generation: 0, ..here.clone() }),
        ("a later generation", Cursor { generation: 2, ..here.clone() }),
    ] {
        let mut client = Client::connect(gateway.address).await;
        let answer = client.subscribe(json!({"after": cursor.to_string()})).await;
        assert_eq!(answer["rebase_required"], true, "{why}");
        assert_eq!(answer["snapshot"], json!({"goals": []}), "{why}");
        let end: Cursor = answer["cursor"].as_str().unwrap().parse().unwrap();
        let told = scheduler.tell(goal(1), 1).await;
        assert_eq!(end, Cursor::at(&identity, last), "{why}");
        last += 1;
        let expected = frames_of(&identity, &told, answer["subscriptionId"].as_str());
        assert_eq!(client.events(1).await, expected, "{why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_at_an_end_that_the_gateway_did_not_see_yet_is_served() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let scheduler = Scheduler::start(&at).await;
    let mut client = Client::connect(gateway.address).await;
    for _ in 0..20 {
        // Nobody rings: what the gateway knows may be a second old.
        let last = scheduler.commit(goal(1), 1).await.pop().unwrap();
        let cursor = Cursor::at(scheduler.log.identity(), last.pos).to_string();
        let answer = client.subscribe(json!({"after": cursor})).await;
        assert_eq!(answer["rebase_required"], Value::Null);
        let which = json!({"subscriptionId": answer["subscriptionId"]});
        client.call("events.unsubscribe", which).await.unwrap();
    }
}
