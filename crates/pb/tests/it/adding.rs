//! Items that an agent adds to its goal while it works: done after it, in order, once, whatever is killed.

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, Reply, Script, When};
use serde_json::{Value, json};

use crate::agent_support::{Log, of_kind, with_model};
use crate::machine::{assert_gapless, item, json_lines};
use crate::model::{Scripted, finish, write};

/// An agent that looks what there is to do, and a command that needs it.
const GOAL: &str = r#"
title = "写一份报告"
workspace = "out"

[[items]]
id = "explore"
title = "看一看有哪些章节"
kind = "agent"
prompt = "Find out which chapters there are."
effect = "idempotent"
may_add_items = true
gates = [{ kind = "file_exists", path = "chapters" }]

[[items]]
id = "bind"
kind = "command"
needs = ["explore"]
argv = ["sh", "-ec", "mkdir -p witness; echo x >> witness/bind; cat 第一章.md count > book"]
gates = [{ kind = "file_exists", path = "book" }]
"#;

/// It adds a chapter, and a command that counts its lines and needs it.
fn adds() -> Reply {
    let chapter = json!({
        "id": "第一章", "title": "写第一章", "kind": "agent", "prompt": "You write chapter one.",
        "effect": "idempotent", "tools": ["write_file"], "gates": [{"kind": "file_exists", "path": "第一章.md"}],
    });
    let count = json!({
        "id": "count", "kind": "command", "needs": ["第一章"], "effect": "idempotent",
        "argv": ["sh", "-ec", "mkdir -p witness; echo x >> witness/count; wc -l < 第一章.md > count"],
        "gates": [{"kind": "file_contains", "path": "count", "regex": "^ *1$"}],
    });
    Reply::call("add_items", json!({ "items": [count, chapter] })).usage(800, 90)
}

fn explorer(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("add_items"), replies)
}

fn writer(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("finish"), replies)
}

#[test]
fn what_an_agent_adds_is_done_after_it_and_before_what_needs_it() {
    let wrong = json!({"id": "bind", "kind": "agent", "prompt": "Again.", "gates": []});
    let refused = Reply::call("add_items", json!({ "items": [wrong] })).usage(700, 60);
    let scripted = Scripted::saying([
        explorer([refused, adds(), write("chapters", "第一章\n"), finish("one chapter")]),
        writer([write("第一章.md", "从前\n"), finish("第一章写好了")]),
    ]);
    let env = &scripted.env;
    env.write("goal.toml", GOAL);
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_snapshot!("adding", ran);
    let goal = env.only_goal();
    let told = env.show(&goal);
    let of = |key: &str| item(&told, key).clone();
    let added_by = |key: &str| of(key)["added_by"].clone();
    assert_eq!(
        [added_by("第一章"), added_by("count")],
        [of("explore")["id"].clone(), of("explore")["id"].clone()]
    );
    assert_eq!(
        (of("第一章")["lane"].clone(), of("count")["lane"].clone()),
        (json!("subagent"), json!("main"))
    );
    assert_eq!(env.witnesses("out", ["count", "bind"]), [1, 1]);
    // What is refused is told, and what is taken; the chapter's writer sees what was found out.
    let refused = scripted.request(1);
    assert!(
        refused.contains("needs at least one gate") && refused.contains("has an item with this id"),
        "{refused}"
    );
    let chapter = scripted.request(4);
    assert!(chapter.contains("看一看有哪些章节: one chapter") && !chapter.contains("add_items"), "{chapter}");
    let plan = env.pb(["goal", "plan", &goal]).raw_stdout;
    assert!(
        plan.contains("may_add_items = true") && !plan.contains("第一章\""),
        "it may be added again: {plan}"
    );
    let report = env.pb(["goal", "report", &goal, "--md"]);
    assert!(report.raw_stdout.contains("(`count`, added by `explore`, command, 1 attempt)"), "{report}");
}

/// How far the model is let go before the scheduler is killed.
const STOPS: [&str; 4] = ["nothing is added", "it is added", "it is created", "half of it is done"];

#[test]
fn killed_around_its_commit_an_addition_is_made_once() {
    let held = |reply: Reply, stop: usize| reply.hold(STOPS[stop].to_owned());
    let (env, server) = with_model(Script::conversations([
        explorer([held(adds(), 0), held(write("chapters", "第一章\n"), 1), finish("one chapter")]),
        writer([held(write("第一章.md", "从前\n"), 2), held(finish("第一章写好了"), 3)]),
    ]));
    env.write("goal.toml", GOAL);
    let goal = env.detach(&["goal.toml"]);
    let log = Log::of(&env);
    for (stop, name) in STOPS.iter().enumerate() {
        server.wait_until_held(name).unwrap();
        let state = log.state(&goal).unwrap();
        let (coming, items) = (state.to_come().count(), state.items.len());
        let expected = [(0, 2), (2, 2), (0, 4), (0, 4)][stop];
        assert_eq!((coming, items), expected, "{name}");
        env.kill9("scheduler");
        env.start_daemon("scheduler");
        server.release(name);
    }
    let watched = env.pb(["goal", "watch", &goal, "--json"]);
    assert_eq!(watched.exit, Some(0), "{watched}");
    let events = json_lines(&watched.raw_stdout);
    assert_gapless(&events);
    let told = env.show(&goal);
    assert_eq!((&told["status"], &told["verdict"]), (&json!("completed"), &json!("verified")));
    let keys = |kind: &str| -> Vec<Value> {
        of_kind(&events, kind).iter().map(|event| event["data"]["workItem"]["key"].clone()).collect()
    };
    assert_eq!(keys("workitem.added"), ["explore"]);
    assert_eq!(keys("workitem.created"), ["explore", "bind", "count", "第一章"]);
    assert_eq!(keys("workitem.completed"), ["explore", "第一章", "count", "bind"]);
    assert_eq!(env.witnesses("out", ["count", "bind"]), [1, 1]);
}

#[test]
fn what_needs_a_yes_to_be_added_waits_for_it() {
    let approve = GOAL.replace("may_add_items = true", "may_add_items = true\napprove = [\"add_items\"]");
    let scripted = Scripted::saying([
        explorer([adds(), adds(), write("chapters", "第一章\n"), finish("one chapter")]),
        writer([write("第一章.md", "从前\n"), finish("第一章写好了")]),
    ]);
    let env = &scripted.env;
    env.write("goal.toml", &approve);
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    let goal = env.only_goal();
    let denied = env.pb(["goal", "resume", &goal, "--answer", "deny"]);
    assert_eq!((denied.exit, env.watch(&goal)), (Some(0), Some(2)), "{denied}");
    assert_eq!(Log::of(env).state(&goal).unwrap().to_come().count(), 0, "nobody said yes");
    let approved = env.pb(["goal", "resume", &goal, "--answer", "approve"]);
    assert_eq!((approved.exit, env.watch(&goal)), (Some(0), Some(0)), "{approved}");
    let told = env.show(&goal);
    assert_eq!((told["items"].as_array().unwrap().len(), &told["verdict"]), (4, &json!("verified")));
    assert!(scripted.request(1).contains("said no"));
}
