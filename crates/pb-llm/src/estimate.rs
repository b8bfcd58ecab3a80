//! How many tokens a request has at most, before anybody has counted them (`durability.md` I8).

use crate::{ChatRequest, Message, Usage};

/// Bytes of a token until an endpoint's own ratio is known: few, so that the estimate is high.
const BYTES_PER_TOKEN_LEAST: u64 = 2;
/// How much worse than its last one an endpoint's next ratio may be.
const RATIO_MARGIN: f64 = 1.25;

/// Most tokens of a request of so many bytes; `ratio` is the endpoint's own, in tokens a byte.
pub fn prompt_tokens_upper_bound(request_bytes: u64, ratio: Option<f64>) -> u64 {
    match ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0) {
        None => request_bytes.div_ceil(BYTES_PER_TOKEN_LEAST),
        Some(ratio) => {
            #[expect(clippy::cast_precision_loss, reason = "requests are far below 2^52 bytes")]
            let tokens = request_bytes as f64 * ratio * RATIO_MARGIN;
            #[expect(clippy::cast_possible_truncation, reason = "saturates; the ratio is positive")]
            let tokens = tokens.ceil() as u64;
            tokens
        }
    }
}

/// Most bytes of a request that has at most so many tokens: the other way round.
pub fn request_bytes_at_most(tokens: u64, ratio: Option<f64>) -> u64 {
    match ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0) {
        None => tokens.saturating_mul(BYTES_PER_TOKEN_LEAST),
        Some(ratio) => {
            #[expect(clippy::cast_precision_loss, reason = "windows are far below 2^52 tokens")]
            let bytes = tokens as f64 / (ratio * RATIO_MARGIN);
            #[expect(clippy::cast_possible_truncation, reason = "saturates; the ratio is positive")]
            let bytes = bytes.floor() as u64;
            bytes
        }
    }
}

/// The ratio that a call shows, in tokens a byte; `None` for a request without bytes or tokens.
pub fn tokens_per_byte(usage: Usage, request_bytes: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "token and byte counts are far below 2^52")]
    let ratio = usage.input_tokens as f64 / request_bytes as f64;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// The bytes of a request that become tokens: all texts, calls and results, and the tools.
pub fn request_bytes(request: &ChatRequest) -> u64 {
    let messages = request.messages.iter().map(message_bytes);
    let tools = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.schema.to_string().len());
    messages.chain(tools).map(|bytes| bytes as u64).sum()
}

fn message_bytes(message: &Message) -> usize {
    match message {
        Message::System { text } | Message::User { text } => text.len(),
        Message::Assistant(said) => {
            let calls = said.calls.iter().map(|call| {
                let signatures: usize = call.signatures.iter().map(String::len).sum();
                call.id.len() + call.name.len() + call.arguments.to_string().len() + signatures
            });
            said.text.len() + said.thought.len() + calls.sum::<usize>()
        }
        Message::Tool { call_id, name, content } => call_id.len() + name.len() + content.len(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Said, ToolCall, ToolSpec};

    #[test]
    fn estimates_are_high() {
        assert_eq!(prompt_tokens_upper_bound(0, None), 0);
        assert_eq!(prompt_tokens_upper_bound(1_001, None), 501);
        assert_eq!(prompt_tokens_upper_bound(1_000, Some(0.25)), 313);
        for senseless in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(prompt_tokens_upper_bound(1_000, Some(senseless)), 500, "{senseless}");
        }
        assert_eq!(prompt_tokens_upper_bound(u64::MAX, Some(2.0)), u64::MAX);
    }

    #[test]
    fn what_fits_is_estimated_to_fit() {
        for ratio in [None, Some(0.01), Some(0.25), Some(0.3), Some(1.0)] {
            for tokens in [0, 1, 999, 32_768, 1_000_000] {
                let bytes = request_bytes_at_most(tokens, ratio);
                assert!(prompt_tokens_upper_bound(bytes, ratio) <= tokens.max(1), "{tokens} {ratio:?}");
                let more = bytes + bytes / 1_000 + 110;
                assert!(prompt_tokens_upper_bound(more, ratio) > tokens, "{tokens} {ratio:?}");
            }
        }
    }

    #[test]
    fn a_call_shows_its_ratio() {
        let usage = |input_tokens| Usage { input_tokens, output_tokens: 1 };
        assert_eq!(tokens_per_byte(usage(250), 1_000), Some(0.25));
        assert_eq!(tokens_per_byte(usage(0), 1_000), None);
        assert_eq!(tokens_per_byte(usage(5), 0), None);
    }

    #[test]
    fn everything_that_is_sent_counts() {
        let call = ToolCall {
            id: "1".to_owned(),
            name: "读".to_owned(),
            arguments: json!({"a": 1}),
            signatures: vec!["xy".to_owned()],
        };
        let request = ChatRequest {
            messages: vec![
                Message::System { text: "ab".to_owned() },
                Message::User { text: "你好".to_owned() },
                Message::Assistant(Said {
                    text: "c".to_owned(),
                    thought: "de".to_owned(),
                    calls: vec![call],
                }),
                Message::Tool { call_id: "1".to_owned(), name: "读".to_owned(), content: "ok".to_owned() },
            ],
            tools: vec![ToolSpec { name: "f".to_owned(), description: "gh".to_owned(), schema: json!({}) }],
            output_tokens_max: 1,
        };
        assert_eq!(request_bytes(&request), 2 + 6 + (1 + 2 + 1 + 3 + 7 + 2) + (1 + 3 + 2) + (1 + 2 + 2));
    }
}
