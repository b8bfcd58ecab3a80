//! Debug events, from where they happen to whoever looks: with their ids and times, across `kill -9`,
//! and at nobody's cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::env::{Running, TestEnv, wait_until};
use crate::machine::{item, json_lines};
use crate::model::{Scripted, agent_file, finish, shell, worker, write};

/// More than any test here has.
const ALL: &str = "100000";
/// The files of a trace.
const FILES: [&str; 3] = ["trace.db", "trace.db-wal", "trace.db-shm"];

/// An item that waits for the file `go`, so that a test says when it ends.
const WAITS: &str = r#"
title = "等一等"
workspace = "out"
[[items]]
id = "wait"
kind = "command"
argv = ["sh", "-c", "echo x >> began; until [ -e go ]; do sleep 0.01; done"]
effect = "idempotent"
gates = [{ kind = "file_exists", path = "go" }]
"#;

impl TestEnv {
    /// Every debug event of the trace that a filter shows.
    pub(crate) fn debug_events(&self, filter: &[&str]) -> Vec<Value> {
        let ran = self.pb(["debug", "events", "--json", "--limit", ALL].iter().chain(filter));
        assert_eq!(ran.exit, Some(0), "{ran}");
        json_lines(&ran.raw_stdout)
    }

    /// The debug events of a goal, once one of this name is among them.
    pub(crate) fn debug_events_until(&self, goal: &str, name: &str) -> Vec<Value> {
        wait_until(&format!("{name} is told"), || {
            let events = self.debug_events(&["--goal", goal]);
            events.iter().any(|event| event["type"] == name).then_some(events)
        })
    }

    /// The debug events of a goal that is over.
    pub(crate) fn debug_events_to_the_end(&self, goal: &str) -> Vec<Value> {
        wait_until("the goal's end is told", || {
            let events = self.debug_events(&["--goal", goal]);
            let ended = |event: &&Value| event["data"]["phase"] == "publish";
            named(&events, "phase.ended").iter().any(ended).then_some(events)
        })
    }

    fn delete(&self, names: &[&str]) {
        for name in names {
            let _ = fs::remove_file(self.home().join(name)); // Not all of them are there.
        }
    }
}

pub(crate) fn named<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["type"] == name).collect()
}

/// The transitions of one thing: from where to where.
fn transitions(events: &[Value], entity: &str) -> Vec<String> {
    let of = |event: &&&Value| event["data"]["entityType"] == entity;
    let way = |event: &Value| {
        let word = |name: &str| event["data"][name].as_str().unwrap().to_owned();
        format!("{} {}", word("from"), word("to"))
    };
    named(events, "state.transition").iter().filter(of).map(|event| way(event)).collect()
}

/// Each span is part of the one that the ids say, up to the goal's.
pub(crate) fn assert_spans(events: &[Value]) {
    let mut parents: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for event in events {
        let (span, parent) = (event["spanId"].as_str().unwrap(), event["parentSpanId"].as_str());
        assert_eq!(*parents.entry(span).or_insert(parent), parent, "{event}");
    }
    let roots: Vec<_> = parents.iter().filter(|(_, parent)| parent.is_none()).collect();
    assert_eq!(roots.len(), 1, "{parents:?}");
    for parent in parents.values().flatten() {
        assert!(parents.contains_key(parent), "{parent} is told by nobody: {parents:?}");
    }
}

#[test]
fn the_debug_events_of_a_goal_have_its_ids_and_times_and_outlive_everybody() {
    let turns = [write("测试.txt", "你好"), shell("touch done"), finish("好了")];
    let scripted = Scripted::saying([worker(turns)]);
    let env = &scripted.env;
    env.write("goal.toml", &agent_file("写文件", ""));
    let goal = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&goal), Some(0));
    let events = env.debug_events_to_the_end(&goal);
    let told = env.show(&goal);
    let (item, run) = (item(&told, "work")["id"].clone(), item(&told, "work")["runs"][0]["id"].clone());
    for event in &events {
        assert_eq!(event["goalId"], goal, "{event}");
        assert!(event["workItemId"].is_null() || event["workItemId"] == item, "{event}");
        assert!(event["runId"].is_null() || event["runId"] == run, "{event}");
        let (at, from) = (event["timestamp"].as_u64().unwrap(), told["created_at"].as_u64().unwrap());
        assert!((from..=told["updated_at"].as_u64().unwrap()).contains(&at), "{event}");
    }
    let ids: BTreeSet<_> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
    assert_spans(&events);

    let names = [
        ("scheduler.goal.submitted", 1),
        ("scheduler.workitem.starting", 1),
        ("scheduler.workitem.assigned", 1),
        ("scheduler.run.started", 1),
        ("llm.tier.request", 3),
        ("llm.model.attempt", 3),
        ("llm.request", 3),
        ("llm.response", 3),
        ("llm.tokens", 3),
        ("llm.model.success", 3),
        ("tool.invoke", 3),
        ("tool.result", 3),
        ("scheduler.verification.started", 1),
        ("scheduler.verification.completed", 1),
        ("scheduler.workitem.success", 1),
    ];
    for (name, count) in names {
        assert_eq!(named(&events, name).len(), count, "{name}");
    }
    assert_eq!(transitions(&events, "run"), ["running success"]);
    assert_eq!(named(&events, "scheduler.goal.submitted")[0]["data"]["title"], "写文件");
    assert_eq!(
        named(&events, "tool.invoke")[0]["data"]["args"],
        json!({"path": "测试.txt", "content": "你好"})
    );
    let tokens: Option<u64> =
        named(&events, "llm.tokens").iter().map(|event| event["data"]["totalTokens"].as_u64()).sum();
    assert_eq!(told["spent_tokens"].as_u64(), tokens);
    assert_eq!(env.debug_events(&["--goal", &goal, "--type", "llm.t"]), Vec::<Value>::new());
    assert_eq!(env.debug_events(&["--goal", &goal, "--type", "llm"]).len(), 18);

    for name in ["scheduler", "gateway"] {
        env.kill9(name);
    }
    assert_eq!(env.debug_events(&["--goal", &goal]), events, "nothing runs");
    env.start_daemons();
    assert_eq!(env.debug_events(&["--goal", &goal[5..]]), events);
    let lines =
        env.pb(["debug", "events", "--goal", &goal, "--limit", "2", "--type", "tool.invoke"]).raw_stdout;
    assert_eq!(lines.lines().filter(|line| line.contains("tool.invoke")).count(), 2, "{lines}");
    assert!(lines.contains("finish"), "{lines}");
}

/// What a following command has printed so far, in whole lines.
fn seen(following: &Running<'_>) -> Vec<Value> {
    let text = following.printed("stdout");
    json_lines(text.rsplit_once('\n').map_or("", |(whole, _)| whole))
}

#[test]
fn following_goes_on_from_its_cursor_over_killed_processes_without_gap_or_repeat() {
    let env = TestEnv::new();
    env.start_daemons();
    let following = env.spawn(["debug", "events", "--follow", "--json"]);
    // What is past is read from the file. What comes after that is told by the gateway, whose end is noticed then.
    wait_until("what is past is seen", || (!seen(&following).is_empty()).then_some(()));
    env.write("goal.toml", WAITS);
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/began", 1);
    wait_until("the call is seen", || (!named(&seen(&following), "tool.invoke").is_empty()).then_some(()));
    env.kill9("gateway");
    following.wait_for_note("connecting again");
    fs::write(env.file("out/go"), "").unwrap();
    env.debug_events_until(&goal, "scheduler.workitem.success");
    env.kill9("scheduler");
    env.start_daemons();
    assert_eq!(env.watch(&goal), Some(0));
    fs::remove_file(env.file("out/go")).unwrap();
    let second = env.detach(&["goal.toml"]);
    env.debug_events_until(&second, "tool.invoke");
    env.wait_lines("out/began", 2);
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    env.wait_lines("out/began", 3);
    fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(env.watch(&second), Some(0));
    let events = env.debug_events_to_the_end(&second);
    // It ran again, and said so.
    let continued = named(&events, "scheduler.run.continued");
    assert_eq!(continued.last().unwrap()["data"]["ranAgain"], true);
    assert_eq!(named(&events, "tool.invoke").len(), 2);
    assert_spans(&events);
    let pid = Pid::from_child(&following.child);
    let last = without_commits(env.debug_events(&[])).pop().unwrap();
    wait_until("the last one is seen", || seen(&following).contains(&last).then_some(()));
    kill_process(pid, Signal::INT).unwrap();
    let ran = following.wait();
    assert_eq!(ran.exit, Some(130), "{ran}");
    let seen = without_commits(json_lines(&ran.raw_stdout));
    assert_eq!(seen.len(), 3 + seen.iter().filter(|event| event["goalId"].is_string()).count());
    assert_eq!(seen, without_commits(env.debug_events(&[])), "each once, in order");
}

/// What is told each second comes at any time.
fn without_commits(mut events: Vec<Value>) -> Vec<Value> {
    events.retain(|event| event["type"] != "store.commits");
    events
}

/// Deletes these files while a goal runs, the gateway reads them and somebody follows.
fn delete_while_followed(env: &TestEnv, names: &[&str], round: usize) {
    let goal = env.detach(&["goal.toml"]);
    env.debug_events_until(&goal, "tool.invoke");
    env.wait_lines("out/began", round);
    let following = env.spawn(["debug", "events", "--follow", "--json", "--goal", &goal]);
    wait_until("the call is seen", || (!named(&seen(&following), "tool.invoke").is_empty()).then_some(()));
    env.delete(names);
    fs::write(env.file("out/go"), "").unwrap();
    assert_eq!(env.watch(&goal), Some(0));
    let events = env.debug_events_to_the_end(&goal);
    assert_eq!(named(&events, "scheduler.goal.submitted").len(), 0, "those are gone");
    assert_eq!(named(&events, "tool.result").len(), 1);
    wait_until("the end is seen", || seen(&following).ends_with(&events).then_some(()));
    following.wait_for_note("begins with the oldest event that is kept");
    kill_process(Pid::from_child(&following.child), Signal::INT).unwrap();
    assert_eq!(following.wait().exit, Some(130));
    fs::remove_file(env.file("out/go")).unwrap();
}

#[test]
fn a_trace_that_is_deleted_while_goals_run_hurts_nothing() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", WAITS);
    delete_while_followed(&env, &FILES, 1);
    // What lies beside a file that is gone is not part of the next one.
    delete_while_followed(&env, &FILES[..1], 2);
    // Whoever cannot be written to is no trouble either.
    env.delete(&FILES);
    fs::create_dir(env.home().join("trace.db")).unwrap();
    fs::write(env.file("out/go"), "").unwrap();
    let other = env.detach(&["goal.toml"]);
    assert_eq!(env.watch(&other), Some(0));
    let ran = env.pb(["debug", "events"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert_eq!(env.pb(["stop"]).exit, Some(0));
}

#[test]
fn without_a_trace_there_is_nothing_to_be_shown() {
    let env = TestEnv::new();
    insta::assert_snapshot!("debug_none", env.pb(["debug", "events"]));
    insta::assert_snapshot!("debug_follow_none", env.pb(["debug", "events", "--follow"]));
    env.start_daemons();
    wait_until("the start is told", || {
        (!env.debug_events(&["--type", "system.startup"]).is_empty()).then_some(())
    });
    insta::assert_snapshot!("debug_no_goal", env.pb(["debug", "events", "--goal", "ffff"]));
    insta::assert_snapshot!("debug_no_events", env.pb(["debug", "events", "--type", "tool"]));
}

#[test]
fn what_was_done_is_counted_for_who_asks_the_gateway() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("goal.toml", WAITS);
    let goal = env.detach(&["goal.toml"]);
    env.wait_lines("out/began", 1);
    let mut client = env.connect();
    let busy = client.call("debug.scheduler", &json!({}));
    assert_eq!((&busy["status"], &busy["activeGoals"]), (&json!("running"), &json!([goal])));
    assert_eq!(busy["metrics"]["currentActiveWorkItems"], 1);
    let state = &busy["goalStates"][0];
    let runs = client.call("debug.runs", &json!({"status": "running"}));
    assert_eq!((&state["status"], &state["currentRunId"]), (&json!("running"), &runs["runs"][0]["id"]));
    assert_eq!(state["currentWorkItemId"], runs["runs"][0]["work_item_id"]);
    assert_eq!(client.call("system.status", &json!({}))["scheduler"]["state"]["activeGoals"], 1);
    env.write("out/go", "");
    assert_eq!(env.watch(&goal), Some(0));

    // The trace is written behind what it tells of.
    let snapshot = wait_until("the trace is written", || {
        let snapshot = client.call("debug.snapshot", &json!({}));
        (snapshot["recentEvents"].as_array().unwrap().len() > 9).then_some(snapshot)
    });
    assert_eq!(snapshot["goals"], json!({"total": 1, "byStatus": {"completed": 1}}));
    assert_eq!(snapshot["workItems"], json!({"total": 1, "byStatus": {"done": 1}}));
    let metrics = &snapshot["scheduler"]["metrics"];
    let counted = ["totalGoalsProcessed", "totalWorkItemsCompleted", "totalRunsExecuted", "successRate"];
    assert!(counted.iter().all(|key| metrics[key].as_f64() == Some(1.0)), "{metrics}");
    assert!(metrics["averageWorkItemDurationMs"].as_f64() > Some(0.0), "{metrics}");
    let runs = client.call("debug.runs", &json!({}));
    assert_eq!((&runs["total"], &runs["runs"][0]["status"]), (&json!(1), &json!("success")));
    assert_eq!(runs["runs"][0]["gates"][0]["passed"], true, "{runs}");
    let status = client.call("system.status", &json!({}));
    assert_eq!(status["processes"]["scheduler"]["pid"], status["scheduler"]["pid"]);
    assert_eq!(status["scheduler"]["metrics"]["goalsProcessed"], 1);
}
