//! What is new in a request to a model, in the form of OpenTelemetry's `gen_ai.input.messages`.

use pb_llm::{Message, Said};
use pb_runtime::config::Content;
use serde_json::{Value, json};

use super::content::{Name, Text};

/// Most messages of a request that are kept, the latest ones.
const MESSAGES_MAX: usize = 32;
/// Most bytes of them; the latest one is kept in any case.
const MESSAGES_BYTES_MAX: usize = 128 * 1024;

/// The messages after the last answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Messages(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text { role: &'static str, text: Text },
    Result { id: Name, text: Text },
}

impl Messages {
    /// Those of a conversation that its model has not seen before.
    pub(super) fn new_in(conversation: &[Message]) -> Self {
        let (mut parts, mut bytes) = (Vec::new(), 0);
        for message in conversation.iter().rev().take_while(|one| !matches!(one, Message::Assistant(_))) {
            let part = match message {
                Message::System { text } => Part::Text { role: "system", text: Text::new(text.as_str()) },
                Message::User { text } => Part::Text { role: "user", text: Text::new(text.as_str()) },
                Message::Assistant(_) => break,
                Message::Tool { call_id, content, .. } => {
                    Part::Result { id: Name::new(call_id), text: Text::new(content.as_str()) }
                }
            };
            bytes += part.weight();
            if parts.len() == MESSAGES_MAX || (bytes > MESSAGES_BYTES_MAX && !parts.is_empty()) {
                break;
            }
            parts.push(part);
        }
        parts.reverse();
        Self(parts)
    }

    /// How many bytes they hold.
    pub(super) fn weight(&self) -> usize {
        self.0.iter().map(Part::weight).sum()
    }

    /// As they may be shown.
    pub(super) fn shown(&self, content: Content) -> Value {
        self.0.iter().map(|part| part.shown(content)).collect()
    }
}

/// What a model answered: its words and reasoning, and what it calls. With which arguments is told with each call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    text: Text,
    thought: Text,
    calls: Vec<Name>,
}

impl Reply {
    pub(super) fn of(said: &Said) -> Self {
        Self {
            text: Text::new(said.text.as_str()),
            thought: Text::new(said.thought.as_str()),
            calls: said.calls.iter().take(MESSAGES_MAX).map(|call| Name::new(&call.name)).collect(),
        }
    }

    /// How many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        self.text.weight() + self.thought.weight()
    }

    /// As it may be shown.
    pub(super) fn shown(&self, content: Content) -> Value {
        let calls: Vec<String> = self.calls.iter().map(Name::shown).collect();
        let mut shown = json!({"text": self.text.shown(content), "calls": calls});
        if self.thought.weight() > 0 {
            shown["thought"] = self.thought.shown(content).into();
        }
        shown
    }
}

impl Part {
    fn weight(&self) -> usize {
        match self {
            Self::Text { text, .. } | Self::Result { text, .. } => text.weight(),
        }
    }

    fn shown(&self, content: Content) -> Value {
        match self {
            Self::Text { role, text } => {
                json!({"role": role, "parts": [{"type": "text", "content": text.shown(content)}]})
            }
            Self::Result { id, text } => json!({"role": "tool", "parts": [{
                "type": "tool_call_response", "id": id.shown(), "response": text.shown(content),
            }]}),
        }
    }
}
