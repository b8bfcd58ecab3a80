//! Whole documents, and what hostile words make of them: nothing.

use pb_protocol::report::Report;
use regex::Regex;
use serde_json::{Value, json};

use super::{Form, render};

/// A report in which every part has something.
#[expect(clippy::too_many_lines, reason = "one document is one value")]
fn report() -> Value {
    json!({
        "goal_id": "goal_01a20eb7cc4c751f9de992fa4ce6127f",
        "title": "帮我写一份周报 & ship it",
        "status": "blocked",
        "reason": "needs_human",
        "summary": "Item `send` failed again and again",
        "created_at": 1_790_000_000_000_u64,
        "updated_at": 1_790_000_100_000_u64,
        "asked": {
            "description": "写一份周报。\n然后发出去。",
            "criteria": [
                {"description": "周报存在", "verification_method": "file", "required": true},
                {"description": "It reads well", "type": "heuristic", "required": false},
            ],
            "by": "ann",
        },
        "assumed": ["周报 is about this week"],
        "done": [{
            "key": "write", "title": "写", "kind": "agent", "verdict": "verified", "attempts": 2,
            "said": "Done.\n\nI wrote it.",
        }],
        "not_done": [{
            "key": "send", "title": "Send it", "added_by": "write", "status": "blocked", "why": "the command exited with 7", "attempts": 3,
        }],
        "verified": [
            {
                "item": "write", "freshness": "when_it_ran", "run_id": "run", "work_item_id": "item", "step": 3,
                "name": "报告.md exists", "kind": "file_exists", "required": true, "passed": true,
                "found": "a file of 12 bytes", "recheck": false, "duration_ms": 2,
                "output_digest": "aa11", "workspace_digest": "bb22",
            },
            {
                "item": "send", "freshness": "as_delivered", "run_id": "run", "work_item_id": "item", "step": 3,
                "name": "it arrived", "kind": "command", "required": true, "passed": false,
                "found": "exit 7", "recheck": true, "duration_ms": 1200, "argv": ["sh", "-c", "exit 7"],
                "exit_code": 7, "output_tail": "no route\n```\n",
            },
        ],
        "unchecked": [{"item": "send", "name": "nice", "kind": "file_exists", "required": false}],
        "questions": [
            {
                "id": "esc_1", "asked_at": 1_790_000_050_000_u64, "kind": "stuck", "item": "write",
                "title": "Nothing new", "why": "it said the same", "options": ["retry"], "answer": "user_input",
                "by": "ann", "text": "Try another way", "answers": ["the blue one"], "expired": true,
            },
            {
                "id": "esc_2", "asked_at": 1_790_000_090_000_u64, "kind": "repeated_failure",
                "title": "It failed", "why": "exit 7", "options": ["retry", "skip"],
            },
        ],
        "spent": {
            "wall_ms": 100_000, "running_ms": 61_000, "turns": 4, "tokens": 5000, "cost_usd": 0.0125,
            "assumed_tokens": 100, "assumed_cost_usd": 0.001, "unpriced": true,
            "by_model": [
                {"model": "a/b", "calls": 5, "turns": 4, "tokens": 5000, "cost_usd": 0.0125, "unpriced": false},
                {"model": "local/c", "calls": 1, "turns": 0, "tokens": 0, "cost_usd": 0.0, "unpriced": true},
            ],
        },
        "delivered": {
            "workspace": "/work/周报",
            "files": [{
                "id": "art", "created_at": 1, "goal_id": "goal", "storage_type": "file",
                "file_path": "报告.md", "content_hash": "cc33", "size_bytes": 12, "changed": true,
            }],
            "removed": [{
                "id": "art", "created_at": 1, "goal_id": "goal", "storage_type": "file",
                "file_path": "旧.md", "content_hash": "dd44", "size_bytes": 7, "removed": true,
            }],
            "unlisted": 3,
        },
        "undo": {"kept": {"how": "not", "why": "the copy would be larger than 1 GiB"}},
    })
}

fn rendered(report: Value, form: Form) -> String {
    render(&serde_json::from_value::<Report>(report).unwrap(), form).unwrap()
}

/// The moments are those of the reader's zone.
fn without_moments(text: &str) -> String {
    let moment = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    moment.replace_all(text, "[moment]").into_owned()
}

#[test]
fn every_part_is_in_both_forms() {
    insta::assert_snapshot!("report_md", without_moments(&rendered(report(), Form::Markdown)));
    insta::assert_snapshot!("report_html", without_moments(&rendered(report(), Form::Html)));
}

/// Puts hostile words into every text but those that the form of the document depends on.
fn poison(value: &mut Value, words: &str) {
    match value {
        Value::String(text) => words.clone_into(text),
        Value::Array(all) => all.iter_mut().for_each(|one| poison(one, words)),
        Value::Object(fields) => {
            let ours = ["status", "verdict", "freshness", "how", "type"];
            let foreign = fields.iter_mut().filter(|(name, _)| !ours.contains(&name.as_str()));
            foreign.for_each(|(_, value)| poison(value, words));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn in_html_words_are_never_markup() {
    let tags = |html: &str| -> Vec<String> {
        let tag = Regex::new("<[^>]*>").unwrap();
        tag.find_iter(html).map(|found| found.as_str().to_owned()).collect()
    };
    let plain = rendered(report(), Form::Html);
    let hostile = [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)"),
        ("\"><img src=x onerror=alert(1)>", "&quot;&gt;&lt;img src=x"),
        ("</style></title><script>alert(1)</script>", "style&gt;&lt;"),
        ("<!-- ", "&lt;!-- "),
        ("{{ report.title }}", "{{ report.title }}"),
    ];
    for (words, seen) in hostile {
        let mut report = report();
        poison(&mut report, words);
        let html = rendered(report, Form::Html);
        assert_eq!(tags(&html), tags(&plain), "{words}");
        assert!(html.matches(seen).count() > 20, "{words} is not shown everywhere");
    }
    assert!(!plain.contains("<script") && !plain.contains("http:"), "it needs nothing else");
}

#[test]
fn in_markdown_words_are_never_markup() {
    let mut report = report();
    poison(&mut report, "# <script>*a*</script>\n- [b](http://c) `d` | ```");
    insta::assert_snapshot!("report_hostile_md", without_moments(&rendered(report, Form::Markdown)));
}
