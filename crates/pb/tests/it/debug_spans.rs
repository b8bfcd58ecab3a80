//! The debug events of whole goals: each stands in its place in the tree of spans, with what it came to.

use std::collections::BTreeMap;
use std::fmt::Write;

use pb_testkit::model_server::{Fault, Reply, Wire};
use serde_json::{Value, json};

use crate::debug::{assert_spans, named};
use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, agent_file, finish, plan, planner, worker, write};

/// A key of this shape is nobody's.
const KEY: &str = "sk-proj-0123456789abcdefghijklmnop";

/// Spans in the order in which they began, each with its events below the one that it is part of.
fn tree(events: &[Value]) -> String {
    let mut spans: Vec<(Option<&str>, &str, Vec<String>)> = Vec::new();
    for event in events {
        let (parent, span) = (event["parentSpanId"].as_str(), event["spanId"].as_str().unwrap());
        let told = event["type"].as_str().unwrap().to_owned();
        match spans.iter_mut().find(|(_, known, _)| *known == span) {
            Some((_, _, all)) => all.push(told),
            None => spans.push((parent, span, vec![told])),
        }
    }
    let mut text = String::new();
    below(None, 0, &spans, &mut text);
    text
}

fn below(of: Option<&str>, depth: usize, spans: &[(Option<&str>, &str, Vec<String>)], text: &mut String) {
    for (parent, span, told) in spans {
        if *parent == of {
            writeln!(text, "{}{}", "  ".repeat(depth), told.join(", ")).unwrap();
            below(Some(span), depth + 1, spans, text);
        }
    }
}

/// Every event that ends something says how long that took.
fn assert_durations(events: &[Value]) {
    let ends = [
        "phase.ended",
        "gate.ended",
        "scheduler.run.completed",
        "scheduler.goal.completed",
        "llm.response",
        "llm.error",
        "tool.result",
        "tool.error",
        "budget.settled",
        "lock.wait.ended",
        "escalation.resolved",
    ];
    for event in events.iter().filter(|event| ends.contains(&event["type"].as_str().unwrap())) {
        assert!(event["data"]["durationMs"].is_u64(), "{event}");
    }
}

#[test]
fn a_planned_goal_is_a_tree_of_spans() {
    let item = json!([{
        "id": "work", "kind": "agent", "prompt": "写", "gates": [{"kind": "file_exists", "path": "done"}],
    }]);
    // The first try is answered by nobody.
    let stumbles =
        worker([]).turn([Reply::broken(Fault::status(500)), write("done", "好")]).turn([finish("好了")]);
    let scripted = Scripted::saying([planner([plan(&item)]), stumbles]);
    let env = &scripted.env;
    let goal = env.detach(&["写文件"]);
    assert_eq!(env.watch(&goal), Some(0));
    let events = env.debug_events_to_the_end(&goal);
    assert_spans(&events);
    assert_durations(&events);
    insta::assert_snapshot!(tree(&events), @"
    scheduler.goal.submitted, scheduler.workitem.created, scheduler.goal.planned, scheduler.goal.started, state.transition, scheduler.goal.completed, state.transition
      phase.started, phase.ended
      scheduler.run.started, scheduler.run.completed, state.transition
        budget.reserved, llm.tier.request, budget.settled
          llm.model.attempt, llm.request, llm.response, llm.tokens, llm.model.success
        tool.invoke, tool.result
      phase.started, phase.ended
      phase.started, phase.ended, phase.started, phase.ended
      scheduler.workitem.starting, scheduler.workitem.assigned, state.transition, scheduler.run.started, scheduler.verification.started, state.transition, scheduler.verification.completed, scheduler.run.completed, state.transition, scheduler.workitem.success, state.transition
        budget.reserved, llm.tier.request, budget.settled, llm.retry
          llm.model.attempt, llm.request, llm.error, llm.model.failed
        budget.reserved, llm.tier.request, budget.settled
          llm.model.attempt, llm.request, llm.response, llm.tokens, llm.model.success
        tool.invoke, policy.decided, tool.result
        budget.reserved, llm.tier.request, budget.settled
          llm.model.attempt, llm.request, llm.response, llm.tokens, llm.model.success
        tool.invoke, policy.decided, tool.result
        gate.started, gate.ended
      phase.started, phase.ended
      phase.started, phase.ended
      phase.started, phase.ended
    ");

    let response = named(&events, "llm.response")[0];
    assert!(response["data"]["timeToFirstTokenMs"].is_u64(), "{response}");
    let request = &named(&events, "llm.request")[0]["data"];
    assert_eq!(request["gen_ai.request.model"], "scripted/scripted");
    let messages = request["gen_ai.input.messages"].as_array().unwrap();
    assert_eq!(messages[0]["role"], "system", "{messages:?}");
    let gate = &named(&events, "gate.ended")[0]["data"];
    assert_eq!((&gate["passed"], &gate["kind"]), (&json!(true), &json!("file_exists")));
    assert!(gate["workspaceDigest"].is_string(), "{gate}");
    let shown = env.pb(["debug", "events", "--goal", &goal, "--limit", "1000"]).raw_stdout;
    // What a tool is called with is JSON; everything else has words.
    let lines: Vec<&str> = shown.lines().filter(|line| !line.contains("  tool.invoke  ")).collect();
    assert!(lines.len() > 60 && !lines.iter().any(|line| line.contains("\":")), "{shown}");
}

/// Goals that wait for each other's folder, and for a place in the lane.
#[test]
fn waits_and_commits_are_told_with_how_long_they_took() {
    let env = TestEnv::new();
    env.configure("[lanes]\nmain = 1\n");
    env.start_daemons();
    let file = |folder: &str, line: &str| {
        format!(
            "title = 't'\nworkspace = '{folder}'\n[[items]]\nid = 'a'\nkind = 'command'\neffect = 'idempotent'\n\
             argv = ['sh', '-c', '{line}; touch done']\ngates = [{{ kind = 'file_exists', path = 'done' }}]\n"
        )
    };
    let waits = "until [ -e go ]; do sleep 0.01; done";
    env.write("first.toml", &file("one", waits));
    env.write("second.toml", &file("one", "true"));
    env.write("third.toml", &file("two", "true"));
    let goals = ["first.toml", "second.toml", "third.toml"].map(|file| env.detach(&[file]));
    let behind = env.debug_events_until(&goals[1], "lock.wait.started");
    assert_eq!(named(&behind, "lock.wait.started")[0]["data"]["behind"], goals[0]);
    env.debug_events_until(&goals[2], "scheduler.goal.started");
    env.write("one/go", "");
    for goal in &goals {
        assert_eq!(env.watch(goal), Some(0));
    }
    let events = env.debug_events_to_the_end(&goals[1]);
    assert_spans(&events);
    assert_durations(&events);
    assert_eq!(named(&events, "lock.wait.ended").len(), 1);
    let third = env.debug_events_to_the_end(&goals[2]);
    assert_eq!(named(&third, "lane.waited")[0]["data"]["laneId"], "main");
    let commits = wait_until("the commits are told", || {
        let events = env.debug_events(&["--type", "store"]);
        (!events.is_empty()).then_some(events)
    });
    let commits = &commits[0]["data"];
    assert!(commits["count"].as_u64() > Some(1) && commits["durationUsP50"].as_u64() > Some(0), "{commits}");
}

#[test]
fn what_is_kept_of_the_words_of_others_is_set_and_shown() {
    for content in ["off", "redacted", "full"] {
        let long = format!("{} 天", "春".repeat(5000));
        let turns = [write("key.txt", &format!("短 {KEY}")), write("done", &long), finish("好了")];
        let settings = format!("\n[trace]\ncontent = \"{content}\"\n");
        let scripted = Scripted::on(Wire::OpenAi, &settings, [worker(turns)]);
        let env = &scripted.env;
        let status: Value = serde_json::from_str(&env.pb(["status", "--json"]).raw_stdout).unwrap();
        assert_eq!(status["works_with"]["trace_content"], content);
        env.write("goal.toml", &agent_file("题目", ""));
        let goal = env.detach(&["goal.toml"]);
        assert_eq!(env.watch(&goal), Some(0));
        let events = env.debug_events_to_the_end(&goal);
        let all = json!(events).to_string();
        let held: BTreeMap<_, _> =
            [("题目", all.contains("题目")), ("短", all.contains("短")), ("天", all.contains('天'))].into();
        let expected: BTreeMap<_, _> =
            [("题目", content != "off"), ("短", content != "off"), ("天", content == "full")].into();
        assert_eq!(held, expected, "{content}");
        for file in ["trace.db", "trace.db-wal"] {
            let bytes = std::fs::read(env.home().join(file)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(&KEY[..12]), "{content}: {file}");
        }
    }
}
