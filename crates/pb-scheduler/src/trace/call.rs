//! What is told about calls of models and tools.

use pb_llm::Answer;
use pb_model::Tier;
use serde_json::{Value, json};

use super::What;
use super::bounds::{cut, cut_value};

/// A call begins or ends. The texts in it are cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CallNote {
    /// A step asks for an answer: of the first model, or of another one.
    TierRequest {
        tier: Tier,
        models: Vec<String>,
        messages: usize,
    },
    Attempt {
        tier: Tier,
        model: String,
    },
    Succeeded {
        tier: Tier,
        model: String,
        response_bytes: usize,
        tokens: Option<u64>,
    },
    Failed {
        tier: Tier,
        model: String,
        error: String,
        is_recoverable: bool,
    },
    Request {
        model: String,
        messages: usize,
        output_tokens_max: u32,
    },
    Response {
        model: String,
        duration_ms: u64,
        text: String,
        calls: Vec<String>,
    },
    RequestFailed {
        model: String,
        duration_ms: u64,
        error: String,
    },
    Tokens {
        model: String,
        input: u64,
        output: u64,
    },
    ToolInvoked {
        tool: String,
        args: Value,
    },
    ToolSucceeded {
        tool: String,
        result: String,
        duration_ms: u64,
    },
    ToolFailed {
        tool: String,
        error: String,
        duration_ms: u64,
    },
}

impl CallNote {
    /// A tool is called.
    pub(crate) fn tool_invoked(tool: &str, args: Value) -> What {
        What::Call(Self::ToolInvoked { tool: cut(tool.to_owned()), args: cut_value(args) })
    }

    /// A call of a tool ended: with what it came to, or with what went wrong.
    pub(crate) fn tool_ended(tool: &str, ended: Result<String, String>, duration_ms: u64) -> What {
        let tool = cut(tool.to_owned());
        What::Call(match ended {
            Ok(result) => Self::ToolSucceeded { tool, result: cut(result), duration_ms },
            Err(error) => Self::ToolFailed { tool, error: cut(error), duration_ms },
        })
    }

    /// A model answered.
    pub(super) fn answered(answer: &Answer, duration_ms: u64) -> What {
        What::Call(Self::Response {
            model: answer.model.clone(),
            duration_ms,
            text: cut(answer.said.text.clone()),
            calls: answer.said.calls.iter().map(|call| cut(call.name.clone())).collect(),
        })
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::TierRequest { .. } => "llm.tier.request",
            Self::Attempt { .. } => "llm.model.attempt",
            Self::Succeeded { .. } => "llm.model.success",
            Self::Failed { .. } => "llm.model.failed",
            Self::Request { .. } => "llm.request",
            Self::Response { .. } => "llm.response",
            Self::RequestFailed { .. } => "llm.error",
            Self::Tokens { .. } => "llm.tokens",
            Self::ToolInvoked { .. } => "tool.invoke",
            Self::ToolSucceeded { .. } => "tool.result",
            Self::ToolFailed { .. } => "tool.error",
        }
    }

    /// The part of the system that tells it.
    pub(super) fn source(&self) -> &'static str {
        match self {
            Self::TierRequest { .. }
            | Self::Attempt { .. }
            | Self::Succeeded { .. }
            | Self::Failed { .. } => "llm-service",
            Self::Request { .. }
            | Self::Response { .. }
            | Self::RequestFailed { .. }
            | Self::Tokens { .. } => "llm-provider",
            Self::ToolInvoked { .. } | Self::ToolSucceeded { .. } | Self::ToolFailed { .. } => {
                "tool-registry"
            }
        }
    }

    /// Its keys; `id` is the call's.
    pub(super) fn data(self, id: &str) -> Value {
        match self {
            Self::TierRequest { tier, models, messages } => json!({
                "tier": tier,
                "primaryModel": models.first(),
                "fallbackModel": models.get(1),
                "messageCount": messages,
            }),
            Self::Attempt { tier, model } => json!({"tier": tier, "model": model}),
            Self::Succeeded { tier, model, response_bytes, tokens } => {
                json!({"tier": tier, "model": model, "responseLength": response_bytes, "tokensUsed": tokens})
            }
            Self::Failed { tier, model, error, is_recoverable } => {
                json!({"tier": tier, "model": model, "error": error, "recoverable": is_recoverable})
            }
            Self::Request { model, messages, output_tokens_max } => json!({
                "requestId": id,
                "model": model,
                "messageCount": messages,
                "options": {"maxTokens": output_tokens_max},
            }),
            Self::Response { model, duration_ms, text, calls } => json!({
                "requestId": id,
                "model": model,
                "durationMs": duration_ms,
                "response": {"text": text, "calls": calls},
            }),
            Self::RequestFailed { model, duration_ms, error } => {
                json!({"requestId": id, "model": model, "durationMs": duration_ms, "error": error})
            }
            Self::Tokens { model, input, output } => json!({
                "requestId": id,
                "model": model,
                "inputTokens": input,
                "outputTokens": output,
                "totalTokens": input.saturating_add(output),
            }),
            Self::ToolInvoked { tool, args } => json!({"invocationId": id, "toolName": tool, "args": args}),
            Self::ToolSucceeded { tool, result, duration_ms } => {
                json!({"invocationId": id, "toolName": tool, "result": result, "durationMs": duration_ms})
            }
            Self::ToolFailed { tool, error, duration_ms } => {
                json!({"invocationId": id, "toolName": tool, "error": error, "durationMs": duration_ms})
            }
        }
    }
}
