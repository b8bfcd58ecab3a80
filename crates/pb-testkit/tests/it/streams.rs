//! Streams, byte by byte, in each wire format.

use pb_testkit::model_server::{ModelServer, Reply, Script};
use serde_json::{Value, json};

use crate::client::{ask, openai, streamed};

fn reply() -> Reply {
    Reply::call("write_file", json!({"path": "a.txt", "text": "你好"}))
        .and_call("list", json!({}))
        .thought("嗯")
        .usage_with_cache(12, 7, 4)
        .chunk_bytes(16)
}

fn check(path: &str, body: &Value) -> String {
    let mut both = reply();
    both.text = Some("写好了。".to_owned());
    let server = ModelServer::start(Script::of([both])).unwrap();
    let answer = ask(server.address(), path, body);
    assert_eq!((answer.status, answer.complete), (200, true));
    assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"));
    for chunk in &answer.chunks {
        assert!(chunk.ends_with("\n\n") || chunk.ends_with("\r\n\r\n"), "one event a chunk: {chunk:?}");
    }
    answer.text().replace('\r', "\\r")
}

#[test]
fn chat_completions() {
    insta::assert_snapshot!(check("/v1/chat/completions", &streamed(openai("hello", 0))), @r#"
    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"reasoning_content":"嗯"},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"content":"写好了。"},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_0_0","type":"function","function":{"name":"write_file","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"path\":\"a.txt\","}}]},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"text\":\"你好\"}"}}]},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_0_1","type":"function","function":{"name":"list","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]},"logprobs":null,"finish_reason":null}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,"prompt_tokens_details":{"cached_tokens":4}}}

    data: [DONE]
    "#);
}

#[test]
fn chat_completions_count_tokens_only_when_asked() {
    let server = ModelServer::start(Script::of([Reply::text("hi").usage(3, 1)])).unwrap();
    let mut body = openai("hello", 0);
    body["stream"] = json!(true);
    let answer = ask(server.address(), "/chat/completions", &body);
    insta::assert_snapshot!(answer.text(), @r#"
    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{"content":"hi"},"logprobs":null,"finish_reason":null}]}

    data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1767225600,"model":"pony-1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}

    data: [DONE]
    "#);

    let server = ModelServer::start(Script::of([Reply::text("hi").no_usage()])).unwrap();
    let answer = ask(server.address(), "/v1/chat/completions", &streamed(openai("hello", 0)));
    let usages: Vec<Value> = answer.events().iter().filter_map(|event| event.get("usage")).cloned().collect();
    assert_eq!(usages, [Value::Null, Value::Null, Value::Null]);
}

#[test]
fn messages() {
    let body = json!({"model": "pony-2", "max_tokens": 100, "stream": true,
        "messages": [{"role": "user", "content": "hello"}]});
    insta::assert_snapshot!(check("/v1/messages", &body), @r#"
    event: message_start
    data: {"type":"message_start","message":{"id":"msg_0","type":"message","role":"assistant","model":"pony-2","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":1}}}

    event: content_block_start
    data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

    event: ping
    data: {"type":"ping"}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"嗯"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"signature-0"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":0}

    event: content_block_start
    data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"写好了。"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":1}

    event: content_block_start
    data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_0_0","name":"write_file","input":{}}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"path\":\"a.txt\","}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"text\":\"你好\"}"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":2}

    event: content_block_start
    data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_0_1","name":"list","input":{}}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":3}

    event: message_delta
    data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7}}

    event: message_stop
    data: {"type":"message_stop"}
    "#);
}

#[test]
fn contents() {
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    let path = "/v1beta/models/pony-3:streamGenerateContent?alt=sse";
    insta::assert_snapshot!(check(path, &body), @r#"
    data: {"candidates":[{"content":{"parts":[{"text":"嗯","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12,"cachedContentTokenCount":4},"modelVersion":"pony-3","responseId":"response-0"}\r
    \r
    data: {"candidates":[{"content":{"parts":[{"text":"写好了。"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12,"cachedContentTokenCount":4},"modelVersion":"pony-3","responseId":"response-0"}\r
    \r
    data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"write_file","args":{"path":"a.txt","text":"你好"}},"thoughtSignature":"signature-0"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12,"cachedContentTokenCount":4},"modelVersion":"pony-3","responseId":"response-0"}\r
    \r
    data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"list","args":{}}}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12,"cachedContentTokenCount":4},"modelVersion":"pony-3","responseId":"response-0"}\r
    \r
    data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":19,"candidatesTokenCount":7,"cachedContentTokenCount":4},"modelVersion":"pony-3","responseId":"response-0"}\r
    \r
    "#);
}

#[test]
fn contents_without_events_are_one_array() {
    let server = ModelServer::start(Script::of([Reply::text("你好").chunk_bytes(3).no_usage()])).unwrap();
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    let answer = ask(server.address(), "/v1beta/models/pony-3:streamGenerateContent", &body);
    let texts: Vec<Value> = answer
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|response| response["candidates"][0]["content"]["parts"][0]["text"].clone())
        .collect();
    assert_eq!(texts, [json!("你"), json!("好"), json!("")]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn chinese_stays_whole_at_every_size_of_chunk() {
    let (text, arguments) = ("一只小马🐴跑了。", json!({"路径": "甲/乙.txt"}));
    for bytes in 0..=9 {
        let reply = Reply { text: Some(text.to_owned()), ..Reply::call("写", arguments.clone()) };
        let server = ModelServer::start(Script::of([reply.chunk_bytes(bytes)])).unwrap();
        let answer = ask(server.address(), "/v1/chat/completions", &streamed(openai("你好", 0)));
        let (mut said, mut called) = (String::new(), String::new());
        for event in answer.events() {
            let delta = &event["choices"][0]["delta"];
            said += delta["content"].as_str().unwrap_or_default();
            called += delta["tool_calls"][0]["function"]["arguments"].as_str().unwrap_or_default();
        }
        assert_eq!(said, text);
        assert_eq!(serde_json::from_str::<Value>(&called).unwrap(), arguments);
    }
}

#[test]
fn raw_arguments_are_sent_as_they_stand() {
    let broken = r#"{"path": "a.txt", "text": "#;
    let server = ModelServer::start(Script::of([Reply::raw_call("write_file", broken)])).unwrap();
    let answer = ask(server.address(), "/v1/chat/completions", &streamed(openai("hello", 0)));
    let sent: String = answer
        .events()
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(sent, broken);
}
