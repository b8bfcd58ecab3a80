//! From our conversation to `genai`'s.

use std::collections::{HashMap, HashSet};

use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest as GenaiRequest, ContentPart, MessageContent, ReasoningEffort,
    Tool, ToolCall as GenaiCall, ToolResponse,
};
use pb_runtime::config::ProviderKind;
use serde_json::{Value, json};

use super::error::Fault;
use crate::{CallErrorKind, ChatRequest, Message, Said, ToolCall, ToolSpec};

/// Names that `genai` takes for tools which the provider runs itself, without our policy.
const ANTHROPICS_OWN: [&str; 1] = ["web_search"];
const GEMINIS_OWN: [&str; 4] = ["googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext"];

/// Longest id of a call that Anthropic is sent, in bytes.
const CALL_ID_BYTES_MAX: usize = 64;

/// What matters of a provider for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire {
    pub(super) kind: ProviderKind,
    /// Whether it takes its own reasoning back.
    pub(super) takes_thought: bool,
}

/// The prefix of a signature in our conversations: only a provider of that kind can read it, and
/// refuses those of others.
pub(super) fn signature_prefix(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::OpenAi => "openai:",
        ProviderKind::Anthropic => "anthropic:",
        ProviderKind::Gemini => "gemini:",
    }
}

/// How `genai` is to send the request and what it is to keep of the answer.
pub(super) fn options(request: &ChatRequest, wire: Wire, model: &str) -> ChatOptions {
    let options = ChatOptions::default()
        .with_max_tokens(request.output_tokens_max)
        // Also asks for it, where it has to be asked for.
        .with_capture_usage(true)
        .with_capture_content(true)
        .with_capture_tool_calls(true)
        .with_capture_reasoning_content(shows_thought(wire.kind, model));
    // `genai` takes the end of a name like `qwen-max` for a wish and cuts it off, unless there is
    // one. These are wishes that it does not send.
    match wire.kind {
        ProviderKind::OpenAi => options.with_reasoning_effort(ReasoningEffort::Budget(0)),
        ProviderKind::Gemini => options.with_reasoning_effort(ReasoningEffort::Zero),
        // To those that think by themselves this one would be sent.
        ProviderKind::Anthropic if ReasoningEffort::from_model_name(model).0.is_some() => {
            options.with_reasoning_effort(ReasoningEffort::Zero)
        }
        ProviderKind::Anthropic => options,
    }
}

/// Whether reasoning may be asked for: Gemini refuses the request for a model that has none.
fn shows_thought(kind: ProviderKind, model: &str) -> bool {
    match kind {
        ProviderKind::OpenAi | ProviderKind::Anthropic => true,
        ProviderKind::Gemini => {
            let before = ["gemini-1", "gemini-2.0"];
            model.starts_with("gemini-") && !before.iter().any(|old| model.starts_with(old))
        }
    }
}

/// The request in `genai`'s types.
pub(super) fn to_genai(request: &ChatRequest, wire: Wire) -> Result<GenaiRequest, Fault> {
    let tools = request.tools.iter().map(|tool| to_tool(tool, wire.kind)).collect::<Result<Vec<_>, _>>()?;
    let mut ids = CallIds::new(wire.kind);
    let mut messages: Vec<ChatMessage> = Vec::new();
    let mut results: Vec<ToolResponse> = Vec::new();
    for message in &request.messages {
        if let Message::Tool { call_id, name, content } = message {
            // The results of one answer are one message, for some providers insist.
            results.push(ToolResponse::new(ids.of_result(call_id), content).with_fn_name(name));
            continue;
        }
        flush(&mut results, &mut messages);
        match message {
            Message::System { text } => messages.push(ChatMessage::system(text.as_str())),
            Message::User { text } => messages.push(ChatMessage::user(text.as_str())),
            Message::Assistant(said) => {
                let parts = to_parts(said, wire, &mut ids);
                if !parts.is_empty() {
                    messages.push(ChatMessage::assistant(MessageContent::from_parts(parts)));
                }
            }
            Message::Tool { .. } => {}
        }
    }
    flush(&mut results, &mut messages);
    let sent = GenaiRequest::new(messages);
    Ok(if tools.is_empty() { sent } else { sent.with_tools(tools) })
}

fn flush(results: &mut Vec<ToolResponse>, messages: &mut Vec<ChatMessage>) {
    if !results.is_empty() {
        messages.push(ChatMessage::from(std::mem::take(results)));
    }
}

fn to_tool(tool: &ToolSpec, kind: ProviderKind) -> Result<Tool, Fault> {
    let taken: &[&str] = match kind {
        ProviderKind::OpenAi => &[],
        ProviderKind::Anthropic => &ANTHROPICS_OWN,
        ProviderKind::Gemini => &GEMINIS_OWN,
    };
    if taken.contains(&tool.name.as_str()) {
        let text = format!("the provider has a tool `{}` of its own; ours needs another name", tool.name);
        return Err(Fault::new(CallErrorKind::Rejected, text));
    }
    Ok(Tool::new(tool.name.as_str())
        .with_description(tool.description.as_str())
        .with_schema(tool.schema.clone()))
}

fn to_parts(said: &Said, wire: Wire, ids: &mut CallIds) -> Vec<ContentPart> {
    let mut parts = Vec::new();
    let calls: Vec<GenaiCall> = said.calls.iter().map(|call| to_call(call, wire.kind, ids)).collect();
    let signed = calls.iter().any(|call| call.thought_signatures.is_some());
    let thought_back = match wire.kind {
        ProviderKind::OpenAi => wire.takes_thought && !calls.is_empty(),
        // Unsigned reasoning is refused.
        ProviderKind::Anthropic => wire.takes_thought && signed,
        ProviderKind::Gemini => false,
    };
    if thought_back && !said.thought.is_empty() {
        parts.push(ContentPart::ReasoningContent(said.thought.clone()));
    }
    if !said.text.is_empty() {
        parts.push(ContentPart::Text(said.text.clone()));
    }
    parts.extend(calls.into_iter().map(ContentPart::ToolCall));
    parts
}

fn to_call(call: &ToolCall, kind: ProviderKind, ids: &mut CallIds) -> GenaiCall {
    let prefix = signature_prefix(kind);
    let signatures: Vec<String> =
        call.signatures.iter().filter_map(|one| one.strip_prefix(prefix)).map(str::to_owned).collect();
    // Providers want an object and nothing else; what was no JSON is shown to the model as it was.
    let arguments = match &call.arguments {
        Value::Object(_) => call.arguments.clone(),
        Value::Null => json!({}),
        Value::String(text) => json!({ "invalid_arguments": text }),
        other => json!({ "invalid_arguments": other }),
    };
    GenaiCall {
        call_id: ids.of_call(&call.id),
        fn_name: call.name.clone(),
        fn_arguments: arguments,
        thought_signatures: (!signatures.is_empty()).then_some(signatures),
    }
}

/// The ids of calls as they are sent. Anthropic wants them unique in the conversation and of few
/// characters; ids that other providers made are neither.
struct CallIds {
    kind: ProviderKind,
    /// What a call's id was last sent as.
    sent: HashMap<String, String>,
    used: HashSet<String>,
}

impl CallIds {
    fn new(kind: ProviderKind) -> Self {
        Self { kind, sent: HashMap::new(), used: HashSet::new() }
    }

    fn of_call(&mut self, id: &str) -> String {
        let sent = match self.kind {
            ProviderKind::OpenAi | ProviderKind::Gemini => id.to_owned(),
            ProviderKind::Anthropic => {
                let plain = plain(id);
                let numbered = (2_u32..).map(|n| format!("{plain}_{n}"));
                let mut names = std::iter::once(plain.clone()).chain(numbered);
                names.find(|name| !self.used.contains(name)).unwrap_or(plain)
            }
        };
        self.used.insert(sent.clone());
        self.sent.insert(id.to_owned(), sent.clone());
        sent
    }

    fn of_result(&self, id: &str) -> String {
        match (self.sent.get(id), self.kind) {
            (Some(sent), _) => sent.clone(),
            (None, ProviderKind::Anthropic) => plain(id),
            (None, ProviderKind::OpenAi | ProviderKind::Gemini) => id.to_owned(),
        }
    }
}

fn plain(id: &str) -> String {
    let plain = id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' });
    let plain: String = plain.take(CALL_ID_BYTES_MAX).collect();
    if plain.is_empty() { "call".to_owned() } else { plain }
}
