//! From `genai`'s end of a stream to our answer.

use std::collections::HashSet;

use genai::chat::{ContentPart, StopReason, StreamEnd, ToolCall as GenaiCall, Usage as GenaiUsage};
use pb_runtime::config::ProviderKind;
use serde_json::{Map, Value};

use super::error::Fault;
use super::request::signature_prefix;
use crate::{Answer, CallErrorKind, Finish, Said, ToolCall, Usage};

/// Reasons to stop that mean that no sense could be made of what the model said.
const SENSELESS: [&str; 4] = ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "error", "ERROR"];

/// The end of an answer of which the provider shows nothing.
pub(super) fn withheld() -> StreamEnd {
    StreamEnd {
        captured_stop_reason: Some(StopReason::ContentFilter("blocked".to_owned())),
        ..StreamEnd::default()
    }
}

/// The answer of `model`.
///
/// # Errors
/// [`CallErrorKind::Cut`] when it makes no sense.
pub(super) fn from_genai(end: StreamEnd, kind: ProviderKind, model: &str) -> Result<Answer, Fault> {
    let mut text = String::new();
    let mut calls = Vec::new();
    for part in end.captured_content.into_iter().flatten() {
        match part {
            ContentPart::Text(more) => text.push_str(&more),
            ContentPart::ToolCall(call) => calls.push(to_call(call, kind)),
            // Signatures are with the calls, reasoning comes apart.
            ContentPart::ThoughtSignature(_)
            | ContentPart::ReasoningContent(_)
            | ContentPart::ToolResponse(_)
            | ContentPart::Binary(_)
            | ContentPart::Custom(_) => {}
        }
    }
    let calls = unique(match kind {
        ProviderKind::OpenAi => without_echoes(calls),
        ProviderKind::Anthropic | ProviderKind::Gemini => calls,
    });
    let finish = finish(end.captured_stop_reason.as_ref(), calls.is_empty())?;
    let thought = end.captured_reasoning_content.unwrap_or_default();
    let usage = end.captured_usage.as_ref().and_then(usage);
    Ok(Answer { said: Said { text, thought, calls }, finish, usage, model: model.to_owned() })
}

fn to_call(call: GenaiCall, kind: ProviderKind) -> ToolCall {
    let prefix = signature_prefix(kind);
    let signatures = call.thought_signatures.unwrap_or_default();
    ToolCall {
        id: call.call_id,
        name: call.fn_name,
        arguments: to_arguments(call.fn_arguments),
        signatures: signatures.into_iter().map(|one| format!("{prefix}{one}")).collect(),
    }
}

/// No arguments are an empty object, and an object that was sent as text is one.
fn to_arguments(arguments: Value) -> Value {
    match arguments {
        Value::Null => Value::Object(Map::new()),
        Value::String(text) if text.trim().is_empty() => Value::Object(Map::new()),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => Value::Object(object),
            _ => Value::String(text),
        },
        other => other,
    }
}

/// Without the copies that `genai` makes of a call of `OpenAI`'s wire whose index leaves a gap: they
/// would be run too. A copy has the id and at most the beginning of the arguments.
fn without_echoes(calls: Vec<ToolCall>) -> Vec<ToolCall> {
    let mut kept: Vec<ToolCall> = Vec::new();
    for call in calls {
        let is_echo = |before: &ToolCall| {
            let begun = before.arguments.as_object().is_none_or(serde_json::Map::is_empty);
            before.id == call.id
                && !call.id.is_empty()
                && before.name == call.name
                && (before.arguments == call.arguments || begun)
        };
        while kept.last().is_some_and(is_echo) {
            kept.pop();
        }
        kept.push(call);
    }
    kept
}

/// With ids of their own for calls without one, and for those that share one.
fn unique(mut calls: Vec<ToolCall>) -> Vec<ToolCall> {
    let mut used = HashSet::new();
    for call in &mut calls {
        if call.id.trim().is_empty() || used.contains(&call.id) {
            // Of the form that `genai` makes up for Gemini, and does not send back there.
            let mut names = (0_usize..).map(|n| format!("call#{}#{n}", call.name));
            call.id = names.find(|name| !used.contains(name)).unwrap_or_default();
        }
        used.insert(call.id.clone());
    }
    calls
}

fn finish(reason: Option<&StopReason>, no_calls: bool) -> Result<Finish, Fault> {
    let senseless = |reason: &str| {
        Err(Fault::new(CallErrorKind::Cut, format!("the answer made no sense: it ended with `{reason}`")))
    };
    match reason {
        Some(reason) if SENSELESS.contains(&reason.raw()) => senseless(reason.raw()),
        // It says that it calls tools, and no call could be read.
        Some(StopReason::ToolCall(reason)) if no_calls => senseless(reason),
        Some(StopReason::MaxTokens(_)) => Ok(Finish::Length),
        Some(StopReason::ContentFilter(_)) => Ok(Finish::Refused),
        Some(StopReason::ToolCall(_)) => Ok(Finish::ToolCalls),
        // Some providers say "stop" after calls too.
        Some(StopReason::Completed(_) | StopReason::StopSequence(_)) if !no_calls => Ok(Finish::ToolCalls),
        Some(StopReason::Completed(_) | StopReason::StopSequence(_)) => Ok(Finish::Stop),
        Some(StopReason::Other(_)) | None => Ok(Finish::Other),
    }
}

/// Half of a usage is none: unknown is not zero.
fn usage(usage: &GenaiUsage) -> Option<Usage> {
    let input = usage.prompt_tokens?;
    let reasoning = usage.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
    let rest = || usage.total_tokens.map(|total| total.saturating_sub(input));
    let output = usage.completion_tokens.or_else(rest).or(reasoning)?;
    Some(Usage { input_tokens: u64::try_from(input).ok()?, output_tokens: u64::try_from(output).ok()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(id: &str, name: &str, arguments: Value) -> ToolCall {
        ToolCall { id: id.to_owned(), name: name.to_owned(), arguments, signatures: Vec::new() }
    }

    #[test]
    fn calls_have_ids_of_their_own() {
        let ids = |calls: Vec<ToolCall>| unique(calls).into_iter().map(|call| call.id).collect::<Vec<_>>();
        let none = || call("", "读", json!({}));
        let same = || call("call#f#0", "f", json!({"a": 1}));
        assert_eq!(
            ids(vec![none(), same(), same(), none(), call("x", "f", json!({}))]),
            ["call#读#0", "call#f#0", "call#f#1", "call#读#1", "x"]
        );
    }

    #[test]
    fn copies_of_a_call_are_no_calls() {
        let whole = || call("1", "f", json!({"a": 1}));
        for copy in [json!("{\"a\""), json!({}), json!({"a": 1})] {
            let copies = vec![call("1", "f", copy.clone()), call("1", "f", copy), whole()];
            assert_eq!(without_echoes(copies), [whole()]);
        }
        let nameless = || call("", "f", json!({}));
        let different = vec![
            call("1", "f", json!({"a": 2})),
            whole(),
            call("2", "f", json!({"a": 1})),
            nameless(),
            nameless(),
        ];
        assert_eq!(without_echoes(different.clone()), different);
    }

    #[test]
    fn half_of_a_usage_is_none() {
        let counted = |prompt, completion, total| GenaiUsage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: total,
            ..GenaiUsage::default()
        };
        let expect = |input_tokens, output_tokens| Some(Usage { input_tokens, output_tokens });
        assert_eq!(usage(&counted(Some(5), Some(2), Some(7))), expect(5, 2));
        assert_eq!(usage(&counted(Some(5), None, Some(5))), expect(5, 0));
        assert_eq!(usage(&counted(Some(5), None, None)), None);
        assert_eq!(usage(&counted(None, Some(2), Some(7))), None);
        assert_eq!(usage(&counted(Some(-1), Some(2), None)), None);
    }
}
