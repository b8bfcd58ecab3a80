//! Anthropic's messages.

use serde_json::{Value, json};

use crate::model_server::reply::{Finish, Tokens};
use crate::model_server::turn::Turn;

pub(super) fn events(turn: &Turn) -> Vec<String> {
    let mut blocks = Vec::new();
    if let Some(thought) = &turn.reply.thought {
        let mut deltas: Vec<Value> = turn
            .pieces(thought)
            .into_iter()
            .map(|piece| json!({"type": "thinking_delta", "thinking": piece}))
            .collect();
        deltas.push(json!({"type": "signature_delta", "signature": turn.signature()}));
        blocks.push((json!({"type": "thinking", "thinking": "", "signature": ""}), deltas));
    }
    if let Some(text) = &turn.reply.text {
        let deltas = turn.pieces(text).into_iter().map(|piece| json!({"type": "text_delta", "text": piece}));
        blocks.push((json!({"type": "text", "text": ""}), deltas.collect()));
    }
    for (index, call) in turn.reply.calls.iter().enumerate() {
        let arguments = call.arguments_text();
        // The first is always empty.
        let deltas = [""]
            .into_iter()
            .chain(turn.pieces(&arguments))
            .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        let start = json!({"type": "tool_use", "id": call_id(turn, index), "name": call.name, "input": {}});
        blocks.push((start, deltas.collect()));
    }
    framed(turn, blocks)
}

/// The blocks, with what stands around and between them.
fn framed(turn: &Turn, blocks: Vec<(Value, Vec<Value>)>) -> Vec<String> {
    let mut message = head(turn);
    if let Some(fields) = message.as_object_mut() {
        fields.insert("content".to_owned(), json!([]));
        fields.insert("stop_reason".to_owned(), Value::Null);
        // What was written is not known yet.
        fields.extend(turn.tokens.map(|tokens| usage(Tokens { output: 1, ..tokens })));
    }
    let mut events = vec![json!({"type": "message_start", "message": message})];
    for (index, (start, deltas)) in blocks.into_iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.extend((index == 0).then(|| json!({"type": "ping"})));
        events.extend(
            deltas
                .into_iter()
                .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let mut last = json!({"type": "message_delta",
        "delta": {"stop_reason": finish(turn.finish()), "stop_sequence": null}});
    if let (Some(fields), Some(tokens)) = (last.as_object_mut(), turn.tokens) {
        fields.insert("usage".to_owned(), json!({"output_tokens": tokens.output}));
    }
    events.extend([last, json!({"type": "message_stop"})]);
    events
        .iter()
        .map(|event| {
            let name = event.get("type").and_then(Value::as_str).unwrap_or_default();
            format!("event: {name}\ndata: {event}\n\n")
        })
        .collect()
}

pub(super) fn document(turn: &Turn) -> Value {
    let thought = turn.reply.thought.iter();
    let thought =
        thought.map(|text| json!({"type": "thinking", "thinking": text, "signature": turn.signature()}));
    let text = turn.reply.text.iter().map(|text| json!({"type": "text", "text": text}));
    let calls = turn.reply.calls.iter().enumerate().map(|(index, call)| {
        json!({"type": "tool_use", "id": call_id(turn, index), "name": call.name,
            "input": call.arguments_object()})
    });
    let content: Vec<Value> = thought.chain(text).chain(calls).collect();
    let mut message = head(turn);
    if let Some(fields) = message.as_object_mut() {
        fields.insert("content".to_owned(), json!(content));
        fields.insert("stop_reason".to_owned(), json!(finish(turn.finish())));
        fields.extend(turn.tokens.map(usage));
    }
    message
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_scripted"})
}

fn head(turn: &Turn) -> Value {
    json!({"id": format!("msg_{}", turn.number), "type": "message", "role": "assistant",
        "model": turn.model, "content": null, "stop_reason": null, "stop_sequence": null})
}

fn call_id(turn: &Turn, index: usize) -> String {
    format!("toolu_{}_{index}", turn.number)
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::ToolCalls => "tool_use",
        Finish::Length => "max_tokens",
        Finish::Refused => "refusal",
    }
}

/// Here what came from a cache is not part of the input.
fn usage(tokens: Tokens) -> (String, Value) {
    let usage = json!({"input_tokens": tokens.input.saturating_sub(tokens.cached),
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.output});
    ("usage".to_owned(), usage)
}
