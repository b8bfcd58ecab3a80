//! The link between scheduler and gateway (`wire.md` §1, `durability.md` §3): one JSON object a line.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::debug::DebugEvent;
use crate::methods::goal_diff::DiffResult;
use crate::methods::log::Levels;

/// What a scheduler calls itself in `connect`.
pub const CLIENT_TYPE: &str = "scheduler-daemon";
/// What a scheduler can that keeps a log.
pub const LOG_CAPABILITY: &str = "log";
/// How often the gateway pings, in milliseconds.
pub const PING_INTERVAL_MS: u64 = 30_000;
/// After how long without a word a peer is dropped, in milliseconds.
pub const SILENCE_MAX_MS: u64 = 60_000;

/// One line in either direction. Unknown keys are ignored.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// Which frame it is; unknown ones are ignored.
    pub r#type: String,
    /// When it was sent, in milliseconds since 1970.
    #[serde(default)]
    pub timestamp: u64,
    /// The frame's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

/// A frame, by its type. Read by [`parse`] and written by [`line()`]: serde buffers what it reads for
/// a tagged enum, and the raw JSON in a [`SchedulerEvent`] does not survive that.
#[derive(Debug, Clone)]
pub enum Frame {
    /// Scheduler: who it is. The first line of a connection.
    Connect(Connect),
    /// Scheduler: it closes on purpose.
    Disconnect(Disconnect),
    /// Gateway: are you there?
    Ping,
    /// Scheduler: yes.
    Pong,
    /// Scheduler: an event was committed.
    SchedulerEvent(Box<SchedulerEvent>),
    /// Scheduler: a piece of what a model says or a tool prints. In no log: lost is lost.
    SchedulerDelta(Box<SchedulerDelta>),
    /// Scheduler: a debug event was written into the trace.
    DebugEvent(Box<DebugEvent>),
    /// Gateway: look into the inbox.
    SchedulerCommand(SchedulerCommand),
    /// Scheduler: a command was executed; its result is in the log.
    SchedulerCommandResult(SchedulerCommandResult),
    /// Gateway: what does the scheduler write into its log, or what is it to write.
    LogLevels(LogLevels),
    /// Scheduler: that.
    LogLevelsTold(Box<LogLevelsTold>),
    /// Gateway: what did a goal change in its folder.
    GoalDiff(GoalDiff),
    /// Scheduler: that.
    GoalDiffTold(Box<GoalDiffTold>),
    /// Gateway: why the connection is refused.
    Refused(Refused),
}

/// Who the scheduler is, and where its log lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// [`CLIENT_TYPE`].
    pub client_type: String,
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// What it can do: `log`.
    #[serde(default)]
    pub caps: Vec<String>,
    /// Its log; absent in the first implementation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogAddress>,
}

/// Where a log lies and which history it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAddress {
    /// The log's id.
    pub id: String,
    /// Its generation.
    pub generation: u64,
    /// Its schema version.
    pub schema: u32,
    /// Its file.
    pub path: String,
}

impl Connect {
    /// The log that it keeps, and says that it keeps; `None` for one of the first implementation.
    pub fn kept_log(&self) -> Option<&LogAddress> {
        self.log.as_ref().filter(|_| self.caps.iter().any(|cap| cap == LOG_CAPABILITY))
    }
}

/// Why the scheduler closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// Such as `client_shutdown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A committed event, in the shape of `wire.md` §3.1, with its place in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerEvent {
    /// Its position in the log. First, so that it is found without reading the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos: Option<u64>,
    /// Its name with underscores, such as `work_item_started`.
    pub r#type: String,
    /// When it happened.
    pub timestamp: u64,
    /// The goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<String>,
    /// The work item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What is told about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// The log's generation.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Its number in its goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Its own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name on the WebSocket, such as `workitem.started`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// A piece of what a model says or a tool prints, while it does. Clients are told it as `delta.rs` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerDelta {
    /// The goal.
    pub goal_id: String,
    /// The work item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run.
    pub run_id: String,
    /// The call of a model or tool that it is a piece of.
    pub request_id: String,
    /// What it is.
    pub kind: DeltaKind,
    /// The piece: of a text, a thought or an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<String>,
    /// The piece's number in its call, from 0; at the end, how many pieces were made. A number that is
    /// missing was dropped.
    #[serde(default)]
    pub index: u64,
    /// At the start: the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// At the end: tokens of the call, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_used: Option<u64>,
    /// At the end: why the model stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The tool whose output it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Why the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a delta is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaKind {
    /// A model was asked.
    Start,
    /// A piece of its answer.
    Text,
    /// A piece of its reasoning.
    Thought,
    /// A piece of what a tool prints.
    ToolOutput,
    /// The model's answer is whole.
    End,
    /// The model's answer will not become whole.
    Error,
}

impl DeltaKind {
    /// Its word on the link.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Text => "text",
            Self::Thought => "thought",
            Self::ToolOutput => "tool_output",
            Self::End => "end",
            Self::Error => "error",
        }
    }
}

/// The bell for the inbox, in the shape of `wire.md` §1.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerCommand {
    /// The command's id in the inbox.
    pub request_id: String,
    /// `submit_goal` or `cancel_goal`.
    pub command: String,
    /// The goal.
    pub goal_id: String,
    /// Why it is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A command was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerCommandResult {
    /// The command's id.
    pub request_id: String,
    /// Whether it changed something.
    pub success: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A question about the scheduler's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLevels {
    /// The question's own id.
    pub request_id: String,
    /// What is to be changed; nothing if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<LogLevelsChange>,
}

/// What is to be written into a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLevelsChange {
    /// A filter such as `pb_scheduler=debug`; what is usual if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Whether it stays so after the next start.
    #[serde(default)]
    pub keep: bool,
}

/// What is written into a log, or why that does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLevelsTold {
    /// The question's id.
    pub request_id: String,
    /// What is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Levels>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A question about a goal's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoalDiff {
    /// The question's own id.
    pub request_id: String,
    /// The goal.
    pub goal_id: String,
}

/// What a goal changed in its folder, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoalDiffTold {
    /// The question's id.
    pub request_id: String,
    /// The changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<DiffResult>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why a connection is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// In words.
    pub error: String,
}

/// A line that could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("not a frame of the link")]
pub struct BadFrame(#[from] serde_json::Error);

/// Parses a line. A frame of an unknown type is `None`.
///
/// # Errors
/// The line is no JSON object, or its content has the wrong shape.
pub fn parse(line: &str) -> Result<Option<Frame>, BadFrame> {
    let envelope: Line = serde_json::from_str(line)?;
    let data = envelope.data.as_deref().map_or("{}", RawValue::get);
    Ok(Some(match envelope.r#type.as_str() {
        "connect" => Frame::Connect(serde_json::from_str(data)?),
        "disconnect" => Frame::Disconnect(serde_json::from_str(data)?),
        "ping" => Frame::Ping,
        "pong" => Frame::Pong,
        "scheduler_event" => Frame::SchedulerEvent(serde_json::from_str(data)?),
        "scheduler_delta" => Frame::SchedulerDelta(serde_json::from_str(data)?),
        "debug_event" => Frame::DebugEvent(serde_json::from_str(data)?),
        "scheduler_command" => Frame::SchedulerCommand(serde_json::from_str(data)?),
        "scheduler_command_result" => Frame::SchedulerCommandResult(serde_json::from_str(data)?),
        "log_levels" => Frame::LogLevels(serde_json::from_str(data)?),
        "log_levels_told" => Frame::LogLevelsTold(serde_json::from_str(data)?),
        "goal_diff" => Frame::GoalDiff(serde_json::from_str(data)?),
        "goal_diff_told" => Frame::GoalDiffTold(serde_json::from_str(data)?),
        "refused" => Frame::Refused(serde_json::from_str(data)?),
        _ => return Ok(None),
    }))
}

/// A frame as a line, with its end, stamped with the time.
pub fn line(frame: &Frame, now_ms: u64) -> String {
    let (r#type, data) = match frame {
        Frame::Connect(data) => ("connect", raw(data)),
        Frame::Disconnect(data) => ("disconnect", raw(data)),
        Frame::Ping => ("ping", None),
        Frame::Pong => ("pong", None),
        Frame::SchedulerEvent(data) => ("scheduler_event", raw(data)),
        Frame::SchedulerDelta(data) => ("scheduler_delta", raw(data)),
        Frame::DebugEvent(data) => ("debug_event", raw(data)),
        Frame::SchedulerCommand(data) => ("scheduler_command", raw(data)),
        Frame::SchedulerCommandResult(data) => ("scheduler_command_result", raw(data)),
        Frame::LogLevels(data) => ("log_levels", raw(data)),
        Frame::LogLevelsTold(data) => ("log_levels_told", raw(data)),
        Frame::GoalDiff(data) => ("goal_diff", raw(data)),
        Frame::GoalDiffTold(data) => ("goal_diff_told", raw(data)),
        Frame::Refused(data) => ("refused", raw(data)),
    };
    let envelope = Line { r#type: r#type.to_owned(), timestamp: now_ms, data };
    // A frame is plain data: strings, numbers and JSON that was parsed before. A line end in that
    // JSON stands between its tokens, where a space means the same.
    let mut line = serde_json::to_string(&envelope).unwrap_or_default().replace(['\n', '\r'], " ");
    line.push('\n');
    line
}

fn raw(data: &impl Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_first_implementation_are_understood() {
        let connect = r#"{"type":"connect","timestamp":1,"data":{"clientType":"scheduler-daemon","version":"1.0.0","pid":1243}}"#;
        let Some(Frame::Connect(connect)) = parse(connect).unwrap() else { panic!("not a connect") };
        assert_eq!((connect.pid, connect.log), (1243, None));
        assert!(matches!(parse(r#"{"type":"pong","timestamp":3}"#).unwrap(), Some(Frame::Pong)));
        assert!(parse(r#"{"type":"llm_delta","timestamp":3,"data":{}}"#).unwrap().is_none());
        for bad in ["null", "[]", "{}", "{\"type\":7}", "{\"type\":\"connect\",\"data\":{\"pid\":\"x\"}}"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(line(&Frame::Ping, 5), "{\"type\":\"ping\",\"timestamp\":5}\n");
        let bare = parse(r#"{"type":"disconnect","timestamp":3}"#).unwrap();
        assert!(matches!(bare, Some(Frame::Disconnect(Disconnect { reason: None }))));
    }

    #[test]
    fn an_event_comes_back_byte_for_byte() {
        let data = "{\"title\":\"\u{6625}\u{5929}\", \"b\":1,\n\"a\":1.50}";
        let event = SchedulerEvent {
            r#type: "goal_created".to_owned(),
            timestamp: 4,
            goal_id: Some("goal_1".to_owned()),
            work_item_id: None,
            run_id: None,
            data: RawValue::from_string(data.to_owned()).ok(),
            pos: Some(7),
            generation: Some(1),
            seq: Some(2),
            id: Some("e7".to_owned()),
            kind: Some("goal.created".to_owned()),
        };
        let line = line(&Frame::SchedulerEvent(Box::new(event)), 5);
        assert_eq!(line.matches('\n').count(), 1);
        let Some(Frame::SchedulerEvent(back)) = parse(&line).unwrap() else { panic!("not an event") };
        assert_eq!(back.data.unwrap().get(), data.replace('\n', " "));
        assert_eq!((back.pos, back.kind.as_deref()), (Some(7), Some("goal.created")));
    }

    #[test]
    fn a_debug_event_keeps_its_id_its_time_and_its_context() {
        let text = concat!(
            r#"{"type":"debug_event","timestamp":5,"data":{"id":"d1","timestamp":3,"type":"llm.tokens","#,
            r#""source":"llm-provider","data":{"b":1,"a":"春"},"goalId":"g","workItemId":"i","runId":"r","#,
            r#""stepId":"r.2.1","spanId":"0123456789abcdef","parentSpanId":"fedcba9876543210","pos":7}}"#,
            "\n"
        );
        let Some(Frame::DebugEvent(event)) = parse(text).unwrap() else { panic!("not a debug event") };
        assert_eq!((event.timestamp, event.pos), (3, Some(7)));
        assert_eq!(line(&Frame::DebugEvent(event), 5), text);
        // As the first implementation sends it.
        let bare =
            r#"{"type":"debug_event","data":{"id":"d","timestamp":1,"type":"a.b","source":"s","data":{}}}"#;
        assert!(matches!(parse(bare).unwrap(), Some(Frame::DebugEvent(event)) if event.pos.is_none()));
    }

    #[test]
    fn a_delta_is_a_line_of_what_there_is_to_say() {
        let text = concat!(
            r#"{"type":"scheduler_delta","timestamp":5,"data":{"goalId":"g","runId":"r","requestId":"q","#,
            r#""kind":"tool_output","chunk":"一\n二\u001b","index":3,"tool":"run_command"}}"#,
            "\n"
        );
        let Some(Frame::SchedulerDelta(delta)) = parse(text).unwrap() else { panic!("not a delta") };
        assert_eq!((delta.kind, delta.chunk.as_deref()), (DeltaKind::ToolOutput, Some("一\n二\u{1b}")));
        assert_eq!(line(&Frame::SchedulerDelta(delta), 5), text);
        for bad in [
            r#"{"type":"scheduler_delta"}"#,
            r#"{"type":"scheduler_delta","data":{"goalId":"g","runId":"r","requestId":"q","kind":"song"}}"#,
            r#"{"type":"scheduler_delta","data":{"goalId":7,"runId":"r","requestId":"q","kind":"text"}}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
