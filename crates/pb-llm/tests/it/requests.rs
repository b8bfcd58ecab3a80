//! What providers are sent.

use pb_llm::{CallErrorKind, ChatModel, ChatRequest, Message, Said, ToolCall};
use pb_runtime::config::ProviderKind;
use serde_json::{Value, json};

use crate::support::{Events, KEY, KINDS, PATIENT, Received, Server, ask, model_at, model_named, stream};

/// What a model of this name is sent.
async fn sent(kind: ProviderKind, name: &str, request: &ChatRequest) -> Received {
    let events = Events(kind);
    let server = Server::sends(stream(&[events.begin(), events.text("a"), events.stop()].concat())).await;
    let model = model_named(name, kind, &server.url(), PATIENT);
    model.call(request, &mut |_| {}).await.unwrap();
    server.received().remove(0)
}

/// One line for each element.
fn lines(list: &Value) -> String {
    list.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

fn call(id: &str, arguments: Value, signatures: &[&str]) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "read".to_owned(),
        arguments,
        signatures: signatures.iter().map(|one| (*one).to_owned()).collect(),
    }
}

fn result(id: &str, content: &str) -> Message {
    Message::Tool { call_id: id.to_owned(), name: "read".to_owned(), content: content.to_owned() }
}

/// Two answers with calls, of which two have the same id, and one was no JSON.
fn conversation() -> ChatRequest {
    let mut request = ask("读");
    request.messages.extend([
        Message::Assistant(Said {
            text: "好".to_owned(),
            thought: "想".to_owned(),
            calls: vec![
                call("call#read#0", json!({"path": "a"}), &["anthropic:SA", "gemini:SG"]),
                call("call#read#1", json!("{\"path"), &[]),
            ],
        }),
        result("call#read#0", "一"),
        result("call#read#1", "二"),
        Message::Assistant(Said::default()),
        Message::Assistant(Said { calls: vec![call("call#read#0", json!({}), &[])], ..Said::default() }),
        result("call#read#0", "三"),
        Message::User { text: "继续".to_owned() },
    ]);
    request
}

#[tokio::test]
async fn limits_usage_and_keys_are_sent() {
    for kind in KINDS {
        let received = sent(kind, "test/m", &ask("你好")).await;
        let (limit, first_line, header) = match kind {
            ProviderKind::OpenAi => {
                assert_eq!(received.body["stream_options"], json!({"include_usage": true}));
                ("/max_tokens", "post /v1/chat/completions http/1.1", format!("authorization: bearer {KEY}"))
            }
            ProviderKind::Anthropic => {
                ("/max_tokens", "post /v1/messages http/1.1", format!("x-api-key: {KEY}"))
            }
            ProviderKind::Gemini => (
                "/generationConfig/maxOutputTokens",
                "post /v1/models/m:streamgeneratecontent?alt=sse http/1.1",
                format!("x-goog-api-key: {KEY}"),
            ),
        };
        assert_eq!(received.body.pointer(limit), Some(&json!(321)), "{kind:?}");
        assert_eq!(received.head.lines().next(), Some(first_line));
        assert!(received.head.contains(&header), "{}", received.head);
        assert!(received.head.contains("user-agent: ponybunny/"), "{}", received.head);
    }
    let received = sent(ProviderKind::OpenAi, "test/gpt-5-mini", &ask("你好")).await;
    assert_eq!(received.body["max_completion_tokens"], 321);
}

#[tokio::test]
async fn a_name_is_sent_as_it_is() {
    for name in ["qwen3-max", "x-high", "a-none", "org/model-low"] {
        for kind in KINDS {
            let received = sent(kind, &format!("test/{name}"), &ask("你好")).await;
            match kind {
                ProviderKind::OpenAi | ProviderKind::Anthropic => assert_eq!(received.body["model"], name),
                ProviderKind::Gemini => {
                    assert!(received.head.contains(&format!("/models/{name}:")), "{}", received.head);
                }
            }
            for wish in ["reasoning_effort", "thinking", "output_config"] {
                assert_eq!(received.body.get(wish), None, "{kind:?} {name}");
            }
            let thinking = received.body.pointer("/generationConfig/thinkingConfig");
            assert_eq!(thinking, None, "{kind:?} {name}");
        }
    }
    let received = sent(ProviderKind::Gemini, "gemini/gemini-2.5-pro", &ask("你好")).await;
    let thinking = received.body.pointer("/generationConfig/thinkingConfig");
    assert_eq!(thinking, Some(&json!({"includeThoughts": true})));
}

#[tokio::test]
async fn openai_is_sent_calls_and_results() {
    let body = sent(ProviderKind::OpenAi, "test/m", &conversation()).await.body;
    insta::assert_snapshot!(lines(&body["messages"]), @r#"
    {"role":"system","content":"简短回答"}
    {"role":"user","content":"读"}
    {"role":"assistant","content":"好","tool_calls":[{"type":"function","id":"call#read#0","function":{"name":"read","arguments":"{\"path\":\"a\"}"}},{"type":"function","id":"call#read#1","function":{"name":"read","arguments":"{\"invalid_arguments\":\"{\\\"path\"}"}}],"reasoning_content":"想"}
    {"role":"tool","content":"一","tool_call_id":"call#read#0"}
    {"role":"tool","content":"二","tool_call_id":"call#read#1"}
    {"role":"assistant","content":"","tool_calls":[{"type":"function","id":"call#read#0","function":{"name":"read","arguments":"{}"}}]}
    {"role":"tool","content":"三","tool_call_id":"call#read#0"}
    {"role":"user","content":"继续"}
    "#);
    insta::assert_snapshot!(lines(&body["tools"]), @r#"{"type":"function","function":{"name":"read","description":"Reads a file.","parameters":{"type":"object","properties":{"path":{"type":"string"}}},"strict":false}}"#);
}

#[tokio::test]
async fn anthropic_is_sent_calls_and_results() {
    let body = sent(ProviderKind::Anthropic, "test/m", &conversation()).await.body;
    insta::assert_snapshot!(lines(&body["messages"]), @r#"
    {"role":"user","content":"读"}
    {"role":"assistant","content":[{"type":"thinking","thinking":"想","signature":"SA"},{"type":"text","text":"好"},{"type":"tool_use","id":"call_read_0","name":"read","input":{"path":"a"}},{"type":"tool_use","id":"call_read_1","name":"read","input":{"invalid_arguments":"{\"path"}}]}
    {"role":"user","content":[{"type":"tool_result","content":"一","tool_use_id":"call_read_0"},{"type":"tool_result","content":"二","tool_use_id":"call_read_1"}]}
    {"role":"assistant","content":[{"type":"tool_use","id":"call_read_0_2","name":"read","input":{}}]}
    {"role":"user","content":[{"type":"tool_result","content":"三","tool_use_id":"call_read_0_2"}]}
    {"role":"user","content":"继续"}
    "#);
    assert_eq!(body["system"], "简短回答");
    assert_eq!(body["tools"][0]["input_schema"], ask("").tools[0].schema);
}

#[tokio::test]
async fn gemini_is_sent_calls_and_results() {
    let body = sent(ProviderKind::Gemini, "test/m", &conversation()).await.body;
    insta::assert_snapshot!(lines(&body["contents"]), @r#"
    {"role":"user","parts":[{"text":"读"}]}
    {"role":"model","parts":[{"text":"好"},{"functionCall":{"name":"read","args":{"path":"a"}},"thoughtSignature":"SG"},{"functionCall":{"name":"read","args":{"invalid_arguments":"{\"path"}}}]}
    {"role":"user","parts":[{"functionResponse":{"name":"read","response":{"name":"read","content":"一"}}},{"functionResponse":{"name":"read","response":{"name":"read","content":"二"}}}]}
    {"role":"model","parts":[{"functionCall":{"name":"read","args":{}}}]}
    {"role":"user","parts":[{"functionResponse":{"name":"read","response":{"name":"read","content":"三"}}}]}
    {"role":"user","parts":[{"text":"继续"}]}
    "#);
    assert_eq!(body["systemInstruction"]["parts"][0]["text"], "简短回答");
    assert_eq!(body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], ask("").tools[0].schema);
}

#[tokio::test]
async fn what_a_model_said_can_be_sent_back_to_it() {
    for kind in KINDS {
        let events = Events(kind);
        let said = [
            events.begin(),
            events.thought("想"),
            events.call(0, "read", r#"{"path":"a"}"#),
            events.stop_for_calls(),
        ];
        let server = Server::sends(stream(&said.concat())).await;
        let model = model_at(kind, &server.url(), PATIENT);
        let mut request = ask("读");
        let answer = model.call(&request, &mut |_| {}).await.unwrap();
        let id = answer.said.calls[0].id.clone();
        request.messages.extend([Message::Assistant(answer.said), result(&id, "好")]);
        model.call(&request, &mut |_| {}).await.unwrap();
        let body = server.received().remove(1).body;
        match kind {
            ProviderKind::OpenAi => assert_eq!(body["messages"][2]["reasoning_content"], "想"),
            ProviderKind::Anthropic => assert_eq!(
                body["messages"][1]["content"][0],
                json!({"type": "thinking", "thinking": "想", "signature": "sig"})
            ),
            ProviderKind::Gemini => {
                assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "sig0");
            }
        }
    }
}

#[tokio::test]
async fn tools_that_a_provider_would_run_itself_are_refused() {
    for (kind, name) in [(ProviderKind::Anthropic, "web_search"), (ProviderKind::Gemini, "codeExecution")] {
        let server = Server::sends("").await;
        let mut request = ask("你好");
        request.tools[0].name = name.to_owned();
        let error = model_at(kind, &server.url(), PATIENT).call(&request, &mut |_| {}).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Rejected);
        assert_eq!(
            error.message,
            format!("the provider has a tool `{name}` of its own; ours needs another name")
        );
        assert!(server.received().is_empty());
    }
}
