//! What to do about text that is no TOML: the parser says what it expected, not what a person meant.

/// Signs of Chinese keyboards that stand for a sign of TOML, and that one.
const WIDE_SIGNS: [(char, char); 12] = [
    ('“', '"'),
    ('”', '"'),
    ('＂', '"'),
    ('‘', '\''),
    ('’', '\''),
    ('＝', '='),
    ('，', ','),
    ('、', ','),
    ('［', '['),
    ('］', ']'),
    ('【', '['),
    ('】', ']'),
];

/// How to mend the line in which the parser stumbled at byte `at`; `message` is what it said.
pub(super) fn hint(text: &str, at: usize, message: &str) -> Option<String> {
    let line = line_at(text, at);
    let bare = outside_of_strings(line);
    if text.trim_start().starts_with('{') {
        return Some("a goal file is TOML, not JSON: title = \"…\"".to_owned());
    }
    if let Some((wide, plain)) = WIDE_SIGNS.iter().find(|(wide, _)| bare.contains(*wide)) {
        return Some(format!("write `{plain}` instead of `{wide}`"));
    }
    let (key, rest) = line.split_once(['=', ':']).map_or((line.trim(), ""), |(k, r)| (k.trim(), r.trim()));
    if message.contains("unquoted key") && !key.is_ascii() {
        return Some(
            "keys are English words, such as title = \"…\"; Chinese stands in the quotes".to_owned(),
        );
    }
    if message.contains("key with no value") && line.contains(':') {
        return Some(format!("a goal file is TOML, not YAML: {} = …", key.trim_start_matches("- ")));
    }
    if message.contains("duplicate key") {
        return Some(
            "a key and a table stand once; a list of tables has two brackets, as [[items]]".to_owned(),
        );
    }
    if message.contains("must be quoted") {
        return Some(format!("put it in quotes: {key} = \"{}\"", rest.trim_matches('"')));
    }
    if message.contains("unicode") || message.contains("escape") {
        return Some("in \"…\" a backslash begins an escape: write '…', or two backslashes".to_owned());
    }
    if message.contains("invalid basic string") || message.contains("invalid literal string") {
        return Some(
            "close the text with a quote on its line; several lines stand between \"\"\"".to_owned(),
        );
    }
    if message.contains("unclosed array") {
        return Some("close it with `]`; a list of tables has two, as [[items]]".to_owned());
    }
    None
}

fn line_at(text: &str, at: usize) -> &str {
    let at = text.floor_char_boundary(at);
    let begin = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    text.get(begin..).unwrap_or_default().lines().next().unwrap_or_default()
}

/// The line without what stands in straight double quotes, where any sign may stand.
fn outside_of_strings(line: &str) -> String {
    line.split('"').step_by(2).collect()
}
