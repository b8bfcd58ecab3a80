//! The neutral request, answer and stream. What is journaled of a conversation are these types,
//! so their serialized forms are additive: a later version may add fields with defaults.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Price;

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// How the model is to behave.
    System {
        /// In words.
        text: String,
    },
    /// What it is told.
    User {
        /// In words.
        text: String,
    },
    /// What it said.
    Assistant(Said),
    /// What one of its calls came to.
    Tool {
        /// The call's id, as the model gave it.
        call_id: String,
        /// The tool's name.
        name: String,
        /// The result, as the model is to see it.
        content: String,
    },
}

/// What a model said in one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Its words; empty when it only called tools.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Its reasoning, where the provider shows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thought: String,
    /// The tools that it calls, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
}

/// A tool that a model calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's id for the call; made up, and unique in its answer, where the provider has none.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments; a string when what came was no JSON.
    pub arguments: Value,
    /// What the provider wants back with the call (signatures of reasoning).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<String>,
}

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Value,
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// What may be called.
    pub tools: Vec<ToolSpec>,
    /// Most tokens of the answer; always sent, for it bounds the cost (`durability.md` I8).
    pub output_tokens_max: u32,
}

/// A model's answer, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What it said.
    pub said: Said,
    /// Why it stopped.
    pub finish: Finish,
    /// What it used, if the provider said so. Absent is unknown, not zero.
    pub usage: Option<Usage>,
    /// The model that answered.
    pub model: String,
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request, those read from a cache included.
    pub input_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
}

/// Why an answer stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done.
    Stop,
    /// It calls tools.
    ToolCalls,
    /// It ran into its limit, or the model's.
    Length,
    /// The provider withheld it.
    Refused,
    /// The provider gave another reason, or none.
    Other,
}

/// A piece of an answer as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Words.
    Text(String),
    /// Reasoning.
    Thought(String),
    /// Something of a call of a tool; which one it is comes with the answer.
    Call,
}

/// Why a call did not end in an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{model}: {message}")]
pub struct CallError {
    /// The model that was called.
    pub model: String,
    /// What kind of failure it is.
    pub kind: CallErrorKind,
    /// What the provider said, without keys, at most [`ERROR_BYTES_MAX`] bytes.
    pub message: String,
    /// When to try again, if the provider said so.
    pub retry_after: Option<Duration>,
}

/// Longest text of a provider's error that is kept, in bytes.
pub const ERROR_BYTES_MAX: usize = 2 * 1024;

/// The kinds of failure of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallErrorKind {
    /// No connection, or no answer at all.
    Unreachable,
    /// Too many requests (429).
    RateLimited,
    /// The provider failed (5xx, overloaded).
    Overloaded,
    /// The key is missing or refused (401, 403).
    Unauthorized,
    /// No money left there (402, or so said).
    QuotaExhausted,
    /// The conversation does not fit the model.
    ContextOverflow,
    /// The provider does not understand or allow the request (other 4xx).
    Rejected,
    /// The answer broke off, or made no sense, after it had begun.
    Cut,
    /// The answer had begun and nothing more came for a while.
    Silent,
}

impl CallErrorKind {
    /// The word in what is told of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Unauthorized => "unauthorized",
            Self::QuotaExhausted => "quota_exhausted",
            Self::ContextOverflow => "context_overflow",
            Self::Rejected => "rejected",
            Self::Cut => "cut",
            Self::Silent => "silent",
        }
    }

    /// Whether another try, or another model, may help.
    pub fn is_retriable(self) -> bool {
        match self {
            Self::Unreachable | Self::RateLimited | Self::Overloaded | Self::Cut | Self::Silent => true,
            Self::Unauthorized | Self::QuotaExhausted | Self::ContextOverflow | Self::Rejected => false,
        }
    }

    /// Whether the provider may have charged for it: an answer had begun.
    pub fn may_be_charged(self) -> bool {
        match self {
            Self::Cut | Self::Silent => true,
            Self::Unreachable
            | Self::RateLimited
            | Self::Overloaded
            | Self::Unauthorized
            | Self::QuotaExhausted
            | Self::ContextOverflow
            | Self::Rejected => false,
        }
    }
}

/// Hears an answer as it comes.
pub type Listener<'a> = &'a mut (dyn FnMut(Delta) + Send);

/// A model that can be called.
pub trait ChatModel: fmt::Debug + Send + Sync {
    /// Its name, `provider/model`.
    fn name(&self) -> &str;

    /// What it costs; `None` when nobody has said. Local models are free, which is a price.
    fn price(&self) -> Option<Price>;

    /// How many tokens it takes in at once, request and answer together.
    fn context_tokens(&self) -> u64;

    /// Calls it; `listener` hears the answer as it comes. Dropping the future ends the call.
    fn call<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: Listener<'a>,
    ) -> BoxFuture<'a, Result<Answer, CallError>>;
}
