//! Writing such a file.

use std::io::Write;

use pb_model::goal::GoalState;
use pb_runtime::secrets::{redacted, without_held};
use pb_store::{EventRecord, TraceEvent};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Counts, EndLine, EventLine, Header, Line, TraceLine};

/// Hexadecimal digits of a digest.
const DIGEST_DIGITS: usize = 64;

/// Writes such a file.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    to: W,
    counts: Counts,
    digest: blake3::Hasher,
}

impl<W: Write> Writer<W> {
    /// Begins it.
    pub(crate) fn begin(to: W, header: &Header) -> anyhow::Result<Self> {
        let mut writer = Self { to, counts: Counts::default(), digest: blake3::Hasher::new() };
        writer.line(header)?;
        Ok(writer)
    }

    /// A fact of the goal's history.
    pub(crate) fn event(&mut self, record: EventRecord) -> anyhow::Result<()> {
        self.counts.events += 1;
        let EventRecord { seq, id, at_ms: at, kind, body, data, .. } = record;
        let (body, data) = (RawValue::from_string(body)?, RawValue::from_string(data)?);
        self.line(&Line::Event(EventLine { seq, id, at, kind, body, data }))
    }

    /// A debug event.
    pub(crate) fn trace(&mut self, event: TraceEvent) -> anyhow::Result<()> {
        self.counts.trace += 1;
        let TraceEvent { id, at_ms: at, kind, source, goal, item, run, step, span, parent, data } = event;
        let data = RawValue::from_string(data)?;
        let told = TraceLine { id, at, kind, source, goal, item, run, step, span, parent, data };
        self.line(&Line::Trace(told))
    }

    /// How everything stands; and the end.
    pub(crate) fn end(mut self, state: GoalState) -> anyhow::Result<Counts> {
        self.line(&Line::Rows(Box::new(state)))?;
        let (counts, blake3) = (self.counts, self.digest.finalize().to_hex().to_string());
        self.line(&Line::End(EndLine { counts, blake3 }))?;
        self.to.flush()?;
        Ok(counts)
    }

    fn line(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.to.write_all(&text)?)
    }
}

/// JSON without secrets in its texts and in the names of its fields: those that this process holds, and what looks like
/// one. A digest looks like one and is none, unless this process holds it.
pub(crate) fn scrubbed(json: &str) -> anyhow::Result<String> {
    let mut value: Value = serde_json::from_str(json)?;
    scrub(&mut value);
    Ok(value.to_string())
}

fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text),
        Value::Array(values) => values.iter_mut().for_each(scrub),
        Value::Object(fields) => {
            let before = std::mem::take(fields);
            fields.extend(before.into_iter().map(|(name, mut value)| {
                scrub(&mut value);
                (clean(&name), value)
            }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn clean(text: &str) -> String {
    if is_digest(text) { without_held(text).into_owned() } else { redacted(text) }
}

/// Whether a text is nothing but a digest, perhaps with the name of its kind.
fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("blake3:").unwrap_or(text);
    digits.len() == DIGEST_DIGITS && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_out_of_texts_and_digests_are_none() {
        let digest = "0123456789abcdef".repeat(4);
        let json = format!(
            r#"{{"a":["报告 sk-ant-api03-0123456789abcdef ends",1],"b":"{digest}","c":"blake3:{digest}"}}"#
        );
        let shown = format!(r#"{{"a":["报告 [redacted] ends",1],"b":"{digest}","c":"blake3:{digest}"}}"#);
        assert_eq!(scrubbed(&json).unwrap(), shown);
        pb_runtime::secrets::hold("tesserakt!");
        assert_eq!(scrubbed(r#"{"a":"it is tesserakt!"}"#).unwrap(), r#"{"a":"it is [redacted]"}"#);
    }

    #[test]
    fn a_held_secret_is_taken_out_also_where_it_could_be_a_digest_or_names_a_field() {
        let token = "fedcba9876543210".repeat(4);
        let short = "00112233445566778899aabbccddeeff";
        for secret in [&token, short, "8261940375"] {
            pb_runtime::secrets::hold(secret);
            assert_eq!(scrubbed(&format!(r#"{{"a":"{secret}"}}"#)).unwrap(), r#"{"a":"[redacted]"}"#);
            assert_eq!(scrubbed(&format!(r#"{{"{secret}":[1]}}"#)).unwrap(), r#"{"[redacted]":[1]}"#);
        }
        // Of no length that a digest has.
        let longer = format!(r#"{{"a":"{}"}}"#, "0123456789abcdef".repeat(5));
        assert_eq!(scrubbed(&longer).unwrap(), r#"{"a":"[redacted]"}"#);
    }
}
