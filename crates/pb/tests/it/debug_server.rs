//! The debug server beside real goals: what it tells is what is in the log and the trace, and what is folded from a
//! goal's history is what its rows were.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use pb_runtime::{Endpoint, Home};
use serde_json::{Value, json};

use crate::env::{TIMEOUT, TestEnv, wait_until};
use crate::machine::json_lines;
use crate::model::{Scripted, agent_file, finish, shell, worker, write};

/// A goal with two command items, of which the second needs the first.
pub(crate) const TWO: &str = r#"
title = "先后"
workspace = "out"
[[items]]
id = "first"
kind = "command"
argv = ["sh", "-c", "echo 一 > one"]
gates = [{ kind = "file_exists", path = "one" }]
[[items]]
id = "second"
kind = "command"
needs = ["first"]
argv = ["sh", "-c", "echo 二 > two"]
gates = [{ kind = "file_exists", path = "two" }]
"#;

impl TestEnv {
    /// Where the debug server listens.
    pub(crate) fn debug_address(&self) -> String {
        let endpoint = Endpoint::read(&Home::at(&self.home()).unwrap().gateway_json());
        endpoint.unwrap().debug_address.unwrap().to_string()
    }

    /// What a path of the debug server answers: status and JSON.
    pub(crate) fn ask_debug(&self, path: &str) -> (u16, Value) {
        ask(&self.debug_address(), path)
    }

    /// The same, which must be answered.
    pub(crate) fn debug(&self, path: &str) -> Value {
        let (status, told) = self.ask_debug(path);
        assert_eq!(status, 200, "{path}: {told}");
        told
    }
}

/// Asks over HTTP as any program does.
pub(crate) fn ask(address: &str, path: &str) -> (u16, Value) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let (head, body) = exchange(address, &request);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {head}\n{body}")))
}

/// Sends a request as it stands; the head of the answer and its body.
pub(crate) fn exchange(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no {key} in {value}"))
}

#[test]
fn every_route_answers_with_what_a_real_goal_came_to() {
    let turns = [write("报告.md", "一份报告"), shell("touch done"), finish("好了")];
    let scripted = Scripted::saying([worker(turns)]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("写报告", ""));
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    let shown = env.show(&goal);
    let health = wait_until("the trace is written", || {
        let health = env.debug("/api/health");
        (health["eventCount"].as_u64() > Some(25)).then_some(health)
    });
    assert_eq!((&health["status"], &health["gatewayConnected"]), (&json!("ok"), &json!(true)));

    let goals = env.debug("/api/goals");
    let row = &list(&goals, "goals")[0];
    assert_eq!(
        (&row["id"], &row["status"], &row["title"]),
        (&json!(goal), &json!("completed"), &json!("写报告"))
    );
    assert_eq!(row["updatedAt"], shown["updated_at"]);
    assert_eq!(row["data"]["workspace"], shown["workspace"]);
    assert_eq!(env.debug("/api/goals?status=failed")["goals"], json!([]));
    let item = &shown["items"][0];
    let items = env.debug(&format!("/api/workitems?goalId={goal}"));
    let row = &list(&items, "workItems")[0];
    assert_eq!((&row["id"], &row["goalId"], &row["status"]), (&item["id"], &json!(goal), &json!("done")));
    let runs = env.debug(&format!("/api/runs?workItemId={}", item["id"].as_str().unwrap()));
    let row = &list(&runs, "runs")[0];
    assert_eq!((&row["id"], &row["workItemId"]), (&item["runs"][0]["id"], &item["id"]));
    assert_eq!((&row["status"], &row["data"]), (&json!("success"), &item["runs"][0]));
    assert_eq!((&items["total"], &runs["total"]), (&json!(1), &json!(1)));

    // The events of the trace, with the ids and times that the scheduler gave them.
    let printed = json_lines(&env.pb(["debug", "events", "--json", "--goal", &goal]).raw_stdout);
    let one = env.debug(&format!("/api/goals/{goal}"));
    assert_eq!((&one["goal"]["id"], list(&one, "workItems").len()), (&json!(goal), 1));
    let mut events = list(&one, "events").to_vec();
    events.reverse();
    for event in &mut events {
        event.as_object_mut().unwrap().remove("duration");
    }
    assert_eq!(events, printed);
    let responses = env.debug(&format!("/api/events?goalId={goal}&type=llm.response"));
    assert_eq!(list(&responses, "events").len(), 3);
    assert!(list(&responses, "events").iter().all(|event| event["duration"].is_u64()), "{responses}");
    let words = env.debug("/api/events?q=%E4%BB%BD%E6%8A%A5%20tool.invoke"); // 份报
    assert_eq!(list(&words, "events").len(), 1, "{words}");

    let metrics = env.debug("/api/metrics");
    let all = list(&metrics, "metrics").iter().chain([&metrics["current"]]);
    let sum =
        |of: &str| all.clone().map(|one| one["data"].pointer(of).unwrap().as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("/goalStats/created"), sum("/goalStats/completed"), sum("/toolInvocations")), (1, 1, 3));
    assert_eq!(Some(sum("/llmTokens/total")), shown["spent_tokens"].as_u64());

    let timeline = env.debug(&format!("/api/replay/{goal}/timeline"));
    assert_eq!((&timeline["goalId"], list(&timeline, "llmCallSpans").len()), (&json!(goal), 3));
    assert!(
        list(&timeline, "llmCallSpans")
            .iter()
            .all(|span| span["endTime"].is_u64() && span["tokens"].is_u64())
    );
    assert_eq!(list(&timeline, "errorMarkers").len(), 0, "{timeline}");
    assert!(list(&timeline, "phaseBoundaries").len() > 2, "{timeline}");
    // A trace may be deleted: then what the history knows of the calls is told.
    for file in ["trace.db", "trace.db-wal", "trace.db-shm"] {
        let _ = std::fs::remove_file(env.home().join(file)); // Not all of them are there.
    }
    let without = env.debug(&format!("/api/replay/{goal}/timeline"));
    assert_eq!(list(&without, "llmCallSpans").len(), 3, "{without}");
}

#[test]
fn a_goal_is_folded_to_any_moment_of_its_history() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", TWO);
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    let history = env.debug(&format!("/api/replay/{goal}/events?limit=1000"));
    let events = list(&history, "events");
    assert_eq!(history["total"].as_u64(), Some(events.len() as u64));
    let watched = env.events(&goal);
    let cursors = |events: &[Value]| events.iter().map(|event| event["cursor"].clone()).collect::<Vec<_>>();
    assert_eq!(cursors(events), cursors(&watched), "ids, order and places are those of everybody");

    // At the end the fold is what the rows are.
    let last = events.last().unwrap();
    let at = |cursor: &Value| env.json(["goal", "show", &goal, "--json", "--at", cursor.as_str().unwrap()]);
    assert_eq!(at(&last["cursor"]), env.show(&goal));
    let end = env.debug(&format!("/api/replay/{goal}/state/{}", last["timestamp"]));
    assert_eq!(end["state"]["goal"], env.debug(&format!("/api/goals/{goal}"))["goal"]["data"]);
    assert_eq!(end["eventsReplayed"].as_u64(), Some(events.len() as u64));
    // In the middle the first item was done and the second was not; it differs event by event.
    let first_done = events.iter().position(|event| event["type"] == "workitem.completed").unwrap();
    let middle = at(&events[first_done]["cursor"]);
    let statuses = |told: &Value| {
        let items = told["items"].as_array().unwrap().iter();
        items.map(|item| item["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&middle), ["done", "queued"]);
    let diff = env.debug(&format!("/api/replay/{goal}/diff/{}", events[first_done]["id"].as_str().unwrap()));
    let item = middle["items"][0]["id"].as_str().unwrap();
    let change =
        json!({"path": format!("workItems.{item}.status"), "oldValue": "verify", "newValue": "done"});
    assert!(list(&diff, "changes").contains(&change), "{diff}");
    let mut seen = Vec::new();
    for event in events {
        let (status, told) =
            env.ask_debug(&format!("/api/replay/{goal}/state/{}", event["cursor"].as_str().unwrap()));
        assert_eq!((status, &told["seq"]), (200, &event["seq"]));
        seen.push(told["state"]["goal"]["status"].as_str().unwrap().to_owned());
    }
    seen.dedup();
    assert_eq!(seen, ["queued", "active", "completed"]);
    // By time, and before there was anything.
    let created = watched[0]["at"].as_u64().unwrap();
    let before = env.pb(["goal", "show", &goal, "--at", &(created - 1).to_string()]);
    assert_eq!(before.exit, Some(66), "{before}");
    assert!(before.stderr.contains("made after that moment"), "{before}");
    let wrong = env.pb(["goal", "show", &goal, "--at", "昨天"]);
    assert_eq!(wrong.exit, Some(64), "{wrong}");
    assert_eq!(env.ask_debug(&format!("/api/replay/{goal}/state/yesterday")).0, 400);
}

#[test]
fn lists_of_items_and_runs_are_pages() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", TWO);
    let goals = [env.detach(&["goal.toml"]), env.detach(&["goal.toml"])];
    for goal in &goals {
        assert_eq!(env.watch(goal), Some(0));
    }
    for (route, key) in [("workitems", "workItems"), ("runs", "runs")] {
        let all = env.debug(&format!("/api/{route}"));
        let ids = |page: &Value| list(page, key).iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        assert_eq!((ids(&all).len(), &all["total"], &all["nextCursor"]), (4, &json!(4), &Value::Null));
        let skipped = env.debug(&format!("/api/{route}?limit=2&offset=1"));
        assert_eq!((ids(&skipped), &skipped["total"]), (ids(&all)[1..3].to_vec(), &json!(4)));
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = env.debug(&format!("/api/{route}?limit=1{cursor}"));
            seen.extend(ids(&page));
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ids(&all), "{route}: each once, in order");
        assert_eq!(env.ask_debug(&format!("/api/{route}?cursor=p1.goal.x")).0, 400);
    }
    let latest = env.debug("/api/runs?limit=1");
    let started = |run: &Value| run["data"]["created_at"].as_u64().unwrap();
    assert!(
        list(&env.debug("/api/runs"), "runs").iter().all(|run| started(run) <= started(&latest["runs"][0]))
    );
}

#[test]
fn a_port_that_is_taken_is_told_by_status_and_the_gateway_goes_on() {
    let mut env = TestEnv::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    env.variables.push(("PB_DEBUG_PORT", port.clone()));
    env.start_daemons();
    let status = env.pb(["status"]);
    assert_eq!(status.exit, Some(0), "{status}");
    let holder = format!("is taken by the process {}", std::process::id());
    assert!(status.raw_stdout.contains(&holder), "{}", status.raw_stdout);
    let told = env.json(["status", "--json"]);
    assert!(told["gateway"]["debug"].is_null(), "{told}");
    drop(taken);
    assert_eq!(env.pb(["gateway", "restart"]).exit, Some(0));
    assert_eq!(env.debug("/api/health")["status"], "ok");
    assert!(env.debug_address().ends_with(&port), "the flag says where");
}

#[test]
fn a_call_that_is_under_way_is_told_as_such() {
    let scripted = Scripted::saying([worker([shell("touch done"), finish("好了").hold("end")])]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("等", ""));
    let goal = env.detach(&["goal.toml"]);
    scripted.model.wait_until_held("end").unwrap();
    let spans = wait_until("the call is in the trace", || {
        let timeline = env.debug(&format!("/api/replay/{goal}/timeline"));
        let spans = list(&timeline, "llmCallSpans").to_vec();
        (spans.len() == 2).then_some(spans)
    });
    assert!(spans[0]["endTime"].is_u64() && spans[1]["endTime"].is_null(), "{spans:?}");
    let now = env.debug(&format!("/api/replay/{goal}/state/99999999999999"));
    let calls = list(&now["state"]["llmContext"], "activeRequests");
    assert_eq!((calls.len(), &calls[0]["model"]), (1, &json!("scripted/scripted")));
    assert_eq!(now["state"]["llmContext"]["totalTokens"], json!({"input": 700, "output": 30}));
    scripted.model.release("end");
    assert_eq!(env.watch(&goal), Some(0));
    let now = env.debug(&format!("/api/replay/{goal}/state/99999999999999"));
    assert_eq!(now["state"]["llmContext"]["activeRequests"], json!([]));
}
