//! What a request says, whatever its wire format.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// The format of a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// Chat completions, which nearly every vendor and local server also speaks.
    OpenAi,
    /// Messages.
    Anthropic,
    /// Contents.
    Gemini,
}

/// How an answer is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// One JSON document.
    Whole,
    /// Server-sent events.
    Events,
    /// An array of JSON, element by element: Gemini without `alt=sse`.
    Array,
}

/// A request for an answer.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) wire: Wire,
    pub(super) delivery: Delivery,
    /// The model that is asked.
    pub(super) model: String,
    pub(super) body: Value,
}

impl Request {
    /// How many answers the conversation has so far.
    pub(super) fn assistant_messages(&self) -> usize {
        let role = match self.wire {
            Wire::OpenAi | Wire::Anthropic => "assistant",
            Wire::Gemini => "model",
        };
        let messages = self.messages().and_then(Value::as_array);
        messages.into_iter().flatten().filter(|message| text(message, "role") == Some(role)).count()
    }

    /// Whether a tool of this name is offered.
    pub(super) fn offers(&self, tool: &str) -> bool {
        let tools = self.body.get("tools").and_then(Value::as_array).into_iter().flatten();
        match self.wire {
            Wire::OpenAi => tools
                .filter_map(|offered| offered.get("function"))
                .any(|function| text(function, "name") == Some(tool)),
            Wire::Anthropic => tools.into_iter().any(|offered| text(offered, "name") == Some(tool)),
            Wire::Gemini => tools
                .filter_map(|offered| offered.get("functionDeclarations")?.as_array())
                .flatten()
                .any(|function| text(function, "name") == Some(tool)),
        }
    }

    /// Whether a message or the system prompt contains this.
    pub(super) fn contains(&self, needle: &str) -> bool {
        let system = match self.wire {
            Wire::OpenAi => None,
            Wire::Anthropic => self.body.get("system"),
            Wire::Gemini => self.body.get("systemInstruction"),
        };
        system.into_iter().chain(self.messages()).any(|value| any_text(value, needle))
    }

    /// Tells states of conversations apart: the same for the same messages.
    pub(super) fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.messages().map(Value::to_string).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether a stream is to end with a chunk that counts tokens.
    pub(super) fn wants_usage(&self) -> bool {
        self.body.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false)
    }

    fn messages(&self) -> Option<&Value> {
        self.body.get(match self.wire {
            Wire::OpenAi | Wire::Anthropic => "messages",
            Wire::Gemini => "contents",
        })
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// Whether any text in here contains this.
fn any_text(value: &Value, needle: &str) -> bool {
    match value {
        Value::String(text) => text.contains(needle),
        Value::Array(values) => values.iter().any(|value| any_text(value, needle)),
        Value::Object(fields) => fields.values().any(|value| any_text(value, needle)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
