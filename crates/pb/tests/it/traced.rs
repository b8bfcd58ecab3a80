//! What must be true of every trace, whatever a test did: each event is a kind of docs/TRACE.md, with no other keys,
//! in the span that stands there, and the span around it is told of too. Each test's trace is looked at when its
//! machine is dropped.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::LazyLock;

use pb_store::{TraceEvent, TraceFilter, TraceReader};
use serde_json::Value;

/// Events read at once.
const PAGE: usize = 1000;
/// Keys that stand in the data of kinds whose row says *ids*.
const IDS: [&str; 5] = ["goalId", "workItemId", "runId", "sessionId", "scheduleId"];

/// A row of the page.
struct Kind {
    source: &'static str,
    span: &'static str,
    has_ids: bool,
    keys: Vec<&'static str>,
}

/// The table of docs/TRACE.md.
static KINDS: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| {
    let page = include_str!("../../../../docs/TRACE.md");
    let table = page.split_once("<!-- kinds -->").unwrap().1.split_once("<!-- end of kinds -->").unwrap().0;
    table.lines().filter(|line| line.starts_with("| `")).map(row).collect()
});

fn row(line: &'static str) -> (&'static str, Kind) {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [name, source, span, _, keys]: [&str; 5] = cells.try_into().unwrap();
    let quoted = |text: &'static str| text.split('`').skip(1).step_by(2);
    // What stands behind a colon are the keys of a value.
    let keys_of = keys.split(", ").filter(|part| part.starts_with('`'));
    let kind = Kind {
        source,
        span,
        has_ids: keys.contains("*ids*"),
        keys: keys_of.filter_map(|part| quoted(part).next()).collect(),
    };
    (quoted(name).next().unwrap(), kind)
}

/// Looks at a trace; one that was never made, or is none, says nothing.
pub(crate) fn audit(trace_db: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let events = runtime.block_on(read(trace_db)).unwrap_or_default();
    for event in &events {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(problems(event, &data), Vec::<String>::new(), "{event:?}");
    }
    let starts = events.iter().filter(|event| event.kind == "system.startup").count();
    // What a killed process had told and not written is missing, and so is what was before a trace that was deleted.
    if starts == 1 && events.first().is_some_and(|event| event.kind == "system.startup") {
        assert_spans(&events);
    }
}

async fn read(trace_db: &Path) -> Option<Vec<TraceEvent>> {
    let reader = TraceReader::open(trace_db).await.ok()??;
    let (mut events, mut pos) = (Vec::new(), 0);
    while pos < reader.last_pos().await.ok()? {
        let page = reader.after(pos, &TraceFilter::default(), PAGE).await.ok()?;
        pos = page.passed;
        events.extend(page.rows.into_iter().map(|row| row.event));
    }
    Some(events)
}

/// What is wrong with an event.
fn problems(event: &TraceEvent, data: &Value) -> Vec<String> {
    let Some(kind) = KINDS.get(event.kind.as_str()) else {
        return vec![format!("docs/TRACE.md does not list {}", event.kind)];
    };
    let mut problems = Vec::new();
    if kind.source != event.source {
        problems.push(format!("it is told by {}", event.source));
    }
    let is_known = |key: &str| kind.keys.contains(&key) || (kind.has_ids && IDS.contains(&key));
    let unknown = data.as_object().unwrap().keys().filter(|key| !is_known(key));
    problems.extend(unknown.map(|key| format!("docs/TRACE.md does not list its key {key}")));
    problems
}

/// Every span is part of one that is told of, and as deep as its kinds say.
fn assert_spans(events: &[TraceEvent]) {
    let mut parents: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for event in events {
        if let Some(span) = event.span.as_deref() {
            let parent = event.parent.as_deref();
            assert_eq!(*parents.entry(span).or_insert(parent), parent, "{event:?}");
        }
    }
    for event in events {
        let kind = &KINDS[event.kind.as_str()];
        let mut depth = 0;
        let mut span = event.span.as_deref();
        while let Some(parent) = span.and_then(|span| parents[span]) {
            assert!(parents.contains_key(parent), "the span around it is told by nobody: {event:?}");
            (span, depth) = (Some(parent), depth + 1);
        }
        let is_of_run = usize::from(event.run.is_some());
        match kind.span {
            "none" => assert_eq!(event.span, None, "{event:?}"),
            "goal" | "session" | "schedule" => assert_eq!(depth, 0, "{event:?}"),
            "phase < goal" | "run < goal" => assert_eq!(depth, 1, "{event:?}"),
            "run or goal" => assert!(depth <= 2, "{event:?}"),
            "step < run" => assert_eq!(depth, 1 + is_of_run, "{event:?}"),
            "call < step" => assert_eq!(depth, 2 + is_of_run, "{event:?}"),
            other => assert_eq!(other, "a span of docs/TRACE.md"),
        }
    }
}

#[test]
fn what_is_unknown_or_elsewhere_is_seen() {
    let event = |kind: &str, data: &str| TraceEvent {
        id: String::new(),
        at_ms: 1,
        kind: kind.to_owned(),
        source: "scheduler".to_owned(),
        goal: None,
        item: None,
        run: None,
        step: None,
        span: None,
        parent: None,
        data: data.to_owned(),
    };
    let found = |kind: &str, data: &str| {
        let event = event(kind, data);
        problems(&event, &serde_json::from_str(data).unwrap()).len()
    };
    assert_eq!(found("system.shutdown", r#"{"reason":"x","durationMs":1}"#), 0);
    assert_eq!(found("system.shutdown", r#"{"reason":"x","goalId":"g"}"#), 1);
    assert_eq!(found("scheduler.goal.paused", r#"{"by":"x","goalId":"g"}"#), 0);
    assert_eq!(found("tool.invoke", "{}"), 1, "another one tells it");
    assert_eq!(found("tool.tested", "{}"), 1);
    let lost = TraceEvent {
        span: Some("b".to_owned()),
        parent: Some("a".to_owned()),
        ..event("scheduler.run.started", "{}")
    };
    let seen = std::panic::catch_unwind(|| assert_spans(&[lost]));
    assert!(seen.is_err(), "nobody tells of the span around it");
}
