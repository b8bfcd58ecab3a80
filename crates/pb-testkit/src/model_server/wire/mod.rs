//! The three wire formats. Each makes of a turn the chunks of a stream, or one document, and of a status an
//! error as the vendor words it.

mod anthropic;
mod gemini;
mod openai;

use serde_json::Value;

use super::request::{Request, Wire};
use super::turn::Turn;

/// When every answer was made, in seconds: the same each time.
const CREATED_S: u64 = 1_767_225_600;

/// The events of a stream.
pub(super) fn events(request: &Request, turn: &Turn) -> Vec<String> {
    match request.wire {
        Wire::OpenAi => openai::events(turn, request.wants_usage()),
        Wire::Anthropic => anthropic::events(turn),
        Wire::Gemini => gemini::chunks(turn).iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect(),
    }
}

/// A stream as one array, element by element.
pub(super) fn array(turn: &Turn) -> Vec<String> {
    let mut text: Vec<String> = gemini::chunks(turn)
        .iter()
        .enumerate()
        .map(|(n, chunk)| format!("{}{chunk}", if n == 0 { "[" } else { ",\r\n" }))
        .collect();
    text.push("]".to_owned());
    text
}

/// The whole answer as one document.
pub(super) fn document(wire: Wire, turn: &Turn) -> Value {
    match wire {
        Wire::OpenAi => openai::document(turn),
        Wire::Anthropic => anthropic::document(turn),
        Wire::Gemini => gemini::document(turn),
    }
}

/// An error, as the vendor words it.
pub(super) fn error(wire: Wire, status: u16, message: &str) -> Value {
    match wire {
        Wire::OpenAi => openai::error(status, message),
        Wire::Anthropic => anthropic::error(status, message),
        Wire::Gemini => gemini::error(status, message),
    }
}

/// The list of models.
pub(super) fn models(wire: Wire, model: &str) -> Value {
    match wire {
        Wire::OpenAi | Wire::Anthropic => openai::models(model),
        Wire::Gemini => gemini::models(model),
    }
}
