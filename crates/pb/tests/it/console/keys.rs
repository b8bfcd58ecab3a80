//! The console by keyboard, before the real processes.

use pb_testkit::model_server::Reply;
use serde_json::json;

use super::page::Page;
use super::{LIVE, addresses};
use crate::env::wait_until;
use crate::model::{Scripted, finish, worker};

/// The question that is shown takes answers.
pub(super) const SETTLED: &str = "article[data-settled=true]";

/// A goal file whose only item waits for a yes before it runs anything.
pub(super) const ASKS: &str = r#"
title = "发布"
workspace = "out"

[[items]]
id = "deploy"
kind = "agent"
prompt = "Deploy it."
approve = ["run_command"]
max_retries = 0
gates = [{ kind = "file_exists", path = "done" }]
"#;

pub(super) fn run(line: &str) -> Reply {
    Reply::call("run_command", json!({"argv": ["sh", "-c", line]})).usage(700, 30)
}

#[test]
fn a_call_is_approved_and_another_denied_by_keyboard() {
    let replies = [run("echo a\u{200b}b; touch done"), run("touch never"), finish("deployed")];
    let scripted = Scripted::saying([worker(replies)]);
    let env = &scripted.env;
    env.write("asks.toml", ASKS);
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    let goal = env.detach(&["asks.toml"]);
    page.sees(".asks a");
    page.press("?");
    page.sees("dialog kbd");
    page.press("Escape");
    page.press("g");
    page.press("i");
    // What cannot be seen is shown, and so is what the yes is for.
    page.sees("pre:has-text('a\\\\u{200b}b')");
    page.sees("text=blake3");
    page.sees(SETTLED);
    page.press("a");
    page.sees("pre:has-text('touch never')");
    page.sees(SETTLED);
    page.press("d");
    page.sees("text=Nothing waits for you");
    wait_until("it is done", || (env.show(&goal)["status"] == "completed").then_some(()));
    assert!(env.file("out/done").exists() && !env.file("out/never").exists());
    page.is_well(&origin);
}

/// What was meant for the question before it, and comes when another has just taken its place, answers nothing.
#[test]
fn a_key_that_comes_with_a_question_does_not_answer_it() {
    let scripted = Scripted::saying([worker([run("touch one"), run("touch two"), finish("deployed")])]);
    let env = &scripted.env;
    env.write("asks.toml", ASKS);
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/inbox"));
    let goal = env.detach(&["asks.toml"]);
    page.sees("pre:has-text('touch one')");
    page.does(&json!(["pressOnSight", "touch two", "a"]));
    let open = env.json(["inbox", "--json"]);
    let ask = open["escalations"][0]["id"].as_str().unwrap();
    assert_eq!(env.pb(["inbox", "answer", ask, "approve"]).exit, Some(0));
    page.sees("text=was answered elsewhere");
    page.sees("body[data-pressed=a]");
    page.sees(SETTLED);
    page.press("d");
    wait_until("it is over", || (env.show(&goal)["status"] == "failed").then_some(()));
    assert!(env.file("out/one").exists() && !env.file("out/two").exists());
    page.is_well(&origin);
}
