//! The typed client survives the gateway: what it follows it is told once, and what it asks is done once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pb_protocol::client::{Client, Config, Error, Find, Item, NotFound, Patience, Place, Subscription};
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::NoParams;
use pb_protocol::methods::events::SubscribeParams;
use pb_protocol::methods::goal::{Submit, SubmitParams};
use pb_protocol::methods::system::{Ping, Status, StatusParams};
use pb_store::{Cursor, EventRecord, LogIdentity, Mark};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Cutter, LIMIT, Scheduler, TestHome, eventually, goal, within};

/// Where the gateway is at this moment.
#[derive(Clone, Default)]
struct Somewhere(Arc<Mutex<Option<SocketAddr>>>);

impl Somewhere {
    fn set(&self, address: Option<SocketAddr>) {
        *self.0.lock().unwrap() = address;
    }

    fn find(&self) -> Find {
        let place = self.clone();
        Arc::new(move || {
            let address = place.0.lock().unwrap().ok_or(NotFound::NotRunning)?;
            Ok(Place { address: address.to_string(), token: None })
        })
    }

    fn client(&self) -> Client {
        Client::new(Config { find: self.find(), patience: Patience::Within(LIMIT) })
    }
}

fn from_start() -> SubscribeParams {
    SubscribeParams { after: Some("start".to_owned()), ..SubscribeParams::default() }
}

/// What an item is, with the event's place in the log.
fn word(item: &Item) -> String {
    match item {
        Item::Event(frame) => place(frame),
        Item::Ephemeral(_) => "ephemeral".to_owned(),
        Item::Lag(_) => "lag".to_owned(),
        Item::Snapshot(snapshot) => format!("snapshot of {}", snapshot.goals.len()),
        Item::RebaseRequired(snapshot) => format!("rebase to {}", snapshot.goals.len()),
        Item::Disconnected => "disconnected".to_owned(),
        Item::Resumed => "resumed".to_owned(),
    }
}

fn place(frame: &EventFrame) -> String {
    let cursor: Cursor = frame.cursor.as_ref().unwrap().parse().unwrap();
    format!("{}/{} seq {}", cursor.generation, cursor.pos, frame.seq.unwrap())
}

fn places(log: &LogIdentity, records: &[EventRecord]) -> Vec<String> {
    records.iter().map(|one| format!("{}/{} seq {}", log.generation, one.pos, one.seq)).collect()
}

async fn items(events: &mut Subscription, count: usize) -> Vec<String> {
    let mut seen = Vec::with_capacity(count);
    while seen.len() < count {
        seen.push(word(&within("an item", events.next()).await.unwrap()));
    }
    seen
}

/// The next so many events, and how often the connection was lost on the way.
async fn events_of(events: &mut Subscription, count: usize) -> (Vec<String>, usize) {
    let (mut seen, mut lost) = (Vec::new(), 0);
    while seen.len() < count {
        match within("an item", events.next()).await.unwrap() {
            Item::Event(frame) => seen.push(place(&frame)),
            Item::Disconnected => lost += 1,
            Item::Resumed => {}
            other => panic!("{other:?}"),
        }
    }
    (seen, lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_goes_on_at_each_new_gateway_and_says_when_it_was_cut() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let log = scheduler.log.identity().clone();
    let somewhere = Somewhere::default();
    let mut events = somewhere.client().subscribe(from_start());
    for round in 0..4 {
        let gateway = at.gateway().await;
        somewhere.set(Some(gateway.address)); // Each listens on a port of its own.
        if round > 0 {
            assert_eq!(items(&mut events, 1).await, ["resumed"]);
        }
        scheduler.connect().await;
        let told = scheduler.tell(goal(1), 300).await;
        assert_eq!(items(&mut events, 300).await, places(&log, &told), "round {round}");
        gateway.stop().await;
        somewhere.set(None);
        assert_eq!(items(&mut events, 1).await, ["disconnected"]);
        scheduler.link = None;
    }
    let missed = scheduler.commit(goal(2), 700).await;
    let gateway = at.gateway().await;
    somewhere.set(Some(gateway.address));
    assert_eq!(items(&mut events, 1).await, ["resumed"]);
    assert_eq!(items(&mut events, 700).await, places(&log, &missed));
    let cursor = Cursor::at(&log, missed.last().unwrap().pos).to_string();
    assert_eq!(events.cursor(), Some(cursor.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_in_the_middle_of_a_frame_costs_no_event() {
    let at = TestHome::new();
    let scheduler = Scheduler::start(&at).await;
    let log = scheduler.log.identity().clone();
    let told = scheduler.commit(goal(1), 200).await;
    let gateway = at.gateway().await;
    // A frame has some 330 bytes: each of these ends elsewhere in one.
    let cutter = Cutter::start(gateway.address, |connection| Some(1_500 + connection * 617)).await;
    let somewhere = Somewhere::default();
    somewhere.set(Some(cutter.address));
    let mut events = somewhere.client().subscribe(from_start());
    let (seen, lost) = events_of(&mut events, told.len()).await;
    assert_eq!(seen, places(&log, &told));
    assert!(lost >= 5, "{lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_log_is_an_item_of_its_own_with_how_things_stand() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    scheduler.commit(goal(1), 3).await;
    let log_id = scheduler.log.identity().id.clone();
    let gateway = at.gateway().await;
    scheduler.connect().await;
    let somewhere = Somewhere::default();
    somewhere.set(Some(gateway.address));
    let client = somewhere.client();
    let mut events = client.subscribe(from_start());
    let mut plain = client.subscribe(SubscribeParams::default());
    assert_eq!(items(&mut plain, 1).await, ["snapshot of 0"]);
    items(&mut events, 3).await;
    let put_back = |pos| Mark { log_id: log_id.clone(), pos, at_ms: 1 };

    // While the gateway runs: the scheduler that starts finds that its log was put back.
    drop(scheduler);
    let mut scheduler = Scheduler::start_behind(&at, Some(put_back(1_000))).await;
    scheduler.connect().await;
    for events in [&mut events, &mut plain] {
        assert_eq!(items(events, 1).await, ["rebase to 0"]);
    }
    let told = scheduler.tell(goal(1), 2).await;
    for events in [&mut events, &mut plain] {
        assert_eq!(items(events, 2).await, places(scheduler.log.identity(), &told));
    }

    // While it is away.
    gateway.stop().await;
    somewhere.set(None);
    drop(scheduler);
    let mut scheduler = Scheduler::start_behind(&at, Some(put_back(2_000))).await;
    let gateway = at.gateway().await;
    somewhere.set(Some(gateway.address));
    assert_eq!(items(&mut events, 3).await, ["disconnected", "resumed", "rebase to 0"]);
    scheduler.connect().await;
    let told = scheduler.tell(goal(1), 2).await;
    assert_eq!(items(&mut events, 2).await, places(scheduler.log.identity(), &told));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_waits_for_a_gateway_that_is_away_as_long_as_it_may() {
    let at = TestHome::new();
    let somewhere = Somewhere::default();
    let client = somewhere.client();
    let waited = Duration::from_millis(200);
    let error = client.call_within::<Ping>(&NoParams {}, waited).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(NotFound::NotRunning)), "{error:?}");
    let impatient = Client::new(Config { find: somewhere.find(), patience: Patience::None });
    let error = impatient.call::<Ping>(&NoParams {}).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(NotFound::NotRunning)), "{error:?}");

    let (answer, gateway) = tokio::join!(client.call::<Ping>(&NoParams {}), async {
        let gateway = at.gateway().await;
        somewhere.set(Some(gateway.address));
        gateway
    });
    assert!(answer.unwrap().pong);
    gateway.stop().await;
    let gateway = at.gateway().await;
    somewhere.set(Some(gateway.address));
    assert!(client.call::<Ping>(&NoParams {}).await.unwrap().pong, "on a new connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goal_whose_answer_was_lost_is_handed_over_once() {
    let at = TestHome::new();
    let scheduler = Scheduler::start(&at).await;
    let gateway = at.gateway().await;
    // The first answers do not come through; the greeting and the upgrade do.
    let cutter = Cutter::start(gateway.address, |connection| (connection < 3).then_some(400)).await;
    let somewhere = Somewhere::default();
    somewhere.set(Some(cutter.address));
    let params: SubmitParams =
        serde_json::from_value(json!({"title": "一", "description": "d", "success_criteria": []})).unwrap();
    let client = somewhere.client();
    let handed_over = client.call::<Submit>(&params).await.unwrap();
    assert_eq!(cutter.connections(), 4);
    let rows = scheduler.inbox().await;
    assert_eq!(rows.iter().map(|row| &row.command.goal).collect::<Vec<_>>(), [&handed_over.id]);
    let another = client.call::<Submit>(&params).await.unwrap();
    assert_ne!(another.id, handed_over.id, "another call, another key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_dropped_leaves_no_connection_and_no_task() {
    let at = TestHome::new();
    let scheduler = Scheduler::start(&at).await;
    // More than its queues hold, so that its task is in the middle of handing over.
    scheduler.commit_sized(goal(1), 2_000, 1_000).await;
    let gateway = at.gateway().await;
    let somewhere = Somewhere::default();
    somewhere.set(Some(gateway.address));
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let client = somewhere.client();
    let mut events = client.subscribe(from_start());
    items(&mut events, 1).await;
    let watching = somewhere.client();
    let connections = async || {
        watching.call::<Status>(&StatusParams { brief: true }).await.unwrap().gateway.connections.total
    };
    client.call::<Ping>(&NoParams {}).await.unwrap();
    eventually("three are there", async || connections().await == 3).await;
    let before = tasks();
    drop((client, events));
    eventually("only the one that watches is left", async || connections().await == 1).await;
    eventually("its tasks are gone", async || tasks() < before).await;
}
