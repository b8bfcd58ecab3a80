//! What goes wrong, and what is held.

use pb_testkit::model_server::{Fault, ModelServer, Reply, Script};
use serde_json::{Value, json};

use crate::client::{Answer, WAIT_LIMIT, ask, openai, send, streamed};

const CHAT: &str = "/v1/chat/completions";

fn server(reply: Reply) -> ModelServer {
    ModelServer::start(Script::of([reply])).unwrap()
}

fn stream(reply: Reply) -> Answer {
    ask(server(reply).address(), CHAT, &streamed(openai("hello", 0)))
}

#[test]
fn errors_are_worded_as_each_vendor_does() {
    let server = server(Reply::broken(Fault::retry_after(429, 7)));
    let body = json!({"messages": [], "contents": []});
    let errors = [CHAT, "/v1/messages", "/v1beta/models/m:streamGenerateContent?alt=sse"].map(|path| {
        let answer = ask(server.address(), path, &body);
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
        answer.text()
    });
    insta::assert_snapshot!(errors.join("\n"), @r#"
    {"error":{"message":"too many requests","type":"requests","param":null,"code":"rate_limit_exceeded"}}
    {"type":"error","error":{"type":"rate_limit_error","message":"too many requests"},"request_id":"req_scripted"}
    {"error":{"code":429,"message":"too many requests","status":"RESOURCE_EXHAUSTED"}}
    "#);
}

#[test]
fn errors_say_what_the_script_says() {
    let answer = stream(Reply::broken(Fault::status_with_body(503, json!("<html>busy</html>"))));
    assert_eq!((answer.status, answer.text().as_str()), (503, "<html>busy</html>"));
    let body = json!({"error": {"type": "exceed_context_size_error"}});
    let answer = stream(Reply::broken(Fault::status_with_body(400, body.clone())));
    assert_eq!((answer.status, answer.json()), (400, body));
}

#[test]
fn a_cut_has_no_end() {
    let reply = || Reply::text("one two three").chunk_bytes(4);
    let whole = stream(reply());
    assert_eq!((whole.chunks.len(), whole.complete), (8, true));
    for chunks in 0..=8 {
        let cut = stream(reply().fault(Fault::cut_after(chunks)));
        assert_eq!((cut.status, cut.complete), (200, false), "after {chunks}");
        assert_eq!(cut.chunks, whole.chunks[..chunks]);
    }
}

#[test]
fn a_cut_also_ends_what_is_not_streamed() {
    let server = server(Reply::text("one").fault(Fault::cut_after(1)));
    let answer = ask(server.address(), CHAT, &openai("hello", 0));
    assert_eq!((answer.status, answer.complete, answer.chunks.len()), (200, false, 1));
}

#[test]
fn a_hang_is_silent_until_the_client_leaves() {
    let server = server(Reply::text("one two three").chunk_bytes(4).fault(Fault::hang_after(2)));
    let streamed = send(server.address(), CHAT, &[], &streamed(openai("hello", 0))).silent_after(2);
    assert_eq!(streamed.events()[1]["choices"][0]["delta"], json!({"content": "one "}));
    let whole = send(server.address(), CHAT, &[], &openai("hello", 0)).silent_after(2);
    assert_eq!(whole.text(), "{\"id\":\"c");
    assert!(!streamed.complete && !whole.complete);
}

#[test]
fn what_is_held_is_answered_when_it_is_released() {
    let server = server(Reply::text("at last").hold("gate"));
    let held = send(server.address(), CHAT, &[], &openai("hello", 0));
    server.wait_until_held("gate").unwrap();
    drop(held);
    let held = send(server.address(), CHAT, &[], &openai("hello", 0));
    server.wait_for(2, WAIT_LIMIT).unwrap();
    server.wait_until_held("gate").unwrap();
    server.release("gate");
    let content = |answer: &Answer| answer.json()["choices"][0]["message"]["content"].clone();
    assert_eq!(content(&held.answer()), "at last");
    // From now on it holds nobody.
    assert_eq!(content(&ask(server.address(), CHAT, &openai("hello", 0))), "at last");
}

#[test]
fn nothing_listens_once_it_is_dropped() {
    let server = server(Reply::text("a").hold("gate"));
    let (address, held) = (server.address(), send(server.address(), CHAT, &[], &Value::Null));
    server.wait_until_held("gate").unwrap();
    drop(server);
    let answer = held.answer();
    assert_eq!((answer.status, answer.complete), (0, false));
    assert!(std::net::TcpStream::connect(address).is_err());
}
