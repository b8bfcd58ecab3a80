//! The words of people, models and tools, as they may stand in the trace: never a key, and as much of the rest as
//! `[trace] content` in config.toml says.
//!
//! They are held to a limit where they are told, so that what waits is bounded, and made fit to be shown where they
//! are written. A key that lies across a limit is looked for before the text is cut there.

use pb_runtime::config::Content;
use pb_runtime::secrets;
use serde_json::{Map, Value, json};

/// Longest text with `content = "redacted"`, in characters (`wire.md` §3.3).
const REDACTED_CHARS_MAX: usize = 4096;
/// Longest text with `content = "full"`, in characters.
const FULL_CHARS_MAX: usize = 64 * 1024;
/// How far beyond the limit it is looked for the end of a key, in characters.
const KEY_CHARS_MAX: usize = 1024;
/// What is held of a text while it waits, in characters.
const TOLD_CHARS_MAX: usize = FULL_CHARS_MAX + KEY_CHARS_MAX;
/// Longest list; of a longer one so many are shown.
const LIST_MAX: usize = 100;
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 128;
/// Hex digits of a digest that are shown.
const DIGEST_DIGITS: usize = 16;
/// What stands at the end of a text that was longer.
const TRUNCATED: &str = " [truncated]";
/// What stands in the place of a value whose name says that it is a secret.
const HIDDEN: &str = "[hidden]";
/// Parts of such names, in lower case.
const SECRET_NAMES: [&str; 6] = ["password", "passwd", "secret", "token", "api_key", "authorization"];

/// Words of a person, a model or a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    kept: String,
    /// Length in bytes and digest of all of it, if not all is kept.
    whole: Option<(usize, String)>,
}

impl Text {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let mut kept = text.into();
        let whole = match end_of(&kept, TOLD_CHARS_MAX) {
            None => None,
            Some(end) => {
                let whole = (kept.len(), digest(&kept));
                kept.truncate(end);
                kept.shrink_to_fit();
                Some(whole)
            }
        };
        Self { kept, whole }
    }

    /// The beginning of a longer text.
    pub(super) fn preview(text: &str, chars_max: usize) -> Self {
        Self { kept: cut(text, chars_max), whole: None }
    }

    /// How many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        self.kept.len()
    }

    /// As it may be shown.
    pub(super) fn shown(&self, content: Content) -> String {
        match content {
            Content::Off => match &self.whole {
                Some((bytes, digest)) => not_kept(*bytes, digest),
                None => not_kept(self.kept.len(), &digest(&self.kept)),
            },
            Content::Redacted => cut(&self.kept, REDACTED_CHARS_MAX),
            Content::Full => cut(&self.kept, FULL_CHARS_MAX),
        }
    }
}

/// A name that others gave: of a model, a tool. It is shown whatever `content` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        Self(
            end_of(name, NAME_CHARS_MAX + KEY_CHARS_MAX)
                .and_then(|end| name.get(..end))
                .unwrap_or(name)
                .to_owned(),
        )
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        cut(&self.0, NAME_CHARS_MAX)
    }
}

/// A value that a model gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Json(Value);

impl Json {
    pub(crate) fn new(value: &Value) -> Self {
        Self(bounded(value, &|text| {
            let end = end_of(text, TOLD_CHARS_MAX).unwrap_or(text.len());
            text.get(..end).unwrap_or_default().to_owned()
        }))
    }

    /// How many bytes it holds, about.
    pub(super) fn weight(&self) -> usize {
        weight(&self.0)
    }

    /// As it may be shown.
    pub(super) fn shown(&self, content: Content) -> Value {
        match content {
            Content::Off => {
                let text = self.0.to_string();
                not_kept(text.len(), &digest(&text)).into()
            }
            Content::Redacted => without_secrets(bounded(&self.0, &|text| cut(text, REDACTED_CHARS_MAX))),
            Content::Full => without_secrets(bounded(&self.0, &|text| cut(text, FULL_CHARS_MAX))),
        }
    }
}

/// Where a text ends that may have so many characters; `None` if it has no more.
fn end_of(text: &str, chars_max: usize) -> Option<usize> {
    if text.len() <= chars_max {
        return None; // Most are short: nothing is counted.
    }
    text.char_indices().nth(chars_max).map(|(end, _)| end)
}

/// The beginning of a text, without keys.
fn cut(text: &str, chars_max: usize) -> String {
    let looked_at = end_of(text, chars_max + KEY_CHARS_MAX).and_then(|end| text.get(..end)).unwrap_or(text);
    let mut shown = secrets::redacted(looked_at);
    if let Some(end) = end_of(&shown, chars_max) {
        shown.truncate(end);
        shown.push_str(TRUNCATED);
    }
    shown
}

fn not_kept(bytes: usize, digest: &str) -> String {
    format!("[{bytes} bytes, blake3 {digest}]")
}

fn digest(text: &str) -> String {
    let mut digits = blake3::hash(text.as_bytes()).to_hex().to_string();
    digits.truncate(DIGEST_DIGITS);
    digits
}

/// A value whose texts are made what `text` makes of them, and of whose lists the beginning is there.
fn bounded(value: &Value, text: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(own) => text(own).into(),
        Value::Array(list) => {
            let sample: Vec<Value> = list.iter().take(LIST_MAX).map(|one| bounded(one, text)).collect();
            if list.len() > LIST_MAX {
                json!({"_truncated": true, "count": list.len(), "sample": sample})
            } else {
                sample.into()
            }
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), bounded(value, text)))
            .collect::<Map<_, _>>()
            .into(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain.clone(),
    }
}

/// A value in which what is named like a secret is hidden. Its texts have no keys any more.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(without_secrets).collect::<Vec<_>>().into(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let shown = if is_secret(&name, &value) { HIDDEN.into() } else { without_secrets(value) };
                (name, shown)
            })
            .collect::<Map<_, _>>()
            .into(),
        plain @ (Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// Numbers of tokens are no tokens.
fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.to_lowercase();
    value.is_string() && SECRET_NAMES.iter().any(|part| name.contains(part))
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + weight(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: impl Into<String>) -> String {
        Text::new(text).shown(Content::Redacted)
    }

    #[test]
    fn texts_and_lists_are_cut_and_say_so() {
        let fits = "春".repeat(4096);
        assert_eq!(redacted(fits.clone()), fits);
        assert_eq!(redacted(format!("{fits}天")), format!("{fits} [truncated]"));
        assert_eq!(Text::new(format!("{fits}天")).shown(Content::Full), format!("{fits}天"));
        let longest = "天".repeat(64 * 1024);
        assert_eq!(Text::new(longest.repeat(2)).shown(Content::Full), format!("{longest} [truncated]"));
        let value =
            json!({"list": vec![1; 100], "long": vec!["x"; 101], "text": format!("{fits}天"), "n": 1.5});
        let shown = json!({
            "list": vec![1; 100],
            "long": {"_truncated": true, "count": 101, "sample": vec!["x"; 100]},
            "text": format!("{fits} [truncated]"),
            "n": 1.5,
        });
        assert_eq!(Json::new(&value).shown(Content::Redacted), shown);
        assert_eq!(Name::new(&"名".repeat(200)).shown(), format!("{} [truncated]", "名".repeat(128)));
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
            "argv": ["curl", "-H", "Authorization: Bearer [redacted]", "密码 [redacted]\n"],
            "env": {"DB_PASSWORD": "[hidden]", "PATH": "/usr/bin"},
            "inputTokens": 12,
            "token": "[hidden]",
        });
        for content in [Content::Redacted, Content::Full] {
            assert_eq!(Json::new(&value).shown(content), shown);
        }
    }

    #[test]
    fn a_key_across_the_limit_is_no_half_key() {
        let (before, key) = ("x ".repeat(2044), "sk-0123456789abcdef0123456789");
        let shown = redacted(format!("{before}{key} and more {}", "y ".repeat(4096)));
        assert!(shown.starts_with(&format!("{before}[redac")), "{}", &shown[4000..]);
        assert!(!shown.contains("sk-"));
    }

    #[test]
    fn without_content_there_are_lengths_and_digests_of_all_of_it() {
        assert_eq!(Text::new("好").shown(Content::Off), "[3 bytes, blake3 6cce046582221740]");
        let long = "天".repeat(128 * 1024);
        let shown = Text::new(long.clone()).shown(Content::Off);
        assert_eq!(
            shown,
            format!("[393216 bytes, blake3 {}]", &blake3::hash(long.as_bytes()).to_hex()[..16])
        );
        let args = Json::new(&json!({"path": "a"})).shown(Content::Off);
        assert_eq!(args, format!("[12 bytes, blake3 {}]", &blake3::hash(br#"{"path":"a"}"#).to_hex()[..16]));
    }
}
