//! What changed between two looks.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

/// Most changes that are told.
const CHANGES_MAX: usize = 1_000;
/// How deep is looked; what lies deeper is told whole.
const DEPTH_MAX: usize = 16;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// Where: keys, with dots between them; rows by their ids.
    path: String,
    /// What was there; null for nothing.
    old_value: Value,
    /// What is there.
    new_value: Value,
}

/// What changed, in the order of the keys.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    if old != new {
        compare("", (old, new), 0, &mut found);
    }
    found
}

fn compare(path: &str, (old, new): (&Value, &Value), depth: usize, found: &mut Vec<Change>) {
    if found.len() >= CHANGES_MAX {
        return;
    }
    match (keyed(old), keyed(new)) {
        (Some(old), Some(new)) if depth < DEPTH_MAX => {
            let before: HashMap<_, _> = old.iter().copied().collect();
            let after: HashMap<_, _> = new.iter().copied().collect();
            let gone = old.iter().filter(|(key, _)| !after.contains_key(key));
            for (key, _) in new.iter().chain(gone) {
                let old = before.get(key).copied().unwrap_or(&Value::Null);
                let new = after.get(key).copied().unwrap_or(&Value::Null);
                if old != new {
                    let path = if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") };
                    compare(&path, (old, new), depth + 1, found);
                }
            }
        }
        _ => found.push(Change { path: path.to_owned(), old_value: old.clone(), new_value: new.clone() }),
    }
}

/// An object by its keys, and rows by their ids.
fn keyed(value: &Value) -> Option<Vec<(&str, &Value)>> {
    match value {
        Value::Object(map) => Some(map.iter().map(|(key, value)| (key.as_str(), value)).collect()),
        Value::Array(rows) => rows.iter().map(|row| Some((row.get("id")?.as_str()?, row))).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_name_what_they_are_of() {
        let old = json!({
            "goal": {"status": "active", "tags": ["a"]}, "runs": [{"id": "r1", "n": 1}], "items": [{"id": "i1"}],
        });
        let new = json!({
            "goal": {"status": "completed", "tags": ["a", "b"]},
            "runs": [{"id": "r1", "n": 2}, {"id": "r2"}],
        });
        let told = changes(&old, &new).into_iter();
        let told: Vec<_> =
            told.map(|one| format!("{}: {} > {}", one.path, one.old_value, one.new_value)).collect();
        assert_eq!(
            told,
            [
                r#"goal.status: "active" > "completed""#,
                r#"goal.tags: ["a"] > ["a","b"]"#,
                "runs.r1.n: 1 > 2",
                r#"runs.r2: null > {"id":"r2"}"#,
                r#"items: [{"id":"i1"}] > null"#,
            ]
        );
        assert_eq!(changes(&new, &new), []);
        assert_eq!(changes(&Value::Null, &json!({})).len(), 1);
    }
}
