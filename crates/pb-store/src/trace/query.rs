//! What is asked of a trace by who looks into the past.

use pb_model::Millis;

use super::TraceRow;

/// Which debug events; those of which everything that is said is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceQuery {
    /// Their name; with a `*` at its end, how it begins.
    pub kind: Option<String>,
    /// The part of the system that told them.
    pub source: Option<String>,
    /// Their goal's id.
    pub goal: Option<String>,
    /// Their work item's id.
    pub item: Option<String>,
    /// Their run's id.
    pub run: Option<String>,
    /// They did not happen before this moment.
    pub since_ms: Option<Millis>,
    /// They did not happen after this moment.
    pub until_ms: Option<Millis>,
    /// Words that they have; see [`TraceReader::find`](super::TraceReader::find).
    pub words: Option<String>,
    /// They stand before this position.
    pub before: Option<u64>,
}

/// Debug events that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFound {
    /// The latest first.
    pub rows: Vec<TraceRow>,
    /// Before which position there may be more; `None` when everything was looked at.
    pub next: Option<u64>,
}

/// How many debug events of one name there were in a window of time, and what they sum up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceCount {
    /// When the window begins.
    pub since_ms: Millis,
    /// The name.
    pub kind: String,
    /// How many.
    pub events: u64,
    /// Tokens that models read, of `llm.tokens`.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// Goals that were completed, of `state.transition`.
    pub goals_completed: u64,
    /// Goals that failed or were cancelled.
    pub goals_failed: u64,
}
