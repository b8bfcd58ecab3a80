//! `pb models`, and what is said when there is no model.

use insta::assert_snapshot;
use pb_testkit::model_server::{Fault, ModelServer, Reply, Script, Wire};
use serde_json::json;

use crate::env::TestEnv;
use crate::model::{WIRES, provider};

/// A home whose settings name a model on each wire, one of them with a price.
fn configured() -> (TestEnv, ModelServer) {
    let server = ModelServer::start(Script::of([Reply::text("Hello, 小马!").usage(12, 5)])).unwrap();
    let env = TestEnv::new();
    let providers = WIRES.map(|(wire, kind)| provider(&format!("my-{kind}"), wire, &server));
    env.configure(&format!(
        "{}\n[models]\nsimple = \"my-openai/small\"\nmedium = [\"my-anthropic/通用\", \"my-openai/small\"]\n\
         complex = \"anthropic/any-model\"\n\
         [prices.\"my-openai/small\"]\ninput = 0.25\noutput = 2\n",
        providers.concat()
    ));
    (env, server)
}

#[test]
fn models_are_listed_with_what_they_are_for_and_what_they_cost() {
    let (env, server) = configured();
    assert_snapshot!("models_list", env.pb(["models", "list"]));
    let list = env.json(["models", "list", "--json"]);
    assert_eq!(
        list["models"][0],
        json!({
            "name": "my-openai/small",
            "tiers": ["simple", "medium"],
            "price": {"input": 0.25, "output": 2.0},
            "contextTokens": 128_000,
            "source": "config",
            "key": null,
            "keyIsMissing": false,
        })
    );
    assert_eq!(list["models"].as_array().unwrap().len(), 3, "{list}");
    assert_eq!(server.requests().len(), 0, "nobody is asked");
    assert_eq!(env.processes().len(), 0, "nothing is started for it");
}

#[test]
fn a_test_asks_a_model_and_tells_what_that_took() {
    let (env, server) = configured();
    assert_snapshot!("models_test", env.pb(["models", "test"]));
    assert_snapshot!("models_test_priced", env.pb(["models", "test", "small"]));
    let told = env.json(["models", "test", "my-gemini/any", "--json"]);
    let expect = (&json!("my-gemini/any"), &json!("Hello, 小马!"), &json!(12), &json!(5));
    assert_eq!((&told["model"], &told["text"], &told["inputTokens"], &told["outputTokens"]), expect);
    let wires: Vec<Wire> = server.requests().iter().map(|request| request.wire).collect();
    assert_eq!(wires, [Wire::Anthropic, Wire::OpenAi, Wire::Gemini]);
    assert_snapshot!("models_test_unknown", env.pb(["models", "test", "my-openai"]));
    assert_snapshot!("models_test_without_key", env.pb(["models", "test", "anthropic/any-model"]));
}

#[test]
fn a_test_of_a_model_that_does_not_answer_says_why() {
    let (env, server) = configured();
    server.set_script(Script::of([Reply::broken(Fault::status(503))]));
    assert_snapshot!("models_test_overloaded", env.pb(["models", "test"]));
    drop(server);
    let ran = env.pb(["models", "test"]);
    assert_eq!(ran.exit, Some(69), "{ran}");
}

#[test]
fn without_any_model_nothing_is_started_or_stored_and_three_lines_help() {
    let env = TestEnv::new();
    let ran = env.pb(["run", "Create a file hello.txt containing Hello"]);
    assert_snapshot!("no_model", ran);
    assert_snapshot!("no_model_work_create", env.pb(["work", "create", "Create a file"]));
    env.write("goal.toml", &crate::model::agent_file("Needs a model", ""));
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(78));
    assert_snapshot!("no_model_list", env.pb(["models", "list"]));
    assert_snapshot!("no_model_test", env.pb(["models", "test"]));
    for name in ["state.db", "gateway.db"] {
        assert!(!env.home().join(name).exists(), "{name}");
    }
    assert_eq!(env.processes().len(), 0, "nothing runs");
    // Daemons that run change nothing of that.
    env.start_daemons();
    let again = env.pb(["run", "Create a file hello.txt containing Hello"]);
    assert_eq!(again.to_string(), ran.to_string());
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
}

#[test]
fn settings_that_make_no_sense_are_told_before_anything_is_stored() {
    let env = TestEnv::new();
    env.configure("[models]\nmedium = \"nowhere/model\"\n");
    assert_snapshot!("models_nowhere", env.pb(["run", "Create a file"]));
    env.configure("[models]\nsilence_limit_s = 0\n");
    assert_snapshot!("models_silence_zero", env.pb(["run", "Create a file"]));
    assert!(!env.home().join("state.db").exists());
    assert_eq!(env.processes().len(), 0, "nothing runs");
}
