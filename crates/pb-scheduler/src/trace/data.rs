//! The data of a debug event, written as JSON in one go: most events have no more than a few short keys.

use std::fmt::Display;
use std::io::Write;

use pb_model::Tier;
use pb_model::goal::Cap;
use pb_model::{EscalationId, GoalId, RunId};
use pb_runtime::config::Content;
use serde::Serialize;
use serde_json::Value;

use super::content::{Json, Name, Text};
use super::messages::{Messages, Reply};

/// Longest data, in bytes: a line of the link holds it, whatever is escaped in it.
const DATA_BYTES_MAX: usize = 512 * 1024;

/// The data of one event while it is written.
#[derive(Debug)]
pub(super) struct Data {
    json: Vec<u8>,
    content: Content,
}

impl Data {
    pub(super) fn new(content: Content) -> Self {
        Self { json: vec![b'{'], content }
    }

    /// Adds a key, unless there is nothing to be told.
    pub(super) fn put(&mut self, key: &'static str, value: &impl Shown) {
        if value.is_absent() {
            return;
        }
        self.json.extend_from_slice(if self.json.len() > 1 { b",\"" } else { b"\"" });
        self.json.extend_from_slice(key.as_bytes());
        self.json.extend_from_slice(b"\":");
        value.write(&mut self.json, self.content);
    }

    /// Adds an id, if there is one.
    pub(super) fn put_id(&mut self, key: &'static str, id: Option<impl Display>) {
        if let Some(id) = id {
            self.put(key, &Id(id));
        }
    }

    /// All of it.
    pub(super) fn finish(mut self) -> String {
        self.json.push(b'}');
        if self.json.len() > DATA_BYTES_MAX {
            return format!("{{\"_truncated\":true,\"bytes\":{}}}", self.json.len());
        }
        String::from_utf8(self.json).unwrap_or_default() // What was written is JSON.
    }
}

/// A value of ours, of several keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plain(pub(crate) Value);

/// What may be the value of a key.
pub(super) trait Shown {
    /// What it is, in the table of docs/TRACE.md.
    #[cfg(test)]
    const WORD: &'static str;

    /// Whether the key is left out.
    fn is_absent(&self) -> bool {
        false
    }

    /// Bytes of others' words in it.
    fn weight(&self) -> usize {
        0
    }

    fn write(&self, json: &mut Vec<u8>, content: Content);
}

/// Plain data: what its `Serialize` writes.
fn plain(json: &mut Vec<u8>, value: &impl Serialize) {
    let before = json.len();
    if serde_json::to_writer(&mut *json, value).is_err() {
        json.truncate(before);
        json.extend_from_slice(b"null");
    }
}

macro_rules! shown {
    ($($word:literal: $($type:ty)+;)+) => {$($(
        impl Shown for $type {
            #[cfg(test)]
            const WORD: &'static str = $word;

            fn write(&self, json: &mut Vec<u8>, _: Content) {
                plain(json, self);
            }
        }
    )+)+};
}

shown! {
    "number": u8 u32 u64 usize i32 i64 f64;
    "boolean": bool;
    "word": &'static str Tier Cap;
    "words": Vec<&'static str>;
    "string": String;
    "id": GoalId RunId EscalationId;
}

struct Id<T>(T);

impl<T: Display> Shown for Id<T> {
    #[cfg(test)]
    const WORD: &'static str = "id";

    fn write(&self, json: &mut Vec<u8>, _: Content) {
        let _ = write!(json, "\"{}\"", self.0); // An id has nothing to be escaped; memory takes it.
    }
}

macro_rules! shown_as_content {
    ($($word:literal: $type:ty;)+) => {$(
        impl Shown for $type {
            #[cfg(test)]
            const WORD: &'static str = $word;

            fn weight(&self) -> usize {
                Self::weight(self)
            }

            fn write(&self, json: &mut Vec<u8>, content: Content) {
                plain(json, &self.shown(content));
            }
        }
    )+};
}

shown_as_content! {
    "content": Text;
    "content, any JSON": Json;
    "content, messages": Messages;
    "content: its text, thought and calls": Reply;
}

impl Shown for Plain {
    #[cfg(test)]
    const WORD: &'static str = "object";

    fn write(&self, json: &mut Vec<u8>, _: Content) {
        plain(json, &self.0);
    }
}

impl Shown for Name {
    #[cfg(test)]
    const WORD: &'static str = "name";

    fn write(&self, json: &mut Vec<u8>, _: Content) {
        plain(json, &self.shown());
    }
}

impl<T: Shown> Shown for Option<T> {
    #[cfg(test)]
    const WORD: &'static str = T::WORD;

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn weight(&self) -> usize {
        self.as_ref().map_or(0, Shown::weight)
    }

    fn write(&self, json: &mut Vec<u8>, content: Content) {
        if let Some(value) = self {
            value.write(json, content);
        }
    }
}
