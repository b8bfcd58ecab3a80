//! A goal that can be read in more than one way: asked once, answered at any time, or assumed.

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, Reply};
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, plan, planner, said};

/// It asks two questions.
fn ask() -> Reply {
    Reply::call(
        "ask_person",
        json!({"questions": [
            {"id": "format", "question": "报告要什么格式？", "why": "it decides which tool is used",
             "options": ["txt", "md"], "default": "txt"},
            {"id": "depth", "question": "How long may it be?", "default": "one line"},
        ]}),
    )
    .usage(1000, 100)
}

/// A plan of one command, which needs no model, with what it takes for granted.
fn report() -> Reply {
    let items = json!([{
        "id": "write", "kind": "command", "argv": ["sh", "-c", "echo 报告 > report"], "effect": "idempotent",
        "gates": [{"kind": "file_contains", "path": "report", "text": "报告"}],
    }]);
    Reply::call(
        "submit_plan",
        json!({"items": items, "assumptions": ["the report is in Chinese"], "criteria": ["report says 报告"]}),
    )
}

fn only_question(env: &TestEnv) -> Value {
    let told = env.json(["inbox", "--json"]);
    assert_eq!(told["total"], 1, "{told}");
    told["escalations"][0].clone()
}

fn talks(replies: impl IntoIterator<Item = Reply>) -> [Conversation; 1] {
    [planner(replies)]
}

#[test]
fn an_ambiguous_goal_is_asked_and_answered_after_both_processes_were_killed() {
    let scripted = Scripted::saying(talks([ask(), report()]));
    let env = &scripted.env;
    let ran = env.pb(["run", "写一份报告"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("asking_run", ran);
    let asked = only_question(env);
    assert_eq!(
        (&asked["escalation_type"], &asked["context_data"]["questions"][1]["defaultValue"]),
        (&json!("clarification"), &json!("one line"))
    );
    let goal = env.only_goal();
    assert_eq!(env.show(&goal)["phase"], "elaboration");

    for daemon in ["gateway", "scheduler"] {
        env.kill9(daemon);
    }
    env.start_daemons();
    assert_eq!(only_question(env)["id"], asked["id"], "the same question");
    let id = asked["id"].as_str().unwrap();
    assert_snapshot!("asking_wrong_name", env.pb(["inbox", "answer", id, "--set", "colour=red"]));
    assert_snapshot!("asking_no_words", env.pb(["inbox", "answer", id, "user_input"]));
    assert_snapshot!(
        "asking_answered",
        env.pb(["inbox", "answer", id, "--set", "format=md", "--text", "写短点"])
    );
    wait_until("it goes on", || (env.show(&goal)["status"] == "completed").then_some(()));

    // The conversation went on where it was: nothing was asked of the model twice.
    assert_eq!(scripted.turns(), [0, 1]);
    let answered = scripted.request(1);
    assert!(answered.contains("format: md\ndepth: one line (nobody answered; assume this)"), "{answered}");
    assert!(answered.contains("in their words: 写短点"), "{answered}");
    let told = env.show(&goal);
    assert_eq!(told["verdict"], "verified");
    assert_eq!(told["assumptions"], json!(["How long may it be? one line", "the report is in Chinese"]));
    assert_eq!(told["success_criteria"][0]["description"], "report says 报告");
}

#[test]
fn what_nobody_answers_in_time_is_assumed_also_while_no_scheduler_runs() {
    let scripted = Scripted::saying(talks([ask(), report()]));
    let env = &scripted.env;
    env.write("goal.toml", "title = \"写一份报告\"\nanswer_within = \"1s\"\n");
    let goal = env.detach(&["goal.toml"]);
    wait_until("it asks", || (!env.show(&goal)["escalations"].as_array().unwrap().is_empty()).then_some(()));
    env.kill9("scheduler");
    env.start_daemon("scheduler");
    wait_until("it goes on by itself", || (env.show(&goal)["status"] == "completed").then_some(()));
    let told = env.show(&goal);
    let asked = &told["escalations"][0];
    assert_eq!(
        (&asked["resolution_action"], &asked["resolved_by"], &asked["resolution_data"]["expired"]),
        (&json!("skip"), &json!("nobody, in time"), &json!(true))
    );
    assert_eq!(told["assumptions"][0], "报告要什么格式？ txt");
    assert!(scripted.request(1).contains("format: txt (nobody answered; assume this)"));
}

#[test]
fn a_goal_that_asks_nothing_offers_no_way_to() {
    let scripted = Scripted::saying(talks([ask(), report()]));
    let ran = scripted.env.pb(["run", "--ask", "never", "写一份报告"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let first = &scripted.model.requests()[0];
    assert!(!first.body.to_string().contains("ask_person"), "{}", first.body);
    assert!(said(first).contains("Nobody can be asked"));
    assert!(
        scripted.request(1).contains("there is no tool `ask_person`")
            || scripted.request(1).contains("not allowed")
    );
}

#[test]
fn more_questions_than_are_allowed_are_not_asked() {
    let scripted = Scripted::saying(talks([ask(), report()]));
    scripted.env.write("goal.toml", "title = \"写一份报告\"\nmax_questions = 1\n");
    let ran = scripted.env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(scripted.request(1).contains("2 questions, at most 1 may be asked"));
}

#[test]
fn a_plan_waits_for_a_yes_and_is_made_another_way_before() {
    let items = |name: &str| {
        json!([{
            "id": name, "title": format!("做 {name}"), "kind": "command", "effect": "idempotent",
            "argv": ["sh", "-c", format!("echo x >> witness-{name}")],
            "gates": [{"kind": "file_exists", "path": format!("witness-{name}")}],
        }])
    };
    let again = Conversation::new(
        pb_testkit::model_server::When::contains("Another plan is needed"),
        [plan(&items("small"))],
    );
    let scripted = Scripted::saying([again, planner([plan(&items("large"))])]);
    let env = &scripted.env;
    let ran = env.pb(["run", "--approve-plan", "--workspace", "out", "做点什么"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("asking_plan", ran);
    let asked = only_question(env);
    let id = asked["id"].as_str().unwrap();
    let another = ["inbox", "answer", id, "alternative_approach", "--text", "小一点"];
    assert_eq!(env.pb(another).exit, Some(0));
    wait_until("there is another plan", || {
        let told = env.json(["inbox", "--json"]);
        (told["escalations"][0]["id"].as_str().is_some_and(|other| other != id)).then_some(())
    });
    assert!(scripted.request(1).contains("小一点"), "{}", scripted.request(1));
    let goal = env.only_goal();
    assert_eq!(env.pb(["goal", "resume", &goal, "--answer", "approve"]).exit, Some(0));
    assert_eq!(env.watch(&goal), Some(0));
    let told = env.show(&goal);
    let stands: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|item| (&item["key"], &item["status"])).collect();
    assert_eq!(json!(stands), json!([["large", "skipped"], ["small", "done"]]));
    assert_eq!(
        (env.file("out/witness-large").exists(), env.file("out/witness-small").exists()),
        (false, true)
    );
}
