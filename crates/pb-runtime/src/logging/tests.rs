use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// What is in the log of a test, a value a line, without when and where it was told.
fn told(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        let fields = line.as_object_mut().unwrap();
        let at = fields.shift_remove("timestamp").unwrap();
        assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
        fields.shift_remove("target").unwrap();
        line
    });
    lines.collect()
}

/// One log a process, so one test for what is in it.
#[test]
fn lines_are_flat_without_keys_and_their_levels_change_while_the_process_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.log");
    let kept = folder.path().join("test.level");
    start(false, To::File(LogFile::open(&path).unwrap()), Some(kept.clone()));
    let around = tracing::error_span!("request", request = "r1", session = %"local", n = 1);
    around.in_scope(|| {
        let goal = tracing::error_span!("run", goal = "goal_1", item = tracing::field::Empty, n = 2);
        goal.record("item", "item_1");
        goal.in_scope(|| tracing::warn!(n = 3, r#type = "x", f = 0.5, ok = true, "two\nlines"));
        tracing::info!("one");
    });
    secrets::hold("tesserakt!x");
    tracing::warn!(header = "Bearer abcdefghijklmnop", "the key tesserakt!x is {:?}", "sk-0123456789abcdef");
    let _ = std::panic::catch_unwind(|| panic!("the key tesserakt!x broke it"));
    tracing::debug!("not told");
    tracing::error!(target: "genai::adapter", "never told");
    let filter: Filter = "genai_other=trace,runtime=debug".parse().unwrap();
    let now = change(Some(filter.clone()), false).unwrap();
    assert_eq!(
        (now.now.as_str(), now.usual.as_str(), now.kept),
        ("info,genai_other=trace,runtime=debug", "info", None)
    );
    tracing::debug!("told");
    tracing::error!(target: "genai", "never told");
    assert_eq!(change(Some(filter), true).unwrap().kept.unwrap(), "info,genai_other=trace,runtime=debug");
    assert!(kept.exists());
    assert_eq!(
        change(None, false).unwrap(),
        Levels { now: "info".to_owned(), usual: "info".to_owned(), kept: None }
    );
    assert!(!kept.exists());
    tracing::debug!("not told");
    let mut lines = told(&path);
    let panic = lines.remove(3);
    assert_eq!(panic["why"], "the key [redacted] broke it");
    assert!(panic["place"].as_str().unwrap().contains("tests.rs:"), "{panic}");
    let expect = [
        json!({
            "level": "WARN", "message": "two\nlines", "request": "r1", "session": "local", "n": 3, "goal": "goal_1",
            "item": "item_1", "type": "x", "f": 0.5, "ok": true,
        }),
        json!({"level": "INFO", "message": "one", "request": "r1", "session": "local", "n": 1}),
        json!({"level": "WARN", "message": "the key [redacted] is \"[redacted]\"", "header": "Bearer [redacted]"}),
        json!({"level": "DEBUG", "message": "told"}),
    ];
    assert_eq!(lines, expect);
}
