//! The words of a debug event, by which it is found.
//!
//! Letters and digits that stand together make a word, in lower case. Scripts that put no spaces between
//! words (Chinese, Japanese, Korean, Thai) are taken in pairs: `写报告` is `写报`, `报告`, and `告` alone, so
//! that words of one character and of two are found as well as longer ones, which SQLite's own trigrams
//! would not find.
//!
//! The words go into an index of SQLite (FTS5) that keeps no text and no places, only which event has
//! which word. That costs about 10 µs and 200 bytes an event of 440 bytes, and is done behind the writing,
//! many events at once. What is not in the index yet is looked at event by event, with these very words.

use std::collections::BTreeSet;

/// How much of an event's data is taken into account, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest word, in bytes; the rest of a longer one does not count.
const WORD_BYTES_MAX: usize = 64;
/// Most words of a search.
const SOUGHT_MAX: usize = 32;

/// Ranges of characters whose words are written without spaces between them.
const UNSPACED: [(char, char); 7] = [
    ('\u{0e00}', '\u{0eff}'),
    ('\u{1100}', '\u{11ff}'),
    ('\u{3040}', '\u{30ff}'),
    ('\u{3400}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7af}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{20000}', '\u{323af}'),
];

/// What is looked for: every word must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sought {
    words: Vec<SoughtWord>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SoughtWord {
    text: String,
    /// Whether words that only begin with it are meant too.
    begins: bool,
}

impl Sought {
    /// What a text asks for; `None` if there is no word in it. What stands together must be there together as
    /// far as words tell, and the last word of that may be the beginning of a longer one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut sought = Vec::new();
        for part in text.split_whitespace() {
            let mut words = Vec::new();
            split(part, |word, is_rest| words.push((word.to_owned(), is_rest)));
            // The last character of several stands in the pair before it.
            if words.len() > 1 && words.last().is_some_and(|(_, is_rest)| *is_rest) {
                words.pop();
            }
            let last = words.len().saturating_sub(1);
            let part = words.into_iter().enumerate();
            sought.extend(part.map(|(index, (text, _))| SoughtWord { text, begins: index == last }));
        }
        sought.truncate(SOUGHT_MAX);
        (!sought.is_empty()).then_some(Self { words: sought })
    }

    /// The same for SQLite's index.
    pub(crate) fn expression(&self) -> String {
        // Letters and digits only: nothing of it ends a string.
        let word = |word: &SoughtWord| format!("\"{}\"{}", word.text, if word.begins { "*" } else { "" });
        self.words.iter().map(word).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether an event has all of them.
    pub(crate) fn is_in(&self, kind: &str, data: &str) -> bool {
        let there = words(kind, data);
        let has = |word: &SoughtWord| {
            let first = there.range(word.text.clone()..).next();
            first.is_some_and(|first| *first == word.text || word.begins && first.starts_with(&word.text))
        };
        self.words.iter().all(has)
    }
}

/// The words of an event, each once, as the index takes them.
pub(crate) fn indexed(kind: &str, data: &str) -> String {
    words(kind, data).into_iter().collect::<Vec<_>>().join(" ")
}

fn words(kind: &str, data: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for text in [kind, beginning(data, TEXT_BYTES_MAX)] {
        split(text, |word, _| {
            if !words.contains(word) {
                words.insert(word.to_owned());
            }
        });
    }
    words
}

/// Gives each word; and whether it is what is left of characters that were taken in pairs.
fn split(text: &str, mut take: impl FnMut(&str, bool)) {
    let mut word = String::new();
    let mut before = None;
    for character in text.chars() {
        if is_unspaced(character) {
            end(&mut word, &mut take);
            if let Some(before) = before {
                take(&format!("{before}{character}"), false);
            }
            before = Some(character);
            continue;
        }
        if let Some(rest) = before.take() {
            take(rest.encode_utf8(&mut [0; 4]), true);
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        } else {
            end(&mut word, &mut take);
        }
    }
    end(&mut word, &mut take);
    if let Some(rest) = before {
        take(rest.encode_utf8(&mut [0; 4]), true);
    }
}

fn end(word: &mut String, take: &mut impl FnMut(&str, bool)) {
    if !word.is_empty() {
        take(beginning(word, WORD_BYTES_MAX), false);
        word.clear();
    }
}

fn is_unspaced(character: char) -> bool {
    character >= UNSPACED[0].0
        && character.is_alphanumeric()
        && UNSPACED.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

/// At most so many bytes of the beginning, and no half character.
fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(sought: &str, data: &str) -> bool {
        Sought::parse(sought).is_some_and(|sought| sought.is_in("tool.invoke", data))
    }

    #[test]
    fn words_are_found_by_their_beginning_in_any_script() {
        let data = r#"{"text":"写一份报告, Rewrite README.md für Ärzte","n":42}"#;
        for there in [
            "报告",
            "告",
            "写",
            "一份报",
            "rewrite",
            "READ",
            "readme.md",
            "ärzte",
            "42",
            "tool.inv",
            "报告 rew",
        ] {
            assert!(finds(there, data), "{there}");
        }
        for missing in
            ["告报", "写报", "write", "readme.mdx", "tool.x", "报告 nowhere", "", " , ", "invoke.tool"]
        {
            // All words of the last one are there; that they follow each other is not looked at.
            assert_eq!(finds(missing, data), missing == "invoke.tool", "{missing}");
        }
    }

    #[test]
    fn what_is_looked_for_is_never_more_than_words() {
        let sought = Sought::parse(r#"a"b* OR(NEAR) 报告x"#).unwrap();
        assert_eq!(sought.expression(), r#""a" AND "b"* AND "or" AND "near"* AND "报告" AND "告" AND "x"*"#);
        assert!(Sought::parse("\"*").is_none());
        let long = "x".repeat(100);
        assert!(finds(&long, &format!("a {long}y")));
        assert_eq!(indexed("a.b", "{\"b\":\"A c\"}"), "a b c");
    }
}
