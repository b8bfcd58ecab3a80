//! What clients that ask for it are told while a model speaks or a tool prints (`wire.md` §2.8,
//! `llm.stream.*`). Deltas are in no log: they carry no cursor, and what is lost of them is lost.
//!
//! ```text
//!   a model:  llm.stream.start, llm.stream.chunk ..., llm.stream.end or llm.stream.error
//!   a tool:   tool.output ...
//!   an answer in a conversation:  conversation.stream.start, ...chunk ..., ...end or ...error
//! ```

use pb_model::SessionId;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use crate::frame::EventFrame;
use crate::ipc::{DeltaKind, SchedulerDelta};

/// A model was asked.
pub const STREAM_START: &str = "llm.stream.start";
/// A piece of a model's answer or reasoning.
pub const STREAM_CHUNK: &str = "llm.stream.chunk";
/// A model's answer is whole.
pub const STREAM_END: &str = "llm.stream.end";
/// A model's answer will not become whole.
pub const STREAM_ERROR: &str = "llm.stream.error";
/// A model was asked in a conversation.
pub const TALK_START: &str = "conversation.stream.start";
/// A piece of its answer or reasoning.
pub const TALK_CHUNK: &str = "conversation.stream.chunk";
/// The answer is whole.
pub const TALK_END: &str = "conversation.stream.end";
/// The answer will not become whole.
pub const TALK_ERROR: &str = "conversation.stream.error";
/// A piece of what a tool prints.
pub const TOOL_OUTPUT: &str = "tool.output";

/// The content of a delta's event. All have the ids and the time; the rest depends on its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeltaData {
    /// The call of a model or tool that it is a piece of.
    pub request_id: String,
    /// Of a conversation: the same as `requestId`, by its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<String>,
    /// The conversation, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The goal, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// The work item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Start: the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Output: the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Chunk, output: the piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<String>,
    /// Chunk, output: the piece's number in its call, from 0. One that is missing was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Chunk: `text` or `thought`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DeltaKind>,
    /// End: how many chunks there were, those that were dropped included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_chunks: Option<u64>,
    /// End: tokens of the call. Absent is unknown, not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_used: Option<u64>,
    /// End: why the model stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Error: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it came, in milliseconds since 1970.
    pub timestamp: u64,
}

/// The frame for clients of a delta that came at `now_ms`; `None` if it lacks what its kind needs.
pub fn frame(delta: SchedulerDelta, now_ms: u64) -> Option<EventFrame> {
    let has_chunk = delta.chunk.is_some();
    // An id says what it names.
    let is_talk = delta.goal_id.parse::<SessionId>().is_ok();
    let named = |talk, run| if is_talk { talk } else { run };
    let (name, is_whole) = match delta.kind {
        DeltaKind::Start => (named(TALK_START, STREAM_START), delta.model.is_some()),
        DeltaKind::Text | DeltaKind::Thought => (named(TALK_CHUNK, STREAM_CHUNK), has_chunk),
        DeltaKind::ToolOutput => (TOOL_OUTPUT, has_chunk && delta.tool.is_some()),
        DeltaKind::End => (named(TALK_END, STREAM_END), true),
        DeltaKind::Error => (named(TALK_ERROR, STREAM_ERROR), delta.error.is_some()),
    };
    if !is_whole {
        return None;
    }
    let subject = delta.goal_id;
    let (session_id, goal_id) = if is_talk { (Some(subject), None) } else { (None, Some(subject)) };
    let data = DeltaData {
        stream_id: is_talk.then(|| delta.request_id.clone()),
        request_id: delta.request_id,
        session_id,
        goal_id,
        work_item_id: delta.work_item_id,
        run_id: Some(delta.run_id).filter(|_| !is_talk),
        model: delta.model,
        tool: delta.tool,
        chunk: delta.chunk,
        index: has_chunk.then_some(delta.index),
        kind: matches!(delta.kind, DeltaKind::Text | DeltaKind::Thought).then_some(delta.kind),
        total_chunks: (delta.kind == DeltaKind::End).then_some(delta.index),
        tokens_used: delta.tokens_used,
        finish_reason: delta.finish_reason,
        error: delta.error,
        timestamp: now_ms,
    };
    let data = to_raw_value(&data).ok()?;
    Some(EventFrame { ephemeral: true, ..EventFrame::outside_log(name, data) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &str, told: Option<(&str, &str)>) {
        let ids = r#""goalId":"g","workItemId":"w","runId":"r","requestId":"q""#;
        let delta: SchedulerDelta = serde_json::from_str(&format!("{{{ids},{keys}}}")).unwrap();
        let frame = frame(delta, 9);
        let data = told.map(|(_, keys)| {
            format!(r#"{{"requestId":"q","goalId":"g","workItemId":"w","runId":"r",{keys}"timestamp":9}}"#)
        });
        assert_eq!(
            frame.as_ref().map(|frame| (frame.event.as_str(), frame.data.get(), frame.ephemeral)),
            told.zip(data.as_deref()).map(|((name, _), data)| (name, data, true)),
        );
        if let Some(frame) = frame {
            assert_eq!((frame.cursor, frame.seq, frame.at, frame.subscription_id), (None, None, None, None));
            let back: DeltaData = serde_json::from_str(frame.data.get()).unwrap();
            assert_eq!(serde_json::to_string(&back).unwrap(), frame.data.get());
        }
    }

    #[test]
    fn each_kind_has_its_name_and_its_keys() {
        check(r#""kind":"start","model":"m""#, Some((STREAM_START, r#""model":"m","#)));
        let text = r#""chunk":"你好","index":0,"kind":"text","#;
        check(r#""kind":"text","chunk":"你好","index":0"#, Some((STREAM_CHUNK, text)));
        let thought = r#""chunk":"嗯","index":1,"kind":"thought","#;
        check(r#""kind":"thought","chunk":"嗯","index":1"#, Some((STREAM_CHUNK, thought)));
        let end = r#""totalChunks":2,"tokensUsed":5,"finishReason":"stop","#;
        check(r#""kind":"end","index":2,"tokensUsed":5,"finishReason":"stop""#, Some((STREAM_END, end)));
        check(r#""kind":"end""#, Some((STREAM_END, r#""totalChunks":0,"#)));
        check(r#""kind":"error","error":"broke off""#, Some((STREAM_ERROR, r#""error":"broke off","#)));
        let output = r#""tool":"t","chunk":"x\n","index":4,"#;
        check(r#""kind":"tool_output","tool":"t","chunk":"x\n","index":4"#, Some((TOOL_OUTPUT, output)));
    }

    #[test]
    fn one_that_lacks_what_its_kind_needs_is_none() {
        for keys in [
            r#""kind":"start""#,
            r#""kind":"text""#,
            r#""kind":"thought","index":1"#,
            r#""kind":"tool_output","chunk":"x""#,
            r#""kind":"tool_output","tool":"t""#,
            r#""kind":"error""#,
        ] {
            check(keys, None);
        }
    }
}
