//! What a failure means.

use std::error::Error as _;
use std::time::Duration;

use genai::webc;
use reqwest::StatusCode;
use serde_json::Value;

use super::retry_after::retry_after;
use crate::CallErrorKind;

/// A failure, before it is made fit to be shown.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: CallErrorKind,
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
}

impl Fault {
    pub(super) fn new(kind: CallErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
}

/// The conversation is too long, in the words of: `OpenAI` and vLLM; Anthropic; Gemini; llama.cpp
/// and LM Studio; others.
const CONTEXT_WORDS: [&str; 14] = [
    "context length",
    "context_length",
    "maximum context",
    "prompt is too long",
    "exceed context",
    "input token count",
    "exceeds the maximum number of tokens",
    "context size",
    "context window",
    "exceeds the context",
    "exceed_context",
    "too many tokens",
    "too many input tokens",
    "reduce the length",
];
/// The same for a request that is too long in bytes (413).
const SIZE_WORDS: [&str; 2] = ["too large", "too long"];
/// There is no money left, in the words of: `OpenAI`; Anthropic.
const QUOTA_WORDS: [&str; 2] = ["insufficient_quota", "credit balance is too low"];
/// The key is wrong, in Gemini's words: it says so with 400.
const KEY_WORDS: [&str; 2] = ["api_key_invalid", "api key not valid"];

/// What `error` means after so many frames of the answer; `now_ms` is for dates in it.
pub(super) fn fault(error: &genai::Error, frames: u64, now_ms: u64) -> Fault {
    match error {
        genai::Error::WebStream { error, .. } => {
            if let Some(error) = error.downcast_ref::<genai::Error>() {
                return fault(error, frames, now_ms);
            }
            match error.downcast_ref::<reqwest::Error>() {
                Some(error) => transport(error, frames),
                None => Fault::new(CallErrorKind::Cut, format!("the answer made no sense: {error}")),
            }
        }
        genai::Error::HttpError { status, body, headers, .. } => {
            Fault { retry_after: retry_after(headers, body, now_ms), ..refused(*status, body) }
        }
        genai::Error::ChatResponse { body, .. } => reported(body, frames),
        genai::Error::WebModelCall { webc_error: webc::Error::Reqwest(error), .. } => {
            transport(error, frames)
        }
        genai::Error::StreamParse { .. } | genai::Error::JsonValueExt(_) | genai::Error::SerdeJson(_) => {
            Fault::new(CallErrorKind::Cut, format!("the answer made no sense: {error}"))
        }
        other => Fault::new(CallErrorKind::Rejected, format!("the request cannot be made: {other}")),
    }
}

fn transport(error: &reqwest::Error, frames: u64) -> Fault {
    let kind = match (frames, error.is_builder()) {
        (_, true) => CallErrorKind::Rejected,
        (0, false) => CallErrorKind::Unreachable,
        (_, false) => CallErrorKind::Cut,
    };
    // Its own text says only that there was an error.
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Fault::new(kind, message)
}

/// An answer of HTTP that is no success.
fn refused(status: StatusCode, body: &str) -> Fault {
    let said = match serde_json::from_str(body) {
        Ok(body) => said(&body),
        Err(_) => body.trim().to_owned(),
    };
    let message = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
    Fault::new(kind_of(status.as_u16(), &body.to_lowercase()), message)
}

fn kind_of(status: u16, body: &str) -> CallErrorKind {
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    match status {
        402 => CallErrorKind::QuotaExhausted,
        400..=499 if says(&QUOTA_WORDS) => CallErrorKind::QuotaExhausted,
        401 | 403 => CallErrorKind::Unauthorized,
        400 if says(&KEY_WORDS) => CallErrorKind::Unauthorized,
        429 => CallErrorKind::RateLimited,
        // Some servers break down (500) over a conversation that is too long.
        400 | 413 | 422 | 500 if says(&CONTEXT_WORDS) => CallErrorKind::ContextOverflow,
        413 if says(&SIZE_WORDS) => CallErrorKind::ContextOverflow,
        408 | 500..=599 => CallErrorKind::Overloaded,
        _ => CallErrorKind::Rejected,
    }
}

/// An error that came in the stream, after 200; it is a frame itself.
fn reported(body: &Value, frames: u64) -> Fault {
    let message = format!("the provider reported: {}", said(body));
    if frames > 1 {
        return Fault::new(CallErrorKind::Cut, message);
    }
    let error = body.get("error").unwrap_or(body);
    let word = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = match (word("type"), number) {
        (_, Some(status)) if (400..600).contains(&status) => status,
        ("rate_limit_error" | "rate_limit_exceeded" | "tokens" | "requests", _) => 429,
        ("authentication_error", _) => 401,
        ("permission_error", _) => 403,
        ("billing_error" | "insufficient_quota", _) => 402,
        ("invalid_request_error" | "not_found_error", _) => 400,
        ("request_too_large", _) => 413,
        _ => 500,
    };
    Fault::new(kind_of(status, &body.to_string().to_lowercase()), message)
}

/// What an error says, in the places where providers put it.
fn said(body: &Value) -> String {
    let body = body.get(0).unwrap_or(body);
    let places = ["/error/message", "/error", "/message", "/detail"];
    let text = places.iter().find_map(|place| body.pointer(place).and_then(Value::as_str));
    text.map_or_else(|| body.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_refusals() {
        use CallErrorKind::{
            ContextOverflow, Overloaded, QuotaExhausted, RateLimited, Rejected, Unauthorized,
        };
        for (status, body, kind) in [
            (401, "", Unauthorized),
            (403, "", Unauthorized),
            (400, r#"{"error":{"message":"API key not valid. Please pass a valid API key."}}"#, Unauthorized),
            (402, "", QuotaExhausted),
            (429, r#"{"error":{"code":"insufficient_quota"}}"#, QuotaExhausted),
            (400, "Your credit balance is too low to access the Anthropic API", QuotaExhausted),
            (429, "Request too large for model on tokens per minute", RateLimited),
            (400, "This model's maximum context length is 4096 tokens", ContextOverflow),
            (400, "prompt is too long: 210000 tokens > 200000 maximum", ContextOverflow),
            (400, "input length and `max_tokens` exceed context limit", ContextOverflow),
            (
                400,
                "The input token count (5) exceeds the maximum number of tokens allowed (4).",
                ContextOverflow,
            ),
            (400, "the request exceeds the available context size", ContextOverflow),
            (413, "request_too_large: Request too large", ContextOverflow),
            (400, "max_tokens is too large: 100000", Rejected),
            (404, "model not found", Rejected),
            (413, "", Rejected),
            (302, "", Rejected),
            (408, "", Overloaded),
            (500, "", Overloaded),
            (529, "overloaded_error", Overloaded),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(refused(status, body).kind, kind, "{status} {body}");
        }
    }

    #[test]
    fn what_an_error_says_is_found() {
        for (body, expect) in [
            (r#"{"error":{"message":"不行","type":"x"}}"#, "400 Bad Request: 不行"),
            (r#"[{"error":{"message":"no"}}]"#, "400 Bad Request: no"),
            (r#"{"error":"model 'x' not found"}"#, "400 Bad Request: model 'x' not found"),
            (r#"{"detail":"no"}"#, "400 Bad Request: no"),
            (r#"{"code":1}"#, r#"400 Bad Request: {"code":1}"#),
            (" no such page\n", "400 Bad Request: no such page"),
            ("", "400 Bad Request"),
        ] {
            assert_eq!(refused(StatusCode::BAD_REQUEST, body).message, expect);
        }
    }
}
