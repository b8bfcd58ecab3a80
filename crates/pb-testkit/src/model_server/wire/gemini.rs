//! Gemini's contents. A call comes whole and without an id, as from the service.

use serde_json::{Value, json};

use crate::model_server::reply::{Finish, Tokens};
use crate::model_server::turn::Turn;

/// The chunks of a stream, each a response of its own.
pub(super) fn chunks(turn: &Turn) -> Vec<Value> {
    let thought = turn.reply.thought.as_deref().unwrap_or_default();
    let text = turn.reply.text.as_deref().unwrap_or_default();
    let thoughts = turn.pieces(thought).into_iter().map(|piece| json!({"text": piece, "thought": true}));
    let texts = turn.pieces(text).into_iter().map(|piece| json!({"text": piece}));
    let mut chunks: Vec<Value> =
        thoughts.chain(texts).chain(calls(turn)).map(|part| response(turn, &[part], None)).collect();
    chunks.push(response(turn, &[json!({"text": ""})], Some(turn.finish())));
    chunks
}

pub(super) fn document(turn: &Turn) -> Value {
    let thought = turn.reply.thought.iter().map(|text| json!({"text": text, "thought": true}));
    let text = turn.reply.text.iter().map(|text| json!({"text": text}));
    let parts: Vec<Value> = thought.chain(text).chain(calls(turn)).collect();
    response(turn, &parts, Some(turn.finish()))
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let word = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        400..500 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status, "message": message, "status": word}})
}

pub(super) fn models(model: &str) -> Value {
    json!({"models": [{"name": format!("models/{model}"), "displayName": model,
        "supportedGenerationMethods": ["generateContent"]}]})
}

fn calls(turn: &Turn) -> impl Iterator<Item = Value> {
    turn.reply.calls.iter().enumerate().map(|(index, call)| {
        let call = json!({"name": call.name, "args": call.arguments_object()});
        // The first call carries the proof that the thought before it was the vendor's own.
        if index == 0 && turn.reply.thought.is_some() {
            json!({"functionCall": call, "thoughtSignature": turn.signature()})
        } else {
            json!({"functionCall": call})
        }
    })
}

/// One response; the last of a stream says why it ends and what it cost.
fn response(turn: &Turn, parts: &[Value], finish: Option<Finish>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(fields) = candidate.as_object_mut() {
        fields.extend(finish.map(|finish| ("finishReason".to_owned(), json!(word(finish)))));
    }
    let mut response = json!({"candidates": [candidate]});
    if let Some(fields) = response.as_object_mut() {
        fields.extend(turn.tokens.map(|tokens| usage(tokens, finish.is_some())));
        fields.insert("modelVersion".to_owned(), json!(turn.model));
        fields.insert("responseId".to_owned(), json!(format!("response-{}", turn.number)));
    }
    response
}

fn word(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::ToolCalls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Refused => "SAFETY",
    }
}

fn usage(tokens: Tokens, complete: bool) -> (String, Value) {
    let output = if complete { tokens.output } else { 0 };
    let mut usage = json!({"promptTokenCount": tokens.input, "totalTokenCount": tokens.input + output});
    if let Some(fields) = usage.as_object_mut() {
        fields.extend(complete.then(|| ("candidatesTokenCount".to_owned(), json!(output))));
        fields.extend(
            (tokens.cached > 0).then(|| ("cachedContentTokenCount".to_owned(), json!(tokens.cached))),
        );
    }
    ("usageMetadata".to_owned(), usage)
}
