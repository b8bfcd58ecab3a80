//! Evaluation: the evidence as feedback, another model, another plan, and at last a person.

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, ModelServer, Script, When, Wire};
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::machine::item;
use crate::model::{Scripted, agent_file, finish, plan, planner, provider, worker, write};

/// A command that leaves a witness each time it runs, and its gate.
fn command(id: &str, line: &str) -> Value {
    json!({
        "id": id, "kind": "command", "effect": "unsafe",
        "argv": ["sh", "-c", format!("mkdir -p witness; echo x >> witness/{id}; {line}")],
        "gates": [{"kind": "file_exists", "path": format!("{id}.out")}],
    })
}

#[test]
fn another_plan_keeps_verified_items() {
    let first = json!([
        command("first", "touch first.out"),
        { "needs": ["first"], "id": "wrong", "kind": "command", "effect": "unsafe",
          "argv": ["sh", "-c", "echo 方法不对; exit 3"], "gates": [{"kind": "file_exists", "path": "x"}] },
    ]);
    let mut right = command("right", "touch right.out");
    right["needs"] = json!(["first"]);
    let again = Conversation::new(When::contains("Another plan is needed"), [plan(&json!([right]))]);
    let scripted = Scripted::saying([again, planner([plan(&first)])]);
    let env = &scripted.env;
    let ran = env.pb(["run", "--workspace", "out", "把它做对"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_snapshot!("replanned", ran);
    assert_eq!(env.witnesses("out", ["first", "right"]), [1, 1], "what was verified is not done again");
    let told = env.show(&env.only_goal());
    let status = |key: &str| item(&told, key)["status"].clone();
    assert_eq!(
        (status("first"), status("wrong"), status("right"), &told["verdict"]),
        (json!("done"), json!("skipped"), json!("done"), &json!("verified"))
    );
    let asked = scripted.request(1);
    assert!(asked.contains("- first (first): done") && asked.contains("exited with 3"), "{asked}");
    let events = env.events(&env.only_goal());
    let decided: Vec<&Value> = events.iter().filter(|event| event["event"] == "evaluation.decided").collect();
    assert_eq!(decided.len(), 1);
    assert_eq!(decided[0]["data"]["decision"], "replan");
}

#[test]
fn an_item_that_no_plan_leads_to_is_handed_to_a_person() {
    let wrong = |id: &str| {
        json!([{ "id": id, "kind": "command", "effect": "unsafe", "argv": ["false"],
                 "gates": [{"kind": "file_exists", "path": "x"}] }])
    };
    let third = Conversation::new(When::contains("item `two` cannot be done"), [plan(&wrong("three"))]);
    let second = Conversation::new(When::contains("item `one` cannot be done"), [plan(&wrong("two"))]);
    let scripted = Scripted::saying([third, second, planner([plan(&wrong("one"))])]);
    let ran = scripted.env.pb(["run", "--workspace", "out", "做不到的事"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("replanned_in_vain", ran);
}

#[test]
fn another_model_is_asked_after_repeated_gate_failures() {
    let env = TestEnv::new();
    let model = ModelServer::start(Script::conversations([
        Conversation::new(When::contains("This is attempt 3"), [write("done", "x"), finish("好了")]),
        worker([finish("done, I promise")]),
    ]))
    .unwrap();
    let provider = provider("scripted", Wire::OpenAi, &model);
    env.configure(&format!("{provider}\n[models]\nmedium = [\"scripted/one\", \"scripted/two\"]\n"));
    env.start_daemons();
    env.write("goal.toml", &agent_file("换一个模型", ""));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let requests = model.requests();
    let asked: Vec<&str> = requests.iter().map(|one| one.body["model"].as_str().unwrap()).collect();
    assert_eq!(asked, ["one", "one", "two", "two"]);
    let events = env.events(&env.only_goal());
    let decided = events.iter().filter(|event| event["event"] == "evaluation.decided");
    let decided: Vec<String> =
        decided.map(|event| format!("{} {}", event["data"]["decision"], event["data"]["reason"])).collect();
    assert_snapshot!(decided.join("\n"), @r#"
    "retry" "attempt 1 of 4: gate \"done exists\": done does not exist"
    "switch_model" "scripted/one failed at the gates again, so another model is asked: gate \"done exists\": done does not exist"
    "#);
}
