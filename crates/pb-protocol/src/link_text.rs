//! Lines of the link written by hand, straight into what is sent, and recognised without being parsed: those
//! of which there are many. What is told, and what models say, is passed on byte for byte.

use crate::ipc::{DeltaKind, SchedulerDelta};
use crate::json_text::{number, string};

/// How a line begins, up to its time.
const EVENT: &str = r#"{"type":"scheduler_event","timestamp":"#;
const DELTA: &str = r#"{"type":"scheduler_delta","timestamp":"#;
/// What follows the time.
const DATA: &str = r#","data":{"#;
/// With what an event's content begins.
const POS: &str = r#""pos":"#;

/// A committed event, borrowed; see [`SchedulerEvent`](crate::ipc::SchedulerEvent) for the keys.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields of `SchedulerEvent`")]
pub struct EventLine<'a> {
    pub pos: u64,
    pub timestamp: u64,
    pub goal_id: &'a str,
    pub work_item_id: Option<&'a str>,
    pub run_id: Option<&'a str>,
    /// JSON, passed on byte for byte but for line ends between its tokens.
    pub data: &'a str,
    pub generation: u64,
    pub seq: u64,
    pub id: &'a str,
    pub kind: &'a str,
}

impl EventLine<'_> {
    /// Appends the line, with its end, as sent at `now_ms`.
    pub fn write(&self, out: &mut Vec<u8>, now_ms: u64) {
        out.reserve(EVENT.len() + self.data.len() + 256);
        out.extend_from_slice(EVENT.as_bytes());
        number(out, "", now_ms);
        out.extend_from_slice(DATA.as_bytes());
        number(out, POS, self.pos);
        out.extend_from_slice(br#","type":""#);
        type_of(out, self.kind);
        number(out, r#"","timestamp":"#, self.timestamp);
        string(out, r#","goalId":"#, self.goal_id);
        self.work_item_id.inspect(|id| string(out, r#","workItemId":"#, id));
        self.run_id.inspect(|id| string(out, r#","runId":"#, id));
        out.extend_from_slice(br#","data":"#);
        on_one_line(out, self.data);
        number(out, r#","gen":"#, self.generation);
        number(out, r#","seq":"#, self.seq);
        string(out, r#","id":"#, self.id);
        string(out, r#","kind":"#, self.kind);
        out.extend_from_slice(b"}}\n");
    }
}

/// The pieces of one call of a model or tool: what is the same in all of them is written once.
#[derive(Debug, Clone)]
pub struct PieceLines {
    /// From the goal's id to that of the call.
    head: Vec<u8>,
    /// The tool and what ends the line.
    tail: Vec<u8>,
}

impl PieceLines {
    /// For deltas like this one.
    pub fn new(delta: &SchedulerDelta) -> Self {
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        string(&mut head, r#""goalId":"#, &delta.goal_id);
        delta.work_item_id.iter().for_each(|id| string(&mut head, r#","workItemId":"#, id));
        string(&mut head, r#","runId":"#, &delta.run_id);
        string(&mut head, r#","requestId":"#, &delta.request_id);
        delta.tool.iter().for_each(|tool| string(&mut tail, r#","tool":"#, tool));
        tail.extend_from_slice(b"}}\n");
        Self { head, tail }
    }

    /// Appends the line of a piece, as sent at `now_ms`.
    pub fn write(&self, out: &mut Vec<u8>, now_ms: u64, (kind, chunk, index): (DeltaKind, &str, u64)) {
        out.reserve(DELTA.len() + self.head.len() + chunk.len() + self.tail.len() + 128);
        out.extend_from_slice(DELTA.as_bytes());
        number(out, "", now_ms);
        out.extend_from_slice(DATA.as_bytes());
        out.extend_from_slice(&self.head);
        string(out, r#","kind":"#, kind.as_str());
        string(out, r#","chunk":"#, chunk);
        number(out, r#","index":"#, index);
        out.extend_from_slice(&self.tail);
    }
}

/// What is seen of a line of ours without parsing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// An event that says where it stands in the log.
    Event {
        /// Its position.
        pos: u64,
    },
    /// A delta.
    Delta,
}

/// Looks at how a line begins; `None` says nothing, not even that it is none of these. Whether the rest of it
/// is sound is not seen either.
pub fn glance(line: &str) -> Option<Glance> {
    if line.starts_with(DELTA) {
        return Some(Glance::Delta);
    }
    let (_, rest) = leading_number(line.strip_prefix(EVENT)?)?;
    let (pos, _) = leading_number(rest.strip_prefix(DATA)?.strip_prefix(POS)?)?;
    Some(Glance::Event { pos })
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// [`link_type`](crate::event::link_type) of a kind.
fn type_of(out: &mut Vec<u8>, kind: &str) {
    let rest = kind.strip_prefix("workitem.");
    if rest.is_some() {
        out.extend_from_slice(b"work_item_");
    }
    out.extend(rest.unwrap_or(kind).bytes().map(|byte| if byte == b'.' { b'_' } else { byte }));
}

/// A line end in JSON stands between its tokens, where a space means the same.
fn on_one_line(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    let written = out.get_mut(start..).unwrap_or_default();
    if memchr::memchr2(b'\n', b'\r', written).is_some() {
        written.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::event::link_type;
    use crate::ipc::{self, Frame, SchedulerEvent};

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_what_serde_writes_and_its_position_is_seen() {
        for (kind, item, run) in [
            ("goal.created", None, None),
            ("workitem.started", Some("item_1"), None),
            ("a.b.c", Some("\"\n"), Some("run_1")),
        ] {
            let event = EventLine {
                pos: 7,
                timestamp: 4,
                goal_id: "goal_1",
                work_item_id: item,
                run_id: run,
                data: "{\"title\":\"春天\", \"b\":1,\r\n\"a\":1.50}",
                generation: 1,
                seq: 2,
                id: "e7",
                kind,
            };
            let whole = SchedulerEvent {
                pos: Some(event.pos),
                r#type: link_type(kind),
                timestamp: event.timestamp,
                goal_id: Some(event.goal_id.to_owned()),
                work_item_id: item.map(str::to_owned),
                run_id: run.map(str::to_owned),
                data: RawValue::from_string(event.data.to_owned()).ok(),
                generation: Some(event.generation),
                seq: Some(event.seq),
                id: Some(event.id.to_owned()),
                kind: Some(kind.to_owned()),
            };
            let line = written(|out| event.write(out, 5));
            assert_eq!(line, ipc::line(&Frame::SchedulerEvent(Box::new(whole)), 5));
            assert_eq!(glance(&line), Some(Glance::Event { pos: 7 }));
        }
    }

    #[test]
    fn a_piece_is_what_serde_writes() {
        for (kind, tool) in [(DeltaKind::Text, None), (DeltaKind::ToolOutput, Some("run_command".to_owned()))]
        {
            let delta = SchedulerDelta {
                goal_id: "goal_1".to_owned(),
                work_item_id: tool.clone(),
                run_id: "run_1".to_owned(),
                request_id: "\"q\"".to_owned(),
                kind,
                chunk: Some("一\n二\u{1b}\"".to_owned()),
                index: 3,
                model: None,
                tokens_used: None,
                finish_reason: None,
                tool,
                error: None,
            };
            let chunk = delta.chunk.clone().unwrap();
            let line = written(|out| PieceLines::new(&delta).write(out, 5, (kind, &chunk, 3)));
            assert_eq!(line, ipc::line(&Frame::SchedulerDelta(Box::new(delta)), 5));
            assert_eq!(glance(&line), Some(Glance::Delta));
        }
    }

    #[test]
    fn a_glance_at_anything_else_says_nothing() {
        for line in [
            "",
            r#"{"type":"ping","timestamp":5}"#,
            r#"{"timestamp":5,"type":"scheduler_delta"}"#,
            r#"{"type":"scheduler_event","timestamp":5,"data":{"type":"x","pos":7}}"#,
            r#"{"type":"scheduler_event","timestamp":5,"data":{"pos":"7"}}"#,
            r#"{"type":"scheduler_event","timestamp":5,"data":{"pos":99999999999999999999}}"#,
            r#"{"type":"scheduler_event","timestamp":5,"data":{"pos":7"#,
            r#"{"type":"scheduler_event","timestamp":"#,
        ] {
            assert_eq!(glance(line), None, "{line}");
        }
    }
}
