//! The words of the trace.

use pb_model::Millis;

use crate::cursor::Cursor;

/// Generation in the cursors of traces: a trace that is another one has another id.
const GENERATION: u64 = 1;

/// Which trace a file is. Cursors of another one, or of a log, are not its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceIdentity {
    /// Random id, made with the file.
    pub id: String,
}

impl TraceIdentity {
    /// The cursor of a reader that has everything up to `pos`.
    pub fn cursor(&self, pos: u64) -> Cursor {
        Cursor { log_id: self.id.clone(), generation: GENERATION, pos }
    }

    /// Whether this trace gave the cursor.
    pub fn gave(&self, cursor: &Cursor) -> bool {
        cursor.log_id == self.id && cursor.generation == GENERATION
    }
}

/// A debug event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEvent {
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub at_ms: Millis,
    /// Its name, such as `llm.response`.
    pub kind: String,
    /// The part of the system that tells it, such as `llm-provider`.
    pub source: String,
    /// The goal's id.
    pub goal: Option<String>,
    /// The work item's id.
    pub item: Option<String>,
    /// The run's id.
    pub run: Option<String>,
    /// The step: run, place in its journal, incarnation.
    pub step: Option<String>,
    /// The span that it belongs to, in 16 hex digits.
    pub span: Option<String>,
    /// The span that this one is part of.
    pub parent: Option<String>,
    /// What is told, as JSON.
    pub data: String,
}

/// A debug event as it stands in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// Its position: rising, with gaps.
    pub pos: u64,
    /// The event.
    pub event: TraceEvent,
}

/// Events of a trace, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracePage {
    /// Those that the filter shows.
    pub rows: Vec<TraceRow>,
    /// Everything up to this position was looked at.
    pub passed: u64,
}

/// Which events are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// Only those of this goal.
    pub goal: Option<String>,
    /// Only those of these names; all if none is given. `llm` is also every name that begins with
    /// `llm.`, and `llm.t*` every name that begins with `llm.t`.
    pub kinds: Vec<String>,
}

impl TraceFilter {
    /// Whether it shows events of this name.
    pub fn shows(&self, kind: &str) -> bool {
        let matches = |asked: &String| match asked.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => {
                kind.strip_prefix(asked.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
        };
        self.kinds.is_empty() || self.kinds.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_also_what_begins_with_it_and_a_dot() {
        let shown = |asked: &[&str]| {
            let kinds = asked.iter().map(|name| (*name).to_owned()).collect();
            let filter = TraceFilter { goal: None, kinds };
            let names = ["llm.request", "llm.tokens", "llmx.request", "tool.invoke"];
            names.into_iter().filter(|name| filter.shows(name)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&[]).len(), 4);
        assert_eq!(shown(&["llm"]), ["llm.request", "llm.tokens"]);
        assert_eq!(shown(&["llm.t*", "tool.invoke"]), ["llm.tokens", "tool.invoke"]);
        assert_eq!(shown(&["llm.*"]), ["llm.request", "llm.tokens"]);
        assert_eq!(shown(&["*"]).len(), 4);
        assert_eq!(shown(&["llm.req", ""]), Vec::<&str>::new());
    }
}
