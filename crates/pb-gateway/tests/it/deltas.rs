//! The ephemeral lane: what models say and tools print, to whoever asks for it and nobody else. It
//! never moves a client's position, and never holds up what is in the log.

use pb_model::GoalId;
use pb_protocol::client::{self, Incoming};
use pb_protocol::delta::DeltaData;
use pb_protocol::ipc::{self, DeltaKind, Frame, SchedulerDelta};
use pb_protocol::methods::events::{Subscribe, SubscribeParams};
use pb_store::EventRecord;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Client, Scheduler, Sse, TestHome, frame_of, frames_of, goal, within};

/// More deltas than any queue between scheduler and client holds.
const FLOOD: u64 = 10_000;

fn delta(of: GoalId, kind: DeltaKind, index: u64, chunk: Option<&str>) -> SchedulerDelta {
    SchedulerDelta {
        goal_id: of.to_string(),
        work_item_id: Some("item_1".to_owned()),
        run_id: "run_1".to_owned(),
        request_id: "call_1".to_owned(),
        kind,
        chunk: chunk.map(str::to_owned),
        index,
        model: None,
        tokens_used: None,
        finish_reason: None,
        tool: None,
        error: None,
    }
}

/// One call of a model and one of a tool.
fn conversation(of: GoalId) -> Vec<SchedulerDelta> {
    let model = Some("m".to_owned());
    let tool = || Some("run_command".to_owned());
    let error = Some("断了".to_owned());
    let finish_reason = Some("stop".to_owned());
    vec![
        SchedulerDelta { model, ..delta(of, DeltaKind::Start, 0, None) },
        delta(of, DeltaKind::Thought, 0, Some("嗯，用户想要……")),
        delta(of, DeltaKind::Text, 1, Some("你好，\n世界 🐴🐰")),
        SchedulerDelta { tokens_used: Some(9), finish_reason, ..delta(of, DeltaKind::End, 2, None) },
        SchedulerDelta {
            tool: tool(), ..delta(of, DeltaKind::ToolOutput, 0, Some("编译中\r\n\u{1b}[1m"))
        },
        SchedulerDelta { tool: tool(), ..delta(of, DeltaKind::ToolOutput, 1, Some("完成\n")) },
        SchedulerDelta { error, ..delta(of, DeltaKind::Error, 0, None) },
    ]
}

/// What clients are told of [`conversation`]: the names, and the data without the time.
fn told(of: GoalId) -> Vec<(&'static str, Value)> {
    let rest = [
        ("llm.stream.start", json!({"model": "m"})),
        ("llm.stream.chunk", json!({"chunk": "嗯，用户想要……", "index": 0, "kind": "thought"})),
        ("llm.stream.chunk", json!({"chunk": "你好，\n世界 🐴🐰", "index": 1, "kind": "text"})),
        ("llm.stream.end", json!({"totalChunks": 2, "tokensUsed": 9, "finishReason": "stop"})),
        ("tool.output", json!({"tool": "run_command", "chunk": "编译中\r\n\u{1b}[1m", "index": 0})),
        ("tool.output", json!({"tool": "run_command", "chunk": "完成\n", "index": 1})),
        ("llm.stream.error", json!({"error": "断了"})),
    ];
    let ids =
        json!({"requestId": "call_1", "goalId": of.to_string(), "workItemId": "item_1", "runId": "run_1"});
    let with_ids = |(name, mut data): (&'static str, Value)| {
        data.as_object_mut().unwrap().extend(ids.as_object().unwrap().clone());
        (name, data)
    };
    rest.into_iter().map(with_ids).collect()
}

async fn offer(scheduler: &mut Scheduler, deltas: Vec<SchedulerDelta>) {
    let line = |delta| ipc::line(&Frame::SchedulerDelta(Box::new(delta)), 7);
    let lines: String = deltas.into_iter().map(line).collect();
    scheduler.link().send_bytes(lines.as_bytes()).await;
}

/// What of deltas' frames is told, once the rest is checked.
fn heard(frames: Vec<Value>) -> Vec<(String, Value)> {
    let check = |mut frame: Value| {
        let data = checked(frame["data"].take());
        let name = frame["event"].as_str().unwrap().to_owned();
        assert_eq!(frame, json!({"type": "event", "event": name, "data": null, "ephemeral": true}));
        (name, data)
    };
    frames.into_iter().map(check).collect()
}

fn checked(mut data: Value) -> Value {
    let at = data.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(at.as_u64().unwrap() > 1_500_000_000_000, "{at}");
    data
}

fn named(told: Vec<(&'static str, Value)>) -> Vec<(String, Value)> {
    told.into_iter().map(|(name, data)| (name.to_owned(), data)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_deltas_gets_them_in_order_and_nobody_else_does() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let (mut asks, mut does_not, mut never_asked) = (
        Client::connect(gateway.address).await,
        Client::connect(gateway.address).await,
        Client::connect(gateway.address).await,
    );
    let asked = asks.subscribe(json!({"after": "start", "deltas": true})).await;
    let other = does_not.subscribe(json!({"after": "start", "deltas": false})).await;
    offer(&mut scheduler, conversation(goal(1))).await;
    assert_eq!(heard(asks.events(7).await), named(told(goal(1))));
    let events = scheduler.tell(goal(1), 2).await;
    let id = |answer: &Value| answer["subscriptionId"].as_str().unwrap().to_owned();
    assert_eq!(asks.events(2).await, frames_of(&identity, &events, Some(&id(&asked))));
    assert_eq!(does_not.events(2).await, frames_of(&identity, &events, Some(&id(&other))));
    assert_eq!(never_asked.events(2).await, frames_of(&identity, &events, None));
    for client in [&mut asks, &mut does_not, &mut never_asked] {
        assert!(client.has_nothing_more().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deltas_are_filtered_sent_once_a_connection_and_end_with_the_subscription() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let mut client = Client::connect(gateway.address).await;
    let ask = |goal_id: GoalId| json!({"after": "start", "goalId": goal_id.to_string(), "deltas": true});
    let (first, again) = (client.subscribe(ask(goal(1))).await, client.subscribe(ask(goal(1))).await);
    let mut only_tools = ask(goal(2));
    only_tools["kinds"] = json!(["tool.*"]);
    client.subscribe(only_tools).await;
    for n in 1..=3 {
        offer(&mut scheduler, conversation(goal(n))).await;
    }
    let output = told(goal(2)).into_iter().filter(|(name, _)| *name == "tool.output").collect::<Vec<_>>();
    let expected = named([told(goal(1)), output.clone()].concat());
    assert_eq!(heard(client.events(9).await), expected);
    for ended in [first, again] {
        let which = json!({"subscriptionId": ended["subscriptionId"]});
        client.call("events.unsubscribe", which).await.unwrap();
    }
    for n in 1..=2 {
        offer(&mut scheduler, conversation(goal(n))).await;
    }
    assert_eq!(heard(client.events(2).await), named(output));
    let last = client.subscribe(json!({"after": "start", "goalId": goal(3).to_string()})).await;
    let events = scheduler.tell(goal(3), 1).await;
    let expected = frames_of(&identity, &events, last["subscriptionId"].as_str());
    assert_eq!(client.events(1).await, expected);
    assert!(client.has_nothing_more().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deltas_that_are_not_understood_are_skipped() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let mut client = Client::connect(gateway.address).await;
    client.subscribe(json!({"deltas": true})).await;
    let ids = r#""goalId":"g","runId":"r","requestId":"q""#;
    let long = "x".repeat(40_000);
    for data in [
        "null".to_owned(),
        "{}".to_owned(),
        "[7]".to_owned(),
        r#"{"goalId":"g","runId":"r","kind":"text","chunk":"x"}"#.to_owned(),
        format!(r#"{{{ids},"kind":"song","chunk":"x"}}"#),
        format!(r#"{{{ids},"kind":"text","chunk":7}}"#),
        format!(r#"{{{ids},"kind":"text","chunk":"x","index":-1}}"#),
        format!(r#"{{{ids},"kind":"text"}}"#),
        format!(r#"{{{ids},"kind":"start"}}"#),
        format!(r#"{{{ids},"kind":"error"}}"#),
        format!(r#"{{{ids},"kind":"tool_output","chunk":"x"}}"#),
        format!(r#"{{{ids},"kind":"text","chunk":"{long}"}}"#),
    ] {
        let line = format!(r#"{{"type":"scheduler_delta","timestamp":7,"data":{data}}}"#);
        scheduler.link().send_bytes(format!("{line}\n").as_bytes()).await;
        offer(&mut scheduler, vec![delta(goal(1), DeltaKind::Text, 0, Some("好"))]).await;
        assert_eq!(client.event().await["data"]["chunk"], "好", "after {line}");
    }
    assert!(client.has_nothing_more().await);
}

/// Reads until so many events of the log came and so many deltas are accounted for; gives the
/// events, and how many deltas came and were told to be lost.
async fn account(client: &mut Client, events: usize, deltas: u64) -> (Vec<Value>, u64, u64) {
    let (mut kept, mut came, mut lost, mut newest) = (Vec::new(), 0, 0, None);
    while kept.len() < events || came + lost < deltas {
        let frame = client.event().await;
        if frame["type"] == "lag" {
            lost += frame["dropped"].as_u64().unwrap();
        } else if frame["ephemeral"] == true {
            let index = frame["data"]["index"].as_u64();
            assert!(index > newest, "{index:?} after {newest:?}");
            newest = index;
            came += 1;
        } else {
            kept.push(frame);
        }
    }
    (kept, came, lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deltas_are_dropped_for_a_client_that_does_not_read_and_events_are_not() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let identity = scheduler.log.identity().clone();
    let (mut slow, mut healthy) =
        (Client::narrow(gateway.address).await, Client::connect(gateway.address).await);
    let mut slow_stream = Sse::open(gateway.address, "/events?deltas=true", &[]).await;
    slow_stream.take(1).await;
    let asked = slow.subscribe(json!({"after": "start", "deltas": true})).await;
    let chunk = "春天来了。".repeat(100);
    let mut all: Vec<EventRecord> = Vec::new();
    for round in 0..FLOOD / 100 {
        let some = |n| delta(goal(1), DeltaKind::Text, round * 100 + n, Some(&chunk));
        offer(&mut scheduler, (0..100).map(some).collect()).await;
        let records = scheduler.tell(goal(1), 3).await;
        for record in &records {
            assert_eq!(healthy.event().await, frame_of(&identity, record, None));
        }
        all.extend(records);
    }
    // All were offered by now. What comes is all that was kept for it, between here and there.
    let (kept, came, lost) = account(&mut slow, all.len(), FLOOD).await;
    assert_eq!(kept, frames_of(&identity, &all, asked["subscriptionId"].as_str()));
    assert_eq!(came + lost, FLOOD);
    assert!(came < FLOOD / 10, "{came} of {FLOOD} were queued");
    assert!(slow.has_nothing_more().await);
    // It goes on.
    offer(&mut scheduler, vec![delta(goal(1), DeltaKind::Text, FLOOD, Some("好"))]).await;
    assert_eq!(slow.event().await["data"]["chunk"], "好");

    let (mut kept, mut accounted) = (Vec::new(), 0);
    while kept.len() < all.len() || accounted < FLOOD + 1 {
        let event = slow_stream.next().await.unwrap();
        match (event.id, event.event.as_str()) {
            (Some(id), _) => kept.push((id, event.data)),
            (None, "lag") => accounted += event.data["dropped"].as_u64().unwrap(),
            (None, _) => accounted += 1,
        }
    }
    let expected = frames_of(&identity, &all, None).into_iter();
    let expected: Vec<_> = expected
        .map(|mut frame| (frame["cursor"].as_str().unwrap().to_owned(), frame["data"].take()))
        .collect();
    assert_eq!(kept, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_catches_up_first_though_deltas_never_end() {
    let at = TestHome::new();
    let mut scheduler = Scheduler::start(&at).await;
    let identity = scheduler.log.identity().clone();
    let all = scheduler.commit(goal(1), 5_000).await;
    let gateway = at.gateway().await;
    scheduler.connect().await;
    // It reads more slowly than they come, so that there is always one more.
    let mut client = Client::narrow(gateway.address).await;
    let mut flood = JoinSet::new();
    let mut link = scheduler.link.take().unwrap();
    flood.spawn(async move {
        loop {
            let frame = Frame::SchedulerDelta(Box::new(delta(goal(1), DeltaKind::Text, 0, Some("x"))));
            link.send_bytes(ipc::line(&frame, 7).repeat(100).as_bytes()).await;
        }
    });
    client.subscribe(json!({"deltas": true})).await;
    while client.event().await["ephemeral"] != true {}
    let asked = client.subscribe(json!({"after": "start", "deltas": true})).await;
    // Those that were on their way come before; then what is in the log goes first.
    let mut next = client.event().await;
    while next["ephemeral"] == true || next["type"] == "lag" {
        next = client.event().await;
    }
    for (place, record) in all.iter().enumerate() {
        if place > 0 {
            next = client.event().await;
        }
        assert_eq!(next, frame_of(&identity, record, asked["subscriptionId"].as_str()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stream_has_deltas_without_ids() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    scheduler.tell(goal(1), 1).await;
    let path = |more: &str| format!("/events?goalId={}&after=start{more}", goal(1));
    let mut with = Sse::open(gateway.address, &path("&deltas=true"), &[]).await;
    let mut without = Sse::open(gateway.address, &path(""), &[]).await;
    for stream in [&mut with, &mut without] {
        assert_eq!(stream.take(2).await.last().unwrap().event, "goal.tested");
    }
    offer(&mut scheduler, conversation(goal(2))).await;
    offer(&mut scheduler, conversation(goal(1))).await;
    let came = with.take(7).await;
    assert!(came.iter().all(|event| event.id.is_none()));
    let came: Vec<_> = came.into_iter().map(|event| (event.event, checked(event.data))).collect();
    assert_eq!(came, named(told(goal(1))));
    scheduler.tell(goal(1), 1).await;
    for stream in [&mut with, &mut without] {
        assert_eq!(stream.next().await.unwrap().event, "goal.tested");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typed_client_tells_deltas_from_events() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut scheduler = Scheduler::connected(&at).await;
    let (client, mut events, driver) = client::connect(&gateway.address.to_string(), None).await.unwrap();
    let mut running = JoinSet::new();
    running.spawn(driver.run());
    let params = SubscribeParams { deltas: true, ..SubscribeParams::default() };
    client.call::<Subscribe>(&params).await.unwrap();
    offer(&mut scheduler, conversation(goal(1))).await;
    scheduler.tell(goal(1), 1).await;
    let (mut chunks, mut event) = (Vec::new(), None);
    while chunks.len() < 4 || event.is_none() {
        match within("an event", events.next()).await.unwrap() {
            Incoming::Ephemeral(frame) => {
                let data: DeltaData = serde_json::from_str(frame.data.get()).unwrap();
                chunks.extend(data.chunk);
            }
            Incoming::Event(frame) if frame.cursor.is_some() => event = Some(frame.event),
            Incoming::Event(_) => {} // The greeting.
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(chunks, ["嗯，用户想要……", "你好，\n世界 🐴🐰", "编译中\r\n\u{1b}[1m", "完成\n"]);
    assert_eq!(event.as_deref(), Some("goal.tested"));
}
