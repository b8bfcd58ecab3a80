//! A model that goes nowhere: told so, left without its tool, replaced, and in the end a person is asked.

use insta::assert_snapshot;
use pb_testkit::model_server::{ModelServer, Reply, Script, Wire};
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::model::{Scripted, agent_file, finish, provider, said, worker, write};

/// It looks at the same folder once more.
fn look() -> Reply {
    Reply::call("list_dir", json!({"path": "."})).usage(500, 20)
}

/// What a request offers to call.
fn offered(body: &Value) -> Vec<&str> {
    body["tools"].as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect()
}

#[test]
fn the_ladder_is_climbed_rung_by_rung() {
    let env = TestEnv::new();
    let model = ModelServer::start(Script::conversations([worker([look()]).repeat_last()])).unwrap();
    let provider = provider("scripted", Wire::OpenAi, &model);
    env.configure(&format!("{provider}\n[models]\nmedium = [\"scripted/one\", \"scripted/two\"]\n"));
    env.start_daemons();
    env.write("goal.toml", &agent_file("在原地打转", "max_retries = 0"));

    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(2), "{ran}");
    assert_snapshot!("guards_ladder", ran);

    let requests = model.requests();
    let asked: Vec<&str> = requests.iter().map(|one| one.body["model"].as_str().unwrap()).collect();
    assert_eq!(asked, [["one"; 9].as_slice(), &["two"; 3]].concat());
    let has_tool: Vec<bool> = requests.iter().map(|one| offered(&one.body).contains(&"list_dir")).collect();
    assert_eq!(has_tool, [[true; 6], [false; 6]].concat());
    let told = [
        (3, "This leads nowhere: you made the same call 3 times in a row"),
        (6, "The tool `list_dir` is not there any more."),
        (9, "You take over: the model before you made the same call"),
    ];
    for (place, words) in told {
        let with = requests.iter().position(|one| said(one).contains(words));
        assert_eq!(with, Some(place), "{words}");
    }
    let rungs: Vec<String> = env
        .events(&env.only_goal())
        .iter()
        .filter(|event| event["event"] == "guard.tripped")
        .map(|event| format!("{} {}", event["data"]["guard"], event["data"]["rung"]))
        .collect();
    assert_snapshot!(rungs.join("\n"), @r#"
    "repetition" "nudge"
    "repetition" "drop_tool"
    "repetition" "other_model"
    "repetition" "escalate"
    "#);
    assert_snapshot!("guards_question", env.pb(["goal", "show", &env.only_goal()]).stdout);
}

#[test]
fn a_model_that_finds_its_way_after_a_nudge_goes_on() {
    let scripted = Scripted::saying([worker([look(), look(), look(), write("done", "x"), finish("完成了")])]);
    scripted.env.write("goal.toml", &agent_file("找到路", ""));
    let ran = scripted.env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(scripted.request(3).contains("This leads nowhere"), "{}", scripted.request(3));
    assert!(ran.stderr.contains("guard: it made the same call 3 times"), "{ran}");
}
