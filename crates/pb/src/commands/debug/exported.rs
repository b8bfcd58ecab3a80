//! One goal in one file: its history, its rows and its debug events, so that another person can look at it.
//!
//! Lines of JSON. The first says what the file is; each other has one key, which says what stands there; the last
//! has a digest of all before it, so that a file that was cut short or changed on its way is known for one.
//!
//! ```text
//! {"format":"pb-goal","version":1,"goal":"goal_…","title":"…","exportedAt":…,"by":"0.1.0"}
//! {"event":{"seq":1,"id":"…","at":…,"kind":"goal.created","body":{…},"data":{…}}}
//! {"trace":{"id":"…","at":…,"kind":"llm.request","source":"…","goal":"goal_…","data":{…}}}
//! {"rows":{"goal":{…},"items":[…],…}}
//! {"end":{"events":1,"trace":1,"blake3":"…"}}
//! ```
//!
//! Keys that are not known are passed over, so that a later version may add some. Keys and what looks like one are taken
//! out of every text ([`scrubbed`]); out of the history before it is folded into the rows.

mod read;
mod write;

use pb_model::goal::GoalState;
use pb_runtime::secrets::redacted;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) use read::{FILE_BYTES_MAX, Read, Reader, Wrong};
pub(super) use write::{Writer, scrubbed};

/// What such a file calls itself.
const FORMAT: &str = "pb-goal";
/// The version that is written; later ones are refused.
const VERSION: u32 = 1;

/// What a file is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    format: String,
    version: u32,
    /// The goal's id.
    pub(super) goal: String,
    /// Its title.
    pub(super) title: String,
    /// When it was written, in milliseconds since 1970.
    pub(super) exported_at: u64,
    /// The version of who wrote it.
    by: String,
}

impl Header {
    /// Of a goal as it stands now.
    pub(super) fn new(state: &GoalState, now_ms: u64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            goal: state.goal.id.to_string(),
            title: redacted(&state.goal.spec.title),
            exported_at: now_ms,
            by: pb_runtime::VERSION.to_owned(),
        }
    }
}

/// A line after the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Event(EventLine),
    Trace(TraceLine),
    Rows(Box<GoalState>),
    End(EndLine),
}

#[derive(Debug, Serialize, Deserialize)]
struct EventLine {
    seq: u64,
    id: String,
    at: u64,
    kind: String,
    body: Box<RawValue>,
    data: Box<RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TraceLine {
    id: String,
    at: u64,
    kind: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    data: Box<RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EndLine {
    #[serde(flatten)]
    counts: Counts,
    /// Digest of every byte of the lines before.
    blake3: String,
}

/// How many events there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) trace: u64,
}
