//! What crosses the link is only speed: lost, doubled, late or wrong offers change nothing of what
//! clients are told (I3).

use pb_protocol::ipc::{Frame, SchedulerEvent};
use pb_store::EventRecord;
use pretty_assertions::assert_eq;
use serde_json::json;
use serde_json::value::RawValue;

use crate::support::{Client, Scheduler, TestHome, frames_of, goal, link_event};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_never_offered_comes_from_the_log() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let silent = scheduler.commit(goal(1), 3).await;
    assert_eq!(client.events(3).await, frames_of(&identity, &silent, None), "without any offer");
    let mut gap = scheduler.commit(goal(1), 3).await;
    gap.extend(scheduler.tell(goal(2), 1).await);
    assert_eq!(client.events(4).await, frames_of(&identity, &gap, None), "before an offered one");
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_that_are_doubled_or_out_of_order_are_told_once_in_order() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut all = Vec::new();
    for _ in 0..10 {
        let records = scheduler.commit(goal(1), 4).await;
        let twice: Vec<EventRecord> =
            records.iter().chain(&records).chain(records.iter().rev()).chain(&all).cloned().collect();
        scheduler.offer(&twice).await;
        all.extend(records);
    }
    assert_eq!(client.events(40).await, frames_of(&identity, &all, None));
    assert!(client.has_nothing_more().await);
}

/// Offers that are not what the log says, each about the position after `last`.
fn forged(genuine: &SchedulerEvent, last: u64) -> Vec<SchedulerEvent> {
    let other = || SchedulerEvent {
        id: Some("forged".to_owned()),
        data: RawValue::from_string(json!({"forged": true}).to_string()).ok(),
        kind: Some("goal.forged".to_owned()),
        pos: Some(last + 1),
        ..genuine.clone()
    };
    vec![
        other(),
        SchedulerEvent { seq: Some(99), ..other() },
        SchedulerEvent { goal_id: Some(goal(7).to_string()), ..other() },
        SchedulerEvent { pos: Some(0), ..other() },
        SchedulerEvent { pos: Some(last), ..other() },
        SchedulerEvent { pos: Some(last + 2), ..other() },
        SchedulerEvent { pos: Some(u64::MAX), ..other() },
        SchedulerEvent { generation: Some(9), ..other() },
        SchedulerEvent { generation: None, ..other() },
        SchedulerEvent { pos: None, ..other() },
        SchedulerEvent { data: None, ..other() },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_offer_is_not_told_and_hides_nothing() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let first = scheduler.tell(goal(1), 1).await;
    assert_eq!(client.events(1).await, frames_of(&identity, &first, None));
    let genuine = link_event(&identity, first.first().unwrap());
    let mut last = 1;
    for number in 0..forged(&genuine, last).len() {
        let offer = forged(&genuine, last).swap_remove(number);
        let shown = format!("{offer:?}");
        scheduler.link().send(&Frame::SchedulerEvent(Box::new(offer))).await;
        let told = scheduler.tell(goal(1), 2).await;
        assert_eq!(client.events(2).await, frames_of(&identity, &told, None), "{shown}");
        last += 2;
    }
    let mut late = Client::connect(gateway.address).await;
    let answer = late.subscribe(json!({"after": "start"})).await;
    let id = answer["subscriptionId"].as_str();
    let all = scheduler.log.reader().events_after(0, 1000).await.unwrap();
    assert_eq!(late.events(all.len()).await, frames_of(&identity, &all, id));
    assert!(late.has_nothing_more().await);
}
