//! What a real server says, which the scripted one has to look like. `cargo xtask real-model` serves it;
//! without it these tests are skipped and say so.

use std::net::SocketAddr;

use pb_runtime::environment;
use pb_testkit::model_server::{Finish, ModelServer, Reply, Script};
use serde_json::{Value, json};

use crate::client::{Answer, ask, openai, send, streamed};

const CHAT: &str = "/v1/chat/completions";

/// Where it is, if it is.
#[expect(clippy::print_stderr, reason = "this is the one word that a skipped test says")]
fn real_model() -> Option<SocketAddr> {
    let Some(url) = environment::text("PB_REAL_MODEL_URL") else {
        assert!(environment::text("CI").is_none(), "in CI nothing is skipped: there is no real model");
        eprintln!("skipped: there is no real model; run: cargo xtask real-model test");
        return None;
    };
    let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/v1/"));
    Some(address.expect("an address with a version").parse().unwrap())
}

fn scripted(reply: Reply, body: &Value) -> Answer {
    ask(ModelServer::start(Script::of([reply])).unwrap().address(), CHAT, body)
}

/// The kinds of a stream's events, each once for as long as it is repeated.
fn kinds(answer: &Answer) -> Vec<String> {
    let kind = |event: &Value| {
        let Some(choice) = event.pointer("/choices/0") else {
            let counts = event.pointer("/usage/total_tokens").and_then(Value::as_u64);
            return if counts.is_some_and(|count| count > 0) { "usage".into() } else { event.to_string() };
        };
        if let Some(finish) = choice["finish_reason"].as_str() {
            return format!("finish: {finish}");
        }
        let delta =
            ["role", "tool_calls", "content"].into_iter().find(|key| choice["delta"].get(key).is_some());
        delta.map_or_else(|| event.to_string(), str::to_owned)
    };
    let mut kinds: Vec<String> = answer.events().iter().map(kind).collect();
    kinds.dedup();
    kinds
}

fn with_tool(mut body: Value) -> Value {
    let parameters = json!({"type": "object", "required": ["path", "text"],
        "properties": {"path": {"type": "string"}, "text": {"type": "string"}}});
    let function =
        json!({"name": "write_file", "description": "Write text to a file", "parameters": parameters});
    body["tools"] = json!([{"type": "function", "function": function}]);
    body["tool_choice"] = json!("required");
    body
}

#[test]
fn a_text_comes_in_the_same_events() {
    let Some(address) = real_model() else { return };
    let mut body = streamed(openai("Tell a story.", 0));
    body["max_tokens"] = json!(8);
    let (real, scripted) =
        (ask(address, CHAT, &body), scripted(Reply::text("a story").finish(Finish::Length), &body));
    assert_eq!(kinds(&real), ["role", "content", "finish: length", "usage", "\"[DONE]\""]);
    assert_eq!(kinds(&scripted), kinds(&real));
}

#[test]
fn a_call_comes_in_the_same_events() {
    let Some(address) = real_model() else { return };
    let body = with_tool(streamed(openai("Write hello to hello.txt", 0)));
    let arguments = json!({"path": "hello.txt", "text": "hello"});
    let (real, scripted) =
        (ask(address, CHAT, &body), scripted(Reply::call("write_file", arguments.clone()), &body));
    assert_eq!(kinds(&real), ["role", "tool_calls", "finish: tool_calls", "usage", "\"[DONE]\""]);
    assert_eq!(kinds(&scripted), kinds(&real));
    for answer in [real, scripted] {
        let events = answer.events();
        let parts: Vec<&Value> =
            events.iter().filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0")).collect();
        // The first part names the call, and only the first.
        assert!(parts.iter().all(|part| part["index"] == 0));
        assert_eq!(parts[0]["function"]["name"], "write_file");
        assert!(parts[0]["id"].is_string() && parts[0]["type"] == "function");
        assert!(parts[1..].iter().all(|part| part.get("id").is_none()));
        let sent: String = parts.iter().filter_map(|part| part["function"]["arguments"].as_str()).collect();
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert!(sent["path"].is_string() && sent["text"].is_string(), "{sent}");
    }
}

#[test]
fn too_long_a_request_is_refused() {
    let Some(address) = real_model() else { return };
    let answer = ask(address, CHAT, &streamed(openai(&"word ".repeat(3000), 0)));
    assert_eq!(
        (answer.status, answer.json()["error"]["type"].clone()),
        (400, json!("exceed_context_size_error"))
    );
}

#[test]
fn a_client_that_leaves_is_not_served_to_the_end() {
    let Some(address) = real_model() else { return };
    let mut long = streamed(openai("Tell a very long story.", 0));
    long["max_tokens"] = json!(1900);
    long["ignore_eos"] = json!(true);
    send(address, CHAT, &[], &long).leave_after(2);
    let mut short = openai("Say hello.", 0);
    short["max_tokens"] = json!(2);
    // The server answers one after the other: this would wait for a minute.
    assert_eq!(ask(address, CHAT, &short).status, 200);
}
