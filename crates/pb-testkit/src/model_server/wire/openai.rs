//! Chat completions.

use serde_json::{Value, json};

use super::CREATED_S;
use crate::model_server::reply::{Finish, Tokens};
use crate::model_server::turn::Turn;

pub(super) fn events(turn: &Turn, wants_usage: bool) -> Vec<String> {
    let mut deltas = vec![json!({"role": "assistant", "content": opening(turn), "refusal": null})];
    // No field of the vendor's own; the one that DeepSeek, vLLM and llama.cpp agree on.
    let thought = turn.reply.thought.as_deref().unwrap_or_default();
    deltas.extend(turn.pieces(thought).into_iter().map(|piece| json!({"reasoning_content": piece})));
    let text = turn.reply.text.as_deref().unwrap_or_default();
    deltas.extend(turn.pieces(text).into_iter().map(|piece| json!({"content": piece})));
    for (index, call) in turn.reply.calls.iter().enumerate() {
        let first = json!({"index": index, "id": call_id(turn, index), "type": "function",
            "function": {"name": call.name, "arguments": ""}});
        deltas.push(json!({"tool_calls": [first]}));
        let arguments = call.arguments_text();
        deltas.extend(
            turn.pieces(&arguments)
                .into_iter()
                .map(|piece| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})),
        );
    }
    let mut chunks: Vec<Value> =
        deltas.into_iter().map(|delta| chunk(turn, &[choice(&delta, None)], wants_usage, None)).collect();
    let last = choice(&json!({}), Some(finish(turn.finish())));
    chunks.push(chunk(turn, &[last], wants_usage, None));
    if wants_usage && let Some(tokens) = turn.tokens {
        chunks.push(chunk(turn, &[], true, Some(tokens)));
    }
    let end = "data: [DONE]\n\n".to_owned();
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).chain([end]).collect()
}

pub(super) fn document(turn: &Turn) -> Value {
    let calls: Vec<Value> = turn
        .reply
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            json!({"id": call_id(turn, index), "type": "function",
                "function": {"name": call.name, "arguments": call.arguments_text()}})
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": turn.reply.text, "refusal": null});
    if let Some(fields) = message.as_object_mut() {
        fields.extend(turn.reply.thought.as_ref().map(|text| ("reasoning_content".to_owned(), json!(text))));
        fields.extend((!calls.is_empty()).then(|| ("tool_calls".to_owned(), json!(calls))));
    }
    let mut document = json!({"id": format!("chatcmpl-{}", turn.number), "object": "chat.completion",
        "created": CREATED_S, "model": turn.model,
        "choices": [{"index": 0, "message": message, "logprobs": null,
            "finish_reason": finish(turn.finish())}]});
    if let (Some(fields), Some(tokens)) = (document.as_object_mut(), turn.tokens) {
        fields.insert("usage".to_owned(), usage(tokens));
    }
    document
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        400..500 => ("invalid_request_error", None),
        _ => ("server_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

pub(super) fn models(model: &str) -> Value {
    json!({"object": "list",
        "data": [{"id": model, "object": "model", "created": CREATED_S, "owned_by": "pb-testkit"}]})
}

/// What the content is before any came: nothing at all if only calls will follow.
fn opening(turn: &Turn) -> Option<&'static str> {
    (turn.reply.text.is_some() || turn.reply.calls.is_empty()).then_some("")
}

fn chunk(turn: &Turn, choices: &[Value], wants_usage: bool, tokens: Option<Tokens>) -> Value {
    let mut chunk = json!({"id": format!("chatcmpl-{}", turn.number), "object": "chat.completion.chunk",
        "created": CREATED_S, "model": turn.model, "choices": choices});
    if let Some(fields) = chunk.as_object_mut().filter(|_| wants_usage) {
        fields.insert("usage".to_owned(), tokens.map_or(Value::Null, usage));
    }
    chunk
}

fn choice(delta: &Value, finish: Option<&str>) -> Value {
    json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish})
}

fn call_id(turn: &Turn, index: usize) -> String {
    format!("call_{}_{index}", turn.number)
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::ToolCalls => "tool_calls",
        Finish::Length => "length",
        Finish::Refused => "content_filter",
    }
}

fn usage(tokens: Tokens) -> Value {
    json!({"prompt_tokens": tokens.input, "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached}})
}
