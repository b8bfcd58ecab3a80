//! Clients of the first implementation against our processes: what they say is in files, and what their screens show is
//! made as they make it.

mod any_frames;
mod player;
mod screens;

use pb_testkit::model_server::{Conversation, Reply, When};
use serde_json::json;

use crate::env::TestEnv;
use crate::model::{Scripted, planner};
use player::play;

/// A plan of one command, which needs no model.
fn plan(id: &str, line: &str, path: &str) -> Reply {
    let items = json!([{
        "id": id, "kind": "command", "title": id, "argv": ["sh", "-c", line], "effect": "idempotent",
        "gates": [{"kind": "file_exists", "path": path}],
    }]);
    Reply::call("submit_plan", json!({ "items": items })).usage(1000, 100)
}

/// What a model says to who greets.
fn voice() -> Conversation {
    Conversation::new(When::tool("make_goal"), [Reply::text("你好！我在。").usage(300, 10)])
}

#[test]
fn two_clients_have_a_day_with_the_worker() {
    let greet = plan("greet", "echo 你好 > greeting", "greeting");
    let wait = plan("wait", "until [ -e never ]; do sleep 0.05; done", "never");
    let slow = Conversation::new(When::contains("等很久"), [wait]);
    let scripted = Scripted::saying([slow, planner([greet]), voice()]);
    play(&scripted.env, include_str!("conversations/day.txt"));
}

#[test]
fn what_is_wrong_is_told_as_it_was() {
    let env = TestEnv::new();
    env.start_daemons();
    play(&env, include_str!("conversations/errors.txt"));
}

#[test]
fn a_device_comes_in_by_its_key() {
    let env = TestEnv::new();
    env.start_daemons();
    play(&env, include_str!("conversations/auth.txt"));
}

#[test]
fn the_debug_server_looks_on() {
    let scripted = Scripted::saying([planner([plan("greet", "echo 你好 > greeting", "greeting")])]);
    play(&scripted.env, include_str!("conversations/debug.txt"));
}

#[test]
fn the_web_server_calls_for_each_of_its_routes() {
    let greet = plan("greet", "echo 你好 > greeting", "greeting");
    let scripted = Scripted::saying([planner([greet]), voice()]);
    play(&scripted.env, include_str!("conversations/web.txt"));
}

#[test]
fn the_terminal_client_decides_by_its_own_names() {
    let wait = plan("wait", "until [ -e never ]; do sleep 0.05; done", "never");
    let scripted = Scripted::saying([planner([wait])]);
    play(&scripted.env, include_str!("conversations/terminal.txt"));
}
