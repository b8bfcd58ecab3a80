//! What a target begins with: the examples of the documents.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use super::write;

/// The documents with examples.
const DOCUMENTS: [&str; 4] = ["docs/RPC.md", "docs/GOAL-FILES.md", "docs/REPORTS.md", "README.md"];
/// Files of which each is one.
const GOAL_FILES: &str = "examples";
/// The schemas whose words are a dictionary.
const SCHEMAS: [&str; 2] = ["docs/rpc.schema.json", "docs/goal.schema.json"];
/// Schedules that mean something.
const SCHEDULES: [&str; 6] = [
    "0 9 * * 1-5\nEurope/Berlin",
    "*/15 * * * *\nUTC",
    "0 0 29 2 *\nAsia/Shanghai",
    "30 2 * 3,10 sun\nEurope/Berlin",
    "5 4 1-7 * MON#1\nAmerica/New_York",
    "@daily\nUTC",
];
/// Settings that mean something.
const SETTINGS: &str = "[models]\nsimple = \"ollama/qwen\"\ncomplex = [\"anthropic/claude\", \"openai/gpt\"]\n\
                        [budget]\nusd = 1.5\n[link]\nlegacy_peers = true\n[sandbox]\ntool_caches = [\"~/.cargo\"]\n\
                        [trace]\n[disk]\nfree_bytes_min = 1\n";
/// Lines of the link.
const LINES: [&str; 5] = [
    r#"{"type":"connect","timestamp":1,"data":{"clientType":"scheduler-daemon","version":"1","pid":1,"caps":["log"],"log":{"id":"a","generation":1,"schema":1,"path":"/x"}}}"#,
    r#"{"type":"scheduler_event","timestamp":3,"data":{"type":"goal_created","timestamp":3,"goalId":"g","data":{"n":1.50},"pos":7,"gen":1,"seq":2,"id":"e7","kind":"goal.created"}}"#,
    r#"{"type":"scheduler_delta","timestamp":4,"data":{"goalId":"g","runId":"r","kind":"tool_output","chunk":"一","index":3,"tool":"t"}}"#,
    r#"{"type":"scheduler_command_result","timestamp":5,"data":{"requestId":"r","success":true}}"#,
    r#"{"type":"ping","timestamp":2}"#,
];

/// Writes the seeds of a target; their folder.
pub(super) fn of(target: &str, root: &Path, place: &Path) -> anyhow::Result<PathBuf> {
    let folder = place.join("seeds").join(target);
    let seeds = match target {
        "frames" => exchanged(root)?,
        "params" => exchanged(root)?.iter().filter_map(|line| named_params(line)).collect(),
        "link" => LINES.iter().map(|line| format!("\u{40}{line}")).collect(),
        "cursors" => vec!["c1.YTFiMgozCjEyMzQ1".to_owned(), "c1.YTEKMQoxMg".to_owned()],
        "config" => [vec![SETTINGS.to_owned()], blocks(root, "toml")?].concat(),
        "goal_file" => [goal_files(root)?, blocks(root, "toml")?].concat(),
        _ => SCHEDULES.map(str::to_owned).to_vec(),
    };
    for (n, seed) in seeds.iter().enumerate() {
        write(&folder, &n.to_string(), seed.as_bytes())?;
    }
    Ok(folder)
}

/// Writes a dictionary: every key and every word of the schemas.
pub(super) fn dictionary(root: &Path, place: &Path) -> anyhow::Result<PathBuf> {
    let mut words = BTreeSet::new();
    for schema in SCHEMAS {
        let text = read(&root.join(schema))?;
        collect(&serde_json::from_str(&text).with_context(|| format!("{schema} is not JSON"))?, &mut words);
    }
    let mut lines = String::new();
    for word in words {
        writeln!(lines, "\"{word}\"")?;
    }
    write(place, "words.dict", lines.as_bytes())
}

/// Adds the names of properties, and the values of `const` and `enum`.
fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    let mut add = |word: &str| {
        if word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')) {
            words.insert(word.to_owned());
        }
    };
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => properties.keys().for_each(|key| add(key)),
                    ("const", Value::String(word)) => add(word),
                    ("enum", Value::Array(all)) => all.iter().filter_map(Value::as_str).for_each(&mut add),
                    _ => {}
                }
            }
            object.values().for_each(|value| collect(value, words));
        }
        Value::Array(all) => all.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}

/// What clients and gateway say to each other in docs/RPC.md.
fn exchanged(root: &Path) -> anyhow::Result<Vec<String>> {
    let page = read(&root.join("docs/RPC.md"))?;
    let said = page.lines().filter_map(|line| line.strip_prefix("-> ").or_else(|| line.strip_prefix("<- ")));
    Ok(said.map(str::to_owned).collect())
}

/// A request as the target of parameters takes it: the method, and its parameters on a line.
fn named_params(line: &str) -> Option<String> {
    let request: Value = serde_json::from_str(line).ok()?;
    let method = request.get("method")?.as_str()?;
    Some(format!("{method}\n{}", request.get("params").unwrap_or(&Value::Null)))
}

/// The blocks of a kind in the documents.
fn blocks(root: &Path, kind: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for document in DOCUMENTS {
        let page = read(&root.join(document))?;
        let mut block: Option<String> = None;
        for line in page.lines() {
            match (&mut block, line.strip_prefix("```")) {
                (None, Some(name)) if name.trim() == kind => block = Some(String::new()),
                (Some(_), Some(_)) => found.extend(block.take()),
                (Some(text), None) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, _) => {}
            }
        }
    }
    Ok(found)
}

fn goal_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join(GOAL_FILES);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(read(&path)?);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_have_seeds_for_every_target() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let place = tempfile::tempdir().unwrap();
        for target in super::super::TARGETS {
            let folder = of(target, root, place.path()).unwrap();
            assert!(std::fs::read_dir(folder).unwrap().count() > 1, "{target}");
            for path in [format!("fuzz/fuzz_targets/{target}.rs"), "fuzz/Cargo.toml".to_owned()] {
                assert!(read(&root.join(path)).unwrap().contains(target), "{target}");
            }
        }
        let dictionary = read(&dictionary(root, place.path()).unwrap()).unwrap();
        for word in ["goalId", "idempotencyKey", "success_criteria", "command"] {
            assert!(dictionary.contains(&format!("\"{word}\"\n")), "{word}");
        }
    }
}
