//! Which reply a request gets, and what is remembered of it.

use std::time::Duration;

use pb_testkit::model_server::{Conversation, Fault, ModelServer, Reply, Script, When, Wire};
use serde_json::{Value, json};

use crate::client::{WAIT_LIMIT, ask, openai, send};

const CHAT: &str = "/v1/chat/completions";

fn said(server: &ModelServer, body: &Value) -> String {
    let answer = ask(server.address(), CHAT, body);
    match answer.json().pointer("/choices/0/message/content") {
        Some(text) => text.as_str().unwrap_or_default().to_owned(),
        None => format!("{} {}", answer.status, answer.json()["error"]["message"].as_str().unwrap()),
    }
}

#[test]
fn the_number_of_answers_picks_the_turn() {
    let server = ModelServer::start(Script::of([Reply::text("first"), Reply::text("second")])).unwrap();
    assert_eq!(said(&server, &openai("hello", 1)), "second");
    for _ in 0..2 {
        assert_eq!(said(&server, &openai("hello", 0)), "first");
    }
    assert_eq!(said(&server, &openai("hello", 2)), "500 the script is over: conversation 0 has no turn 2");
}

#[test]
fn the_last_turn_may_be_repeated() {
    let conversation = Conversation::new(When::default(), [Reply::text("a"), Reply::text("b")]).repeat_last();
    let server = ModelServer::start(Script::conversations([conversation])).unwrap();
    let said = [0, 1, 2, 9].map(|answers| said(&server, &openai("hello", answers)));
    assert_eq!(said, ["a", "b", "b", "b"]);
}

#[test]
fn repeated_requests_go_through_the_replies_of_their_turn() {
    let turn = [Reply::broken(Fault::retry_after(429, 1)), Reply::text("ok")];
    let script = Script::conversations([Conversation::default().turn(turn)]);
    let server = ModelServer::start(script.clone()).unwrap();
    for question in ["one", "two"] {
        let said = [(); 3].map(|()| said(&server, &openai(question, 0)));
        assert_eq!(said, ["429 too many requests", "ok", "ok"]);
    }
    server.set_script(script);
    assert_eq!(said(&server, &openai("one", 0)), "429 too many requests");
}

#[test]
fn the_first_conversation_that_fits_is_used() {
    let conversation = |when: When| {
        let name = format!("{:?}/{:?}", when.tool, when.contains);
        Conversation::new(when, [Reply::text(name)])
    };
    let both = When { contains: Some("urgent".to_owned()), ..When::tool("submit_plan") };
    let script = [both, When::tool("submit_plan"), When::contains("小马")].map(conversation);
    let server = ModelServer::start(Script::conversations(script)).unwrap();
    let with_tool = |question: &str| {
        let mut body = openai(question, 0);
        body["tools"] = json!([{"type": "function", "function": {"name": "submit_plan"}}]);
        body
    };
    assert_eq!(said(&server, &with_tool("urgent")), r#"Some("submit_plan")/Some("urgent")"#);
    assert_eq!(said(&server, &with_tool("hello")), r#"Some("submit_plan")/None"#);
    assert_eq!(said(&server, &openai("hello", 0)), r#"None/Some("小马")"#);
    assert_eq!(
        said(&server, &json!({"messages": [{"role": "user", "content": "hello"}]})),
        "500 no conversation of the script fits this request"
    );
    let chosen: Vec<Option<usize>> = server.requests().iter().map(|captured| captured.conversation).collect();
    assert_eq!(chosen, [Some(0), Some(1), Some(2), None]);
}

#[test]
fn tools_and_texts_are_found_in_every_wire() {
    let conversations = [When::tool("plan"), When::contains("小马")]
        .map(|when| Conversation::new(when, [Reply::text("a"), Reply::text("b")]));
    let server = ModelServer::start(Script::conversations(conversations)).unwrap();
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": []}]);
    let messages = json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": []}]);
    for (path, body) in [
        ("/v1/messages", json!({"messages": messages, "tools": [{"name": "plan"}]})),
        ("/v1/messages", json!({"messages": messages, "system": [{"type": "text", "text": "小马"}]})),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": contents, "tools": [{"functionDeclarations": [{"name": "plan"}]}]}),
        ),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": contents, "systemInstruction": {"parts": [{"text": "小马"}]}}),
        ),
    ] {
        assert_eq!(ask(server.address(), path, &body).status, 200, "{body}");
    }
    let chosen: Vec<(Wire, Option<usize>, usize)> =
        server.requests().iter().map(|one| (one.wire, one.conversation, one.turn)).collect();
    assert_eq!(
        chosen,
        [
            (Wire::Anthropic, Some(0), 1),
            (Wire::Anthropic, Some(1), 1),
            (Wire::Gemini, Some(0), 1),
            (Wire::Gemini, Some(1), 1),
        ]
    );
}

#[test]
fn requests_are_remembered_with_their_keys() {
    let server = ModelServer::start(Script::of([Reply::text("a")])).unwrap();
    let body = json!({"messages": [], "contents": [], "note": "你好"});
    for (path, header) in [
        (CHAT, "Authorization: Bearer one"),
        ("/v1/messages", "x-api-key: two"),
        ("/v1beta/models/m:generateContent?x=1", "x-goog-api-key: three"),
    ] {
        assert_eq!(send(server.address(), path, &[header], &body).answer().status, 200);
    }
    assert_eq!(ask(server.address(), CHAT, &body).status, 200);
    let requests = server.wait_for(4, WAIT_LIMIT).unwrap();
    let keys: Vec<(&str, Option<&str>)> =
        requests.iter().map(|one| (one.path.as_str(), one.authorization.as_deref())).collect();
    assert_eq!(
        keys,
        [
            (CHAT, Some("Bearer one")),
            ("/v1/messages", Some("two")),
            ("/v1beta/models/m:generateContent?x=1", Some("three")),
            (CHAT, None),
        ]
    );
    assert!(requests.iter().all(|one| one.body == body));
    let error = server.wait_for(5, Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "4 of 5 requests came in 0ns");
}
