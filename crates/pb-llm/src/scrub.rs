//! Providers' words, made fit to be shown and stored: no keys, no control characters, bounded.

use crate::chat::ERROR_BYTES_MAX;

/// What stands in place of a key.
const SCRUBBED: &str = "[key]";
/// How much of a text is looked at, in bytes; far more than is kept.
const LOOKED_AT_BYTES_MAX: usize = 64 * 1024;
/// Shortest key of ours that is looked for, in bytes: a shorter one is no key.
const OWN_KEY_BYTES_MIN: usize = 4;

/// `text` without `key` and whatever looks like one, at most [`ERROR_BYTES_MAX`] bytes.
pub(crate) fn scrub(text: &str, key: Option<&str>) -> String {
    let text = bounded(text, LOOKED_AT_BYTES_MAX);
    let shown = match key.filter(|key| key.len() >= OWN_KEY_BYTES_MIN) {
        Some(key) => without_keys(&text.replace(key, SCRUBBED)),
        None => without_keys(text),
    };
    let shown = shown.replace(char::is_control, " ");
    bounded(shown.trim(), ERROR_BYTES_MAX).to_owned()
}

/// `text` with `[key]` in the place of whatever looks like a key. Its length is the caller's to bound.
pub fn without_keys(text: &str) -> String {
    pb_runtime::secrets::without_keys(text, SCRUBBED)
}

fn bounded(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        for (text, expect) in [
            ("key 日本-our-key is wrong", "key 日本-our-key is wrong"),
            ("the key tesserakt!x is wrong", "the key [key] is wrong"),
            (
                "Incorrect API key provided: sk-ab***********************wxyz.",
                "Incorrect API key provided: [key]",
            ),
            ("{\"key\":\"AIzaSyA-1234567890\"}", "{\"key\":\"[key]\"}"),
            ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer [key]"),
            ("x=0123456789abcdef0123456789abcdef0123456789abcdef;", "x=[key];"),
            // Not keys.
            ("request req_011CSHoEeqs5C35K2UUqR7Fy", "request req_011CSHoEeqs5C35K2UUqR7Fy"),
            ("id 0197d1a2-1111-7222-8333-444455556666", "id 0197d1a2-1111-7222-8333-444455556666"),
            ("model claude-sonnet-4-5-20250929 不存在", "model claude-sonnet-4-5-20250929 不存在"),
            ("a\nb\u{1b}[31mc", "a b [31mc"),
        ] {
            assert_eq!(scrub(text, Some("tesserakt!x")), expect);
        }
    }

    #[test]
    fn texts_are_bounded() {
        let long = scrub(&"错".repeat(100_000), None);
        assert!(long.len() <= ERROR_BYTES_MAX && long.len() > ERROR_BYTES_MAX - 3);
    }
}
