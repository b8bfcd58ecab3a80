//! Texts without keys: those that this process holds, and what looks like one.
//!
//! Used where a text leaves us for a place that others may read: the log, the trace, what is told of a provider's error.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

/// What stands in a line of the log in place of a key.
pub const REDACTED: &str = "[redacted]";
/// Shortest secret that is looked for, in bytes: a shorter one is no secret, and would stand in many words.
pub const SECRET_BYTES_MIN: usize = 8;
/// Most texts that are looked for; those that are held first.
const FORMS_MAX: usize = 1024;
/// What keys and tokens of well-known services begin with.
const PREFIXES: [&str; 34] = [
    "sk-",
    "sk_",
    "rk_live_",
    "AIza",
    "gsk_",
    "xai-",
    "pplx-",
    "hf_",
    "r8_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxo-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "ya29.",
    "npm_",
    "pypi-",
    "dop_v1_",
    "AKIA",
    "ASIA",
    "SG.",
    "eyJ",
    "pbt_",
    "whsec_",
];
/// Shortest word with such a beginning that is taken for a key, in bytes.
const KEY_BYTES_MIN: usize = 12;
/// Shortest word of letters and digits that is taken for a key whatever it begins with, in bytes; our access tokens
/// have 64. The ids of requests and goals, which are worth showing, are shorter.
const LONG_WORD_BYTES_MIN: usize = 40;
/// What the first line of a private key begins with.
const PEM_BEGIN: &str = "-----BEGIN ";
/// How far the end of the first line of a private key may be from its beginning, in bytes.
const PEM_HEADER_BYTES_MAX: usize = 64;

/// Texts that hold what this process must not tell, the longest first.
static HELD: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// From now on no line of this process's log shows this, in whatever form it is written there. Kept for the life of
/// the process. One of less than [`SECRET_BYTES_MIN`] bytes is passed over.
pub fn hold(secret: &str) {
    if secret.len() < SECRET_BYTES_MIN {
        return;
    }
    let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms(secret) {
        if held.len() < FORMS_MAX && !held.contains(&form) {
            held.push(form);
        }
    }
    held.sort_by_key(|form| std::cmp::Reverse(form.len()));
}

/// What the names of variables end with that hold secrets.
const SECRET_NAMES: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIALS"];

/// Holds what the environment of this process has under the name of a secret, whether we use it or not. A path is none.
pub fn hold_environment() {
    for (name, value) in crate::environment::all() {
        if is_secret(&name, &value) {
            hold(&value);
        }
    }
}

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_NAMES.iter().any(|end| name.ends_with(end)) && !value.starts_with('/')
}

/// As it is, and as it stands in JSON, in Rust's debug form, in both, and in a URL.
fn forms(secret: &str) -> [String; 5] {
    let in_json = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap_or_default();
        quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
    };
    let debug = format!("{secret:?}");
    let debug = debug.get(1..debug.len() - 1).unwrap_or_default().to_owned();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let in_url = secret
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    [secret.to_owned(), in_json(secret), debug.clone(), in_json(&debug), in_url.collect()]
}

/// A line of the log without the keys that this process holds, and without what looks like one.
pub fn redacted(line: &str) -> String {
    without_keys(&without_held(line), REDACTED)
}

/// A text without the keys that this process holds; what only looks like one stays.
pub fn without_held(text: &str) -> Cow<'_, str> {
    let held = HELD.read().unwrap_or_else(PoisonError::into_inner);
    let there = held.iter().filter(|form| text.contains(form.as_str()));
    there.fold(Cow::Borrowed(text), |text, form| Cow::Owned(text.replace(form.as_str(), REDACTED)))
}

/// `text` with `mark` in the place of whatever looks like a key: a word that begins as those of well-known services
/// do, a long word of letters and digits, what follows `Bearer` or `Basic`, the password in a URL, and a private key.
/// Its length is the caller's to bound.
pub fn without_keys(text: &str, mark: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for key in Keys::of(text) {
        shown.push_str(text.get(at..key.start).unwrap_or_default());
        shown.push_str(mark);
        at = key.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// The word before, if what follows it is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    No,
    Bearer,
    Basic,
}

/// Goes through a text and finds what looks like a key.
struct Keys<'t> {
    text: &'t str,
    at: usize,
    announced: Announced,
}

impl<'t> Keys<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: 0, announced: Announced::No }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes what stands between two words; a key, if there is one.
    fn between(&mut self, rest: &str) -> Option<Range<usize>> {
        let begin = self.at;
        if let Some(bytes) = private_key(rest) {
            self.at += bytes;
            return Some(begin..self.at);
        }
        if let Some(password) = rest.strip_prefix("://").and_then(password) {
            self.at += "://".len() + password.end;
            return Some(begin + "://".len() + password.start..self.at);
        }
        self.at += colour(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
        None
    }

    /// Takes a word of these many bytes; the key that it is or holds, if there is one.
    fn word(&mut self, rest: &str, bytes: usize) -> Option<Range<usize>> {
        let mut begin = self.at;
        let mut word = rest.get(..bytes).unwrap_or_default();
        if begin > 0 && self.text.as_bytes().get(begin - 1) == Some(&b'\\') {
            // What belongs to the backslash, as the `n` of `\n`, is no part of a key behind it.
            let escape = match word.as_bytes().first() {
                Some(b'n' | b'r' | b't' | b'b' | b'f') => 1,
                Some(b'u') => "u001b".len(),
                Some(_) | None => 0,
            };
            let behind = word.get(escape..).unwrap_or_default();
            if looks_like_a_key(behind) || announces(behind) != Announced::No {
                (begin, word) = (begin + escape, behind);
            }
        }
        let announced = std::mem::replace(&mut self.announced, announces(word));
        self.at += bytes;
        if let Some(key) = announced_key(announced, rest) {
            self.announced = Announced::No;
            self.at = self.at.max(begin + key.len());
            return Some(begin..self.at);
        }
        looks_like_a_key(word).then_some(begin..self.at)
    }
}

impl Iterator for Keys<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            let word = rest.find(|c| !is_of_a_key(c)).unwrap_or(rest.len());
            // The first line of a private key begins with what may stand in a word.
            let word =
                rest.get(..rest.len().min(word + 1)).and_then(|word| word.find(PEM_BEGIN)).unwrap_or(word);
            let found = if word == 0 { self.between(rest) } else { self.word(rest, word) };
            if found.is_some() {
                return found;
            }
        }
    }
}

fn is_of_a_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '.' | '…')
}

fn looks_like_a_key(word: &str) -> bool {
    let known = || PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    let mixed = || {
        word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_alphabetic())
            && !word.contains('.')
    };
    (word.len() >= KEY_BYTES_MIN && known()) || (word.len() >= LONG_WORD_BYTES_MIN && mixed())
}

fn announces(word: &str) -> Announced {
    if word.eq_ignore_ascii_case("bearer") {
        Announced::Bearer
    } else if word.eq_ignore_ascii_case("basic") {
        Announced::Basic
    } else {
        Announced::No
    }
}

/// What was announced, if it is a key. It may hold more than the letters of a word, as base64 does.
fn announced_key(announced: Announced, rest: &str) -> Option<&str> {
    let end = rest.find(|c: char| c.is_whitespace() || c.is_control() || "\"'\\,;<>()[]{}".contains(c));
    let whole = rest.get(..end.unwrap_or(rest.len()))?;
    let is_key = match announced {
        Announced::No => false,
        Announced::Bearer => whole.len() >= KEY_BYTES_MIN,
        // It is also a word of English.
        Announced::Basic => {
            whole.len() >= SECRET_BYTES_MIN
                && whole.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '=')
        }
    };
    is_key.then_some(whole)
}

/// The bytes of a colour of terminals that a text begins with, also as JSON writes it.
fn colour(text: &str) -> Option<usize> {
    let begin = ["\u{1b}[", "\\u001b["].into_iter().find(|begin| text.starts_with(begin))?.len();
    let parameters = text.get(begin..)?.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    text.get(begin + parameters..)?.starts_with('m').then_some(begin + parameters + 1)
}

/// The bytes of a private key that a text begins with: to its last line, or, where that was cut off, to the end of the
/// quotation.
fn private_key(text: &str) -> Option<usize> {
    const FIRST_LINE_ENDS: &str = "PRIVATE KEY-----";
    let after = text.strip_prefix(PEM_BEGIN)?;
    let header = after.get(..after.floor_char_boundary(PEM_HEADER_BYTES_MAX))?;
    let body = PEM_BEGIN.len() + header.find(FIRST_LINE_ENDS)? + FIRST_LINE_ENDS.len();
    let rest = text.get(body..)?;
    let last = rest
        .find("-----END ")
        .and_then(|end| Some(end + rest.get(end..)?.find(FIRST_LINE_ENDS)? + FIRST_LINE_ENDS.len()));
    Some(body + last.or_else(|| rest.find('"')).unwrap_or(rest.len()))
}

/// Where the password is, in what follows the `://` of a URL.
fn password(text: &str) -> Option<Range<usize>> {
    let end = text.find(|c: char| c.is_whitespace() || "/?#\"'\\<>".contains(c)).unwrap_or(text.len());
    let user = text.get(..end)?.rfind('@')?;
    let begin = text.get(..user)?.find(':')? + 1;
    (begin < user).then_some(begin..user)
}

#[cfg(test)]
mod tests;
