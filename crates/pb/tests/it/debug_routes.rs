//! The debug server's routes, line by line as `wire.md` §3.4 has them: which keys each answer has, and what each part of
//! a query does, with what a real goal left behind that was done in part and failed.

use serde_json::{Value, json};

use crate::debug_server::list;
use crate::env::{TestEnv, wait_until};

/// Of two items one is done and one fails.
const HALF: &str = r#"
title = "一半"
workspace = "out"
[[items]]
id = "done"
kind = "command"
argv = ["sh", "-c", "echo 一 > one"]
gates = [{ kind = "file_exists", path = "one" }]
[[items]]
id = "fails"
kind = "command"
argv = ["false"]
max_retries = 0
"#;
/// Each route with the keys of its answer; `G`, `E` and `T` stand for the goal, its last event, and the time of that.
const ANSWERS: [(&str, &[&str]); 11] = [
    ("health", &["status", "gatewayConnected", "eventCount", "timestamp"]),
    ("events", &["events", "total"]),
    ("goals", &["goals", "total"]),
    ("goals/G", &["goal", "workItems", "runs", "events"]),
    ("workitems", &["workItems", "total"]),
    ("runs", &["runs", "total"]),
    ("metrics", &["metrics", "current"]),
    (
        "replay/G/timeline",
        &[
            "goalId",
            "totalEvents",
            "startTime",
            "endTime",
            "durationMs",
            "phaseBoundaries",
            "errorMarkers",
            "llmCallSpans",
            "lastUpdated",
        ],
    ),
    ("replay/G/events", &["events", "total"]),
    ("replay/G/state/T", &["timestamp", "state", "eventsReplayed"]),
    ("replay/G/diff/E", &["changes"]),
];
/// Where a row is in an answer, and its keys.
const ROWS: [(&str, &str, &[&str]); 10] = [
    ("events", "/events/0", &["id", "timestamp", "type", "source", "data", "goalId"]),
    ("goals", "/goals/0", &["id", "status", "title", "data", "updatedAt"]),
    ("workitems", "/workItems/0", &["id", "goalId", "status", "title", "data", "updatedAt"]),
    ("runs", "/runs/0", &["id", "workItemId", "status", "data", "updatedAt"]),
    ("metrics", "/current", &["windowStart", "windowEnd", "data"]),
    ("metrics", "/current/data", &["eventCounts", "llmTokens", "toolInvocations", "goalStats"]),
    ("replay/G/timeline", "/phaseBoundaries/0", &["phase", "startTime", "endTime"]),
    ("replay/G/timeline", "/errorMarkers/0", &["eventId", "timestamp"]),
    ("replay/G/state/T", "/state", &["goal", "workItems", "runs", "metrics", "llmContext"]),
    ("replay/G/diff/E", "/changes/0", &["path", "oldValue", "newValue"]),
];

/// A home with such a goal, once all of it is in the trace.
fn half() -> (TestEnv, String) {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", HALF);
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(1));
    wait_until("the trace is written", || {
        // The goal's own end, and then the end of its phase, which is the last that is told of it.
        let told = env.debug(&format!("/api/events?goalId={goal}&limit=20"));
        let events = told["events"].as_array().unwrap();
        let has_ended = |event: &Value| {
            event["type"] == "state.transition"
                && event["data"]["entityType"] == "goal"
                && event["data"]["to"] == "failed"
        };
        (events.iter().any(has_ended) && events[0]["type"] == "phase.ended").then_some(())
    });
    (env, goal)
}

fn missing<'k>(value: &Value, keys: &[&'k str]) -> Vec<&'k str> {
    keys.iter().copied().filter(|key| value.get(key).is_none()).collect()
}

#[test]
fn each_answer_has_the_keys_that_its_readers_know() {
    let (env, goal) = half();
    let history = env.debug(&format!("/api/replay/{goal}/events"));
    let last = list(&history, "events").last().unwrap();
    let time = last["timestamp"].to_string();
    let path = |route: &str| {
        let named = [("G", goal.as_str()), ("E", last["id"].as_str().unwrap()), ("T", time.as_str())];
        let parts = route.split('/').map(|part| {
            named.iter().find(|(letter, _)| *letter == part).map_or(part, |(_, stands_for)| stands_for)
        });
        format!("/api/{}", parts.collect::<Vec<_>>().join("/"))
    };
    for (route, keys) in ANSWERS {
        assert_eq!(missing(&env.debug(&path(route)), keys), Vec::<&str>::new(), "{route}");
    }
    for (route, place, keys) in ROWS {
        let told = env.debug(&path(route));
        let row = told.pointer(place).unwrap_or_else(|| panic!("{route}: nothing at {place} in {told}"));
        assert_eq!(missing(row, keys), Vec::<&str>::new(), "{route} {place}");
    }
    assert_eq!(env.ask_debug("/api/nowhere"), (404, json!({"error": "Not found"})));
}

#[test]
fn each_part_of_a_query_shows_what_it_names_and_nothing_else() {
    let (env, goal) = half();
    let all = env.debug("/api/events?limit=1000");
    let all = list(&all, "events").to_vec();
    let middle = &all[all.len() / 2];
    let with_run = all.iter().find(|event| event["runId"].is_string()).unwrap();
    for (key, name, wanted) in [
        ("type", "type", middle["type"].clone()),
        ("source", "source", middle["source"].clone()),
        ("goalId", "goalId", json!(goal)),
        ("workItemId", "workItemId", with_run["workItemId"].clone()),
        ("runId", "runId", with_run["runId"].clone()),
    ] {
        let told = env.debug(&format!("/api/events?limit=1000&{key}={}", wanted.as_str().unwrap()));
        let expected: Vec<_> = all.iter().filter(|event| event[name] == wanted).cloned().collect();
        assert_eq!(list(&told, "events"), expected, "{key}={wanted}");
        assert_eq!(told["total"].as_u64(), Some(all.len() as u64), "the sum of all, whatever was asked");
    }
    let begins = env.debug("/api/events?limit=1000&type=scheduler.*");
    let is_scheduler = |event: &&Value| event["type"].as_str().unwrap().starts_with("scheduler.");
    assert_eq!(list(&begins, "events"), all.iter().filter(is_scheduler).cloned().collect::<Vec<_>>());
    let at = middle["timestamp"].as_u64().unwrap();
    let until = env.debug(&format!("/api/events?limit=1000&endTime={at}"));
    let from = env.debug(&format!("/api/events?limit=1000&startTime={}", at + 1));
    let both = [list(&from, "events"), list(&until, "events")].concat();
    assert_eq!(both, all, "a moment cuts it in two, and the latest come first");

    let history = env.debug(&format!("/api/replay/{goal}/events"));
    let history = list(&history, "events").to_vec();
    let at = history[history.len() / 2]["timestamp"].as_u64().unwrap();
    let until = env.debug(&format!("/api/replay/{goal}/events?to={at}"));
    let from = env.debug(&format!("/api/replay/{goal}/events?from={}", at + 1));
    assert_eq!([list(&until, "events"), list(&from, "events")].concat(), history);
    assert_eq!(until["total"].as_u64(), Some(list(&until, "events").len() as u64));
    let page = env.debug(&format!("/api/replay/{goal}/events?limit=2&offset=1&after=2"));
    assert_eq!(list(&page, "events"), &history[3..5]);
    // What went wrong is marked, with the events that say so.
    let timeline = env.debug(&format!("/api/replay/{goal}/timeline"));
    let marked: Vec<_> = list(&timeline, "errorMarkers").iter().map(|mark| &mark["eventId"]).collect();
    let failed = |event: &&Value| event["type"].as_str().unwrap().ends_with(".failed");
    let failed: Vec<_> = history.iter().filter(failed).map(|event| &event["id"]).collect();
    assert!(!failed.is_empty() && failed.iter().all(|id| marked.contains(id)), "{timeline}");
}
