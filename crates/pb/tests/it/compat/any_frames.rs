//! Nothing that an old client sends closes its socket: whatever it says, each request is answered once, and the next one
//! too.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::socket::Client;

/// How long frames are made up.
const TIME: Duration = Duration::from_secs(5);
/// Frames that are sent before anything is read.
const BATCH: std::ops::Range<usize> = 1..24;

/// The methods of `wire.md` §2.5 and §2.6, those that only clients knew, and some that nobody does.
const METHODS: &[&str] = &[
    "system.ping",
    "system.info",
    "system.methods",
    "system.stats",
    "system.status",
    "goal.submit",
    "goal.status",
    "goal.cancel",
    "goal.list",
    "goal.subscribe",
    "goal.unsubscribe",
    "workitem.get",
    "workitem.list",
    "workitem.byGoal",
    "workitem.runs",
    "escalation.list",
    "escalation.get",
    "escalation.respond",
    "escalation.pending",
    "approval.list",
    "approval.get",
    "approval.grant",
    "approval.deny",
    "approval.pending",
    "approval.create",
    "conversation.history",
    "conversation.end",
    "conversation.status",
    "persona.list",
    "persona.get",
    "persona.default",
    "audit.list",
    "audit.byGoal",
    "audit.byEntity",
    "audit.byAction",
    "audit.byTimeRange",
    "audit.byActor",
    "audit.stats",
    "audit.prune",
    "debug.snapshot",
    "debug.scheduler",
    "debug.lanes",
    "debug.goals",
    "debug.goal",
    "debug.workitems",
    "debug.runs",
    "debug.events",
    "debug.events.subscribe",
    "debug.events.unsubscribe",
    "debug.gateway",
    "auth.hello",
    "auth.pair",
    "auth.verify",
    "auth.token",
    "goal.get",
    "subscribe",
    "unsubscribe",
    "ping",
    "escalation.resolve",
    "approval.approve",
    "approval.reject",
    "abort.request",
    "clarify.init",
    "goal.tools.init",
    "os.permission.check",
    "stuck.checkAll",
    "permission.list",
    "",
    "没有",
];

/// The keys of their parameters.
const KEYS: &[&str] = &[
    "goalId",
    "workItemId",
    "escalationId",
    "approvalId",
    "runId",
    "sessionId",
    "id",
    "title",
    "description",
    "success_criteria",
    "priority",
    "budget_tokens",
    "budget_cost_usd",
    "budget_time_minutes",
    "status",
    "limit",
    "offset",
    "cursor",
    "action",
    "data",
    "resolution",
    "reason",
    "conditions",
    "requestType",
    "details",
    "message",
    "personaId",
    "attachments",
    "stream",
    "entityType",
    "entityId",
    "actionPrefix",
    "from",
    "to",
    "actor",
    "olderThanDays",
    "type",
    "publicKey",
    "token",
    "signature",
    "context",
    "tags",
    "idempotencyKey",
    "__proto__",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        Just(json!(18_446_744_073_709_551_615_u64)),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "queued", "open", "pending", "goal_", "狗", "\u{0}", "skip", "../..", "esc_1"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..4)
                .prop_map(|fields| fields.into_iter().map(|(key, one)| (key.to_owned(), one)).collect()),
        ]
    })
}

fn params() -> impl Strategy<Value = Value> {
    let fields = prop::collection::vec((prop::sample::select(KEYS), value()), 0..6)
        .prop_map(|fields| fields.into_iter().map(|(key, one)| (key.to_owned(), one)).collect::<Value>());
    prop_oneof![8 => fields, 1 => value()]
}

/// What is sent. A request of which the id counts is told apart by it.
fn message() -> impl Strategy<Value = String> {
    let request = (prop::sample::select(METHODS), prop::option::of(params())).prop_map(|(method, params)| {
        let mut frame = json!({"type": "req", "id": "?", "method": method});
        if let Some(params) = params {
            frame["params"] = params;
        }
        frame.to_string()
    });
    let frame = (value(), value(), value(), value()).prop_map(
        |(kind, id, method, params)| json!({"type": kind, "id": id, "method": method, "params": params}),
    );
    let other = prop::sample::select(vec![
        json!({"type": "res", "id": "1", "result": {}}),
        json!({"type": "event", "event": "goal.created", "data": {}}),
        json!({"type": "req", "id": 7, "method": "system.ping"}),
        json!({"type": "req", "id": "", "method": "system.ping"}),
    ]);
    prop_oneof![
        12 => request,
        2 => frame.prop_map(|frame| frame.to_string()),
        1 => other.prop_map(|frame| frame.to_string()),
        1 => value().prop_map(|value| value.to_string()),
        1 => "\\PC{0,40}",
    ]
}

/// Sends them all, each request under an id of its own, and takes answers until the last one's.
fn answered(client: &mut Client, messages: &[String]) -> Result<(), TestCaseError> {
    let mut waited_for = BTreeMap::new();
    for (n, message) in messages.iter().enumerate() {
        let id = format!("r{n}");
        let named = message.replacen("\"id\":\"?\"", &format!("\"id\":\"{id}\""), 1);
        let is_request = named != *message
            && serde_json::from_str(&named).is_ok_and(|frame: Value| {
                frame["type"] == "req" && frame["method"].as_str().is_some_and(|method| !method.is_empty())
            });
        if is_request {
            waited_for.insert(id, 0);
        }
        client.send(&named);
    }
    client.send(r#"{"type":"req","id":"last","method":"system.ping"}"#);
    let mut is_last_answered = false;
    while !is_last_answered || waited_for.values().any(|answers| *answers == 0) {
        let Some(frame) = client.frame() else {
            return Err(TestCaseError::fail("the socket was closed, or nothing came for long"));
        };
        if frame["type"] == "res" {
            prop_assert!(frame.get("result").is_some() != frame.get("error").is_some(), "{frame}");
            let id = frame["id"].as_str().unwrap();
            is_last_answered |= id == "last";
            if let Some(answers) = waited_for.get_mut(id) {
                *answers += 1;
                prop_assert_eq!(*answers, 1, "{} was answered twice", id);
            }
        }
    }
    Ok(())
}

#[test]
fn whatever_an_old_client_sends_it_is_answered_and_stays_connected() {
    let env = TestEnv::new();
    env.start_daemons();
    let mut client = env.connect();
    let began = Instant::now();
    let mut runner = TestRunner::new(Config::default());
    let batches = prop::collection::vec(message(), BATCH);
    let mut frames = 0;
    while began.elapsed() < TIME {
        let messages = batches.new_tree(&mut runner).unwrap().current();
        frames += messages.len();
        if let Err(problem) = answered(&mut client, &messages) {
            panic!("{problem}\nafter these were sent: {messages:#?}");
        }
    }
    assert!(frames > 100, "only {frames} frames in {TIME:?}");
}
