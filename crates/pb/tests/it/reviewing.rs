//! A model's review: of others' work, point by point, and never enough by itself.

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, ModelServer, Reply, Script, When, Wire};
use serde_json::{Value, json};

use crate::debug_server::list;
use crate::env::TestEnv;
use crate::machine::item;
use crate::model::{Scripted, finish, provider, worker, write};

/// A goal file whose item is proven by a file and by a review of two points.
fn file(gates: &str) -> String {
    format!(
        r#"
title = "写一首诗"
workspace = "out"

[[items]]
id = "poem"
kind = "agent"
prompt = "Write poem.md."
max_retries = 1
gates = [{gates}]
"#
    )
}

const BOTH: &str = r#"
    { kind = "file_exists", path = "poem.md" },
    { kind = "review", name = "a poem", rubric = ["It is about a pony", "它有四行"] },
"#;

fn finding(point: u32, holds: bool, seen: &str, files: &[&str]) -> Value {
    json!({"point": point, "holds": holds, "seen": seen, "files": files})
}

fn review(findings: &[Value]) -> Reply {
    Reply::call("submit_review", json!({ "findings": findings })).usage(600, 50)
}

fn reviewer(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("submit_review"), replies)
}

fn holds() -> Reply {
    review(&[
        finding(1, true, "the first line names a pony", &["poem.md"]),
        finding(2, true, "有四行，我数过了，一二三四行", &["poem.md"]),
    ])
}

#[test]
fn a_review_by_another_model_is_a_gate_beside_a_program() {
    let env = TestEnv::new();
    let model = ModelServer::start(Script::conversations([
        reviewer([Reply::call("read_file", json!({"path": "poem.md"})), holds()]),
        worker([write("poem.md", "a pony\n2\n3\n4\n"), finish("a fine poem")]),
    ]))
    .unwrap();
    let provider = provider("scripted", Wire::OpenAi, &model);
    env.configure(&format!("{provider}\n[models]\nmedium = [\"scripted/one\", \"scripted/two\"]\n"));
    env.start_daemons();
    env.write("goal.toml", &file(BOTH));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert_snapshot!("reviewed", ran);
    let requests = model.requests();
    let asked: Vec<&str> = requests.iter().map(|one| one.body["model"].as_str().unwrap()).collect();
    assert_eq!(asked, ["one", "one", "two", "two"], "who did the work does not review it");
    let told = env.debug(&format!("/api/goals/{}", env.only_goal()));
    let runs: Vec<_> = list(&told, "runs").iter().map(|run| &run["data"]["agent_type"]).collect();
    assert_eq!(runs, ["agent", "reviewer"]);
}

#[test]
fn what_a_review_misses_is_told_to_the_next_attempt() {
    let misses = review(&[
        finding(1, true, "the first line names a pony", &["poem.md"]),
        finding(2, false, "there are two lines only", &[]),
    ]);
    let second = Conversation::new(
        When::contains("This is attempt 2"),
        [write("poem.md", "a pony\n2\n3\n4\n"), finish("now four lines")],
    );
    let reviews = Conversation::new(When::contains("now four lines"), [holds()]);
    let scripted = Scripted::saying([
        reviews,
        reviewer([misses]),
        second,
        worker([write("poem.md", "a pony\n2\n"), finish("a fine poem")]),
    ]);
    let env = &scripted.env;
    env.write("goal.toml", &file(BOTH));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let requests = scripted.model.requests();
    let told =
        requests.iter().map(crate::model::said).find(|said| said.contains("This is attempt 2")).unwrap();
    assert!(told.contains("2 does not hold: there are two lines only"), "{told}");
}

/// `security.md` 29: a review that praises nothing proves nothing.
#[test]
fn security_29_a_review_that_praises_nothing() {
    let praise = review(&[finding(1, true, "great", &["poem.md"]), finding(2, true, "很好", &["poem.md"])]);
    let elsewhere = review(&[
        finding(1, true, "I saw it in another file", &["/etc/passwd"]),
        finding(2, true, "I saw it in no file at all", &[]),
    ]);
    let half = review(&[finding(1, true, "the first line names a pony", &["poem.md"])]);
    let scripted = Scripted::saying([
        reviewer([
            praise,
            elsewhere,
            half,
            Reply::text("It is perfect."),
            Reply::text("Really."),
            Reply::text("!"),
        ])
        .repeat_last(),
        worker([write("poem.md", "nothing"), finish("a fine poem")]),
    ]);
    let env = &scripted.env;
    env.write("goal.toml", &file(BOTH).replace("max_retries = 1", "max_retries = 0"));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    let told = env.show(&env.only_goal());
    assert_eq!(item(&told, "poem")["verdict"], "failed");
    let requests: Vec<String> = scripted.model.requests().iter().map(crate::model::said).collect();
    for problem in
        ["praise is no evidence", "there is no file `/etc/passwd`", "point 2 needs exactly one finding"]
    {
        assert!(requests.iter().any(|said| said.contains(problem)), "{problem}");
    }
}

#[test]
fn a_review_alone_is_refused_and_an_optional_one_leaves_it_partly_proven() {
    let alone = r#"{ kind = "review", rubric = ["It is good"] }"#;
    let misses = review(&[finding(1, false, "it is not good at all", &[])]);
    let scripted =
        Scripted::saying([reviewer([misses]), worker([write("poem.md", "x"), finish("a fine poem")])]);
    let env = &scripted.env;
    env.write("goal.toml", &file(alone));
    assert_snapshot!("review_alone", env.pb(["goal", "check", "goal.toml"]));
    let beside = r#"{ kind = "file_exists", path = "poem.md" },
        { kind = "review", required = false, rubric = ["It is good"] }"#;
    env.write("goal.toml", &file(beside));
    let ran = env.pb(["run", "goal.toml"]);
    assert_eq!(ran.exit, Some(3), "{ran}");
}
