//! What of foreign text may stand in the trace: its beginning (`wire.md` §3.3), without keys.

use serde_json::{Map, Value, json};

/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 4096;
/// More bytes than a text of that length has: of more nothing would be shown.
pub(crate) const TEXT_BYTES_MAX: usize = 4 * TEXT_CHARS_MAX + 1;
/// What stands at the end of a text that was longer.
const TRUNCATED: &str = " [truncated]";
/// Longest list; of a longer one so many are shown.
const LIST_MAX: usize = 100;
/// What stands in the place of a value whose name says that it is a secret.
const HIDDEN: &str = "[hidden]";
/// Parts of such names, in lower case.
const SECRET_NAMES: [&str; 6] = ["password", "passwd", "secret", "token", "api_key", "authorization"];

/// The beginning of a text. Done where the text is told, so that what waits is bounded.
pub(super) fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
        text.truncate(end);
        text.push_str(TRUNCATED);
    }
    text
}

/// The same of every text in a value, and the beginning of every list.
pub(super) fn cut_value(value: Value) -> Value {
    match value {
        Value::String(text) => cut(text).into(),
        Value::Array(mut list) => {
            let count = list.len();
            list.truncate(LIST_MAX);
            let sample: Vec<Value> = list.into_iter().map(cut_value).collect();
            if count > LIST_MAX {
                json!({"_truncated": true, "count": count, "sample": sample})
            } else {
                sample.into()
            }
        }
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, cut_value(value))).collect::<Map<_, _>>().into()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// A value without what looks like a key, or is named like a secret. Done where it is written.
pub(super) fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => pb_llm::without_keys(&text).into(),
        Value::Array(list) => list.into_iter().map(without_secrets).collect::<Vec<_>>().into(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let shown = if is_secret(&name, &value) { HIDDEN.into() } else { without_secrets(value) };
                (name, shown)
            })
            .collect::<Map<_, _>>()
            .into(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// Numbers of tokens are no tokens.
fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.to_lowercase();
    value.is_string() && SECRET_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_are_cut_and_say_so() {
        let fits = "春".repeat(4096);
        assert_eq!(cut(fits.clone()), fits);
        assert_eq!(cut(format!("{fits}天")), format!("{fits} [truncated]"));
        let value =
            json!({"list": vec![1; 100], "long": vec!["x"; 101], "text": format!("{fits}天"), "n": 1.5});
        let cut = json!({
            "list": vec![1; 100],
            "long": {"_truncated": true, "count": 101, "sample": vec!["x"; 100]},
            "text": format!("{fits} [truncated]"),
            "n": 1.5,
        });
        assert_eq!(cut_value(value), cut);
    }

    #[test]
    fn keys_and_what_is_named_a_secret_are_hidden() {
        let value = json!({
            "argv": ["curl", "-H", "Authorization: Bearer abcdefghijklmnop", "密码 sk-0123456789abcdef\n"],
            "env": {"DB_PASSWORD": "hunter2", "PATH": "/usr/bin"},
            "inputTokens": 12,
            "token": "x",
        });
        let shown = json!({
            "argv": ["curl", "-H", "Authorization: Bearer [key]", "密码 [key]\n"],
            "env": {"DB_PASSWORD": "[hidden]", "PATH": "/usr/bin"},
            "inputTokens": 12,
            "token": "[hidden]",
        });
        assert_eq!(without_secrets(value), shown);
    }
}
