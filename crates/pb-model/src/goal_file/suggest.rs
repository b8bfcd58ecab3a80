//! What a person may have meant by a key that there is not.

use crate::plan::closest;

/// Words that other tools use, and ours for the same thing. A word of ours is only offered where it may stand.
const OTHER_WORDS: [(&str, &[&str]); 35] = [
    ("name", &["title", "id"]),
    ("goal", &["title"]),
    ("summary", &["title"]),
    ("depends_on", &["needs"]),
    ("depends", &["needs"]),
    ("dependencies", &["needs"]),
    ("after", &["needs"]),
    ("requires", &["needs"]),
    ("timeout", &["time_limit", "time_minutes"]),
    ("max_time", &["time_limit", "time_minutes"]),
    ("minutes", &["time_minutes"]),
    ("retries", &["max_retries"]),
    ("attempts", &["max_retries"]),
    ("command", &["argv"]),
    ("cmd", &["argv"]),
    ("run", &["argv"]),
    ("exec", &["argv"]),
    ("args", &["argv"]),
    ("type", &["kind"]),
    ("file", &["path"]),
    ("filename", &["path"]),
    ("files", &["paths", "path"]),
    ("contains", &["text"]),
    ("content", &["text"]),
    ("pattern", &["regex", "paths"]),
    ("exit_code", &["expect_exit"]),
    ("usd", &["cost_usd"]),
    ("cost", &["cost_usd"]),
    ("folder", &["workspace", "cwd"]),
    ("dir", &["workspace", "cwd"]),
    ("directory", &["workspace", "cwd"]),
    ("environment", &["env"]),
    ("steps", &["items"]),
    ("tasks", &["items"]),
    ("checks", &["gates"]),
];

/// Keys of a command item that an agent item has not.
const OF_COMMANDS: [&str; 4] = ["argv", "cwd", "env", "tcp_ports"];
/// Keys of an agent item that a command item has not.
const OF_AGENTS: [&str; 10] = [
    "prompt",
    "tools",
    "tier",
    "model",
    "max_turns",
    "budget_percent",
    "budget_tokens",
    "budget_usd",
    "guards",
    "may_add_items",
];
/// Keys that only a gate has.
const OF_GATES: [&str; 15] = [
    "path",
    "text",
    "regex",
    "min",
    "schema",
    "schema_path",
    "url",
    "status",
    "paths",
    "max_files",
    "rubric",
    "control",
    "judges",
    "may_change",
    "expect_exit",
];

/// The known key that is meant by another one, if one can be told.
pub(super) fn meant(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = key.to_lowercase().replace('-', "_");
    let ours = |other: &str| {
        let (_, ours) = OTHER_WORDS.iter().find(|(word, _)| *word == other)?;
        ours.iter().copied().find(|ours| known.contains(ours))
    };
    let same = known.iter().copied().find(|one| *one == plain);
    let misspelt = || closest(&plain, &OTHER_WORDS.map(|(word, _)| word)).and_then(ours);
    same.or_else(|| ours(&plain)).or_else(|| closest(&plain, known)).or_else(misspelt)
}

/// Where a key of an item would belong that an item of its kind has not. `known` are the keys that it may have.
pub(super) fn elsewhere(key: &str, known: &[&'static str]) -> Option<String> {
    if !known.contains(&"needs") {
        return None;
    }
    if OF_COMMANDS.contains(&key) && known.contains(&"prompt") {
        return Some(format!("`{key}` is of items with kind = \"command\""));
    }
    if OF_AGENTS.contains(&key) && known.contains(&"argv") {
        return Some(format!("`{key}` is of items with kind = \"agent\""));
    }
    OF_GATES.contains(&key).then(|| "it belongs to a gate: put it below [[items.gates]]".to_owned())
}

/// How a key that is missing is written.
pub(super) fn written(key: &str) -> String {
    let value = match key {
        "argv" => "[\"program\", \"argument\"]",
        "paths" => "[\"src/**\"]",
        "rubric" => "[\"what has to be true\"]",
        "url" => "\"http://127.0.0.1:8000/\"",
        _ => "\"…\"",
    };
    format!("add {key} = {value}")
}
