//! Answers without streaming, lists of models, and what is no request.

use pb_testkit::model_server::{Finish, ModelServer, Reply, Script, Wire};
use serde_json::{Value, json};

use crate::client::{ask, openai, send_text};

fn document(path: &str, body: &Value) -> String {
    let mut reply = Reply::call("write_file", json!({"path": "a.txt"})).thought("嗯").usage(12, 7);
    reply.text = Some("写好了。".to_owned());
    let server = ModelServer::start(Script::of([reply])).unwrap();
    let answer = ask(server.address(), path, body);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.text()
}

#[test]
fn each_wire_has_its_document() {
    insta::assert_snapshot!(document("/v1/chat/completions", &openai("hello", 0)), @r#"{"id":"chatcmpl-0","object":"chat.completion","created":1767225600,"model":"pony-1","choices":[{"index":0,"message":{"role":"assistant","content":"写好了。","refusal":null,"reasoning_content":"嗯","tool_calls":[{"id":"call_0_0","type":"function","function":{"name":"write_file","arguments":"{\"path\":\"a.txt\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,"prompt_tokens_details":{"cached_tokens":0}}}"#);
    let body = json!({"model": "pony-2", "messages": [{"role": "user", "content": "hello"}]});
    insta::assert_snapshot!(document("/v1/messages", &body), @r#"{"id":"msg_0","type":"message","role":"assistant","model":"pony-2","content":[{"type":"thinking","thinking":"嗯","signature":"signature-0"},{"type":"text","text":"写好了。"},{"type":"tool_use","id":"toolu_0_0","name":"write_file","input":{"path":"a.txt"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":7}}"#);
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    insta::assert_snapshot!(document("/v1beta/models/pony-3:generateContent", &body), @r#"{"candidates":[{"content":{"parts":[{"text":"嗯","thought":true},{"text":"写好了。"},{"functionCall":{"name":"write_file","args":{"path":"a.txt"}},"thoughtSignature":"signature-0"}],"role":"model"},"index":0,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":19,"candidatesTokenCount":7},"modelVersion":"pony-3","responseId":"response-0"}"#);
}

#[test]
fn each_wire_has_its_word_for_the_end() {
    let ends = [Finish::Stop, Finish::ToolCalls, Finish::Length, Finish::Refused].map(|finish| {
        let server = ModelServer::start(Script::of([Reply::text("a").finish(finish)])).unwrap();
        let address = server.address();
        let body = json!({"messages": [], "contents": []});
        let words = [
            ask(address, "/v1/chat/completions", &body).json()["choices"][0]["finish_reason"].clone(),
            ask(address, "/v1/messages", &body).json()["stop_reason"].clone(),
            ask(address, "/v1beta/models/m:generateContent", &body).json()["candidates"][0]["finishReason"]
                .clone(),
        ];
        json!(words).to_string()
    });
    insta::assert_snapshot!(ends.join("\n"), @r#"
    ["stop","end_turn","STOP"]
    ["tool_calls","tool_use","STOP"]
    ["length","max_tokens","MAX_TOKENS"]
    ["content_filter","refusal","SAFETY"]
    "#);
}

#[test]
fn tokens_are_estimated_from_bytes() {
    let server = ModelServer::start(Script::of([Reply::text("12345678")])).unwrap();
    let body = json!({"messages": [{"role": "user", "content": "x".repeat(4000)}]});
    let usage = ask(server.address(), "/v1/chat/completions", &body).json()["usage"].clone();
    assert_eq!(usage["completion_tokens"], 2);
    assert_eq!(usage["prompt_tokens"], body.to_string().len().div_ceil(4));
}

#[test]
fn what_is_no_request_is_refused_in_the_words_of_the_wire() {
    let server = ModelServer::start(Script::of([Reply::text("a")])).unwrap();
    let answers = ["/v1/chat/completions", "/v1/messages", "/v1beta/models/m:generateContent"]
        .map(|path| send_text(server.address(), path, &[], "{你好").answer())
        .map(|answer| format!("{} {}", answer.status, answer.text()));
    insta::assert_snapshot!(answers.join("\n"), @r#"
    400 {"error":{"message":"the body is no JSON: key must be a string at line 1 column 2","type":"invalid_request_error","param":null,"code":null}}
    400 {"type":"error","error":{"type":"invalid_request_error","message":"the body is no JSON: key must be a string at line 1 column 2"},"request_id":"req_scripted"}
    400 {"error":{"code":400,"message":"the body is no JSON: key must be a string at line 1 column 2","status":"INVALID_ARGUMENT"}}
    "#);
    assert!(server.requests().is_empty());
    let answer = ask(server.address(), "/v1beta/models/m:countTokens", &json!({}));
    assert_eq!((answer.status, answer.json()["error"]["status"].clone()), (404, json!("NOT_FOUND")));
    assert_eq!(ask(server.address(), "/v1/embeddings", &json!({})).status, 404);
}

#[test]
fn bases_carry_the_version() {
    let server = ModelServer::start(Script::of([])).unwrap();
    let address = server.address();
    assert_eq!(server.base_url(Wire::OpenAi), format!("http://{address}/v1/"));
    assert_eq!(server.base_url(Wire::Anthropic), format!("http://{address}/v1/"));
    assert_eq!(server.base_url(Wire::Gemini), format!("http://{address}/v1beta/"));
}
