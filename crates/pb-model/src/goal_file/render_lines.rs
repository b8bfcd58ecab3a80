//! The lines of a goal file that is written.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use super::template::names;
use crate::spec::input_variable;

/// The usual name of the input that stands for nothing.
const NOTHING: &str = "nothing";
/// Longest array on one line, in characters; texts of several lines do not count.
const ARRAY_CHARS_MAX: usize = 90;

/// An input that stands for nothing. What a text has to say of `{{name}}` literally is written
/// `{{{{nothing}}name}}`: with it in between, the first braces are no beginning of an input, in a regular
/// expression neither.
pub(super) struct Nothing {
    pub(super) name: String,
    /// Whether a text needs it.
    pub(super) is_used: bool,
}

impl Nothing {
    /// The input of an earlier rendering, or one with a name that no input has.
    pub(super) fn beside(inputs: &BTreeMap<String, String>) -> Self {
        let is_free = |name: &str| {
            let variable = input_variable(name);
            inputs.get(name).is_some_and(String::is_empty)
                || inputs.keys().all(|other| input_variable(other) != variable)
        };
        // One name more than there are inputs: one of them is free.
        let numbered = (2..).take(inputs.len()).map(|n| format!("{NOTHING}_{n}"));
        let name = std::iter::once(NOTHING.to_owned()).chain(numbered).find(|name| is_free(name));
        Self { name: name.unwrap_or_default(), is_used: false }
    }
}

/// Lines under construction.
pub(super) struct Lines<'n> {
    pub(super) text: String,
    nothing: &'n mut Nothing,
}

impl<'n> Lines<'n> {
    pub(super) fn new(nothing: &'n mut Nothing) -> Self {
        Self { text: String::new(), nothing }
    }

    /// A header such as `[[items]]`.
    pub(super) fn header(&mut self, header: &str) {
        self.line(format_args!("\n{header}"));
    }

    /// A value that is written as it is displayed.
    pub(super) fn plain(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {value}"));
    }

    /// The same, for a key that may be left out.
    pub(super) fn plain_if(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.plain(key, value);
        }
    }

    /// A text in which nothing stands for an input.
    pub(super) fn verbatim(&mut self, key: &str, text: Option<&str>) {
        self.plain_if(key, text.map(quoted));
    }

    /// Such texts, unless there are none.
    pub(super) fn verbatims(&mut self, key: &str, texts: &[String]) {
        let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.array(key, &quoted);
    }

    /// A text in which `{{name}}` would stand for an input.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        let value = self.template(text);
        self.plain(key, value);
    }

    /// The same, for a key that may be left out.
    pub(super) fn text_if(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// Such texts, unless there are none.
    pub(super) fn texts<'t>(&mut self, key: &str, texts: impl IntoIterator<Item = &'t String>) {
        let quoted: Vec<String> = texts.into_iter().map(|text| self.template(text)).collect();
        self.array(key, &quoted);
    }

    /// A table of such texts, one line each.
    pub(super) fn text_map(&mut self, key: &str, texts: &BTreeMap<String, String>) {
        for (name, text) in texts {
            self.text(&format!("{key}.{}", key_of(name)), text);
        }
    }

    /// A time limit in the largest unit that fits.
    pub(super) fn time_limit(&mut self, seconds: Option<u64>) {
        let units = [(3600, "h"), (60, "m"), (1, "s")];
        let written = |seconds: u64| {
            let unit = units.iter().find(|(length, _)| seconds.is_multiple_of(*length));
            unit.map(|(length, name)| format!("\"{}{name}\"", seconds / length))
        };
        self.plain_if("time_limit", seconds.and_then(written));
    }

    /// Written values, unless there are none.
    pub(super) fn array(&mut self, key: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        let line = values.join(", ");
        if line.contains('\n') || line.chars().count() <= ARRAY_CHARS_MAX {
            self.plain(key, format_args!("[{line}]"));
        } else {
            self.plain(key, format_args!("[\n  {},\n]", values.join(",\n  ")));
        }
    }

    fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.text, "{line}");
    }

    fn template(&mut self, text: &str) -> String {
        quoted(&self.escaped(text))
    }

    /// A template that is filled to `text`.
    fn escaped(&mut self, text: &str) -> String {
        let mut escaped = String::new();
        let mut done = 0;
        for (at, _) in names(text) {
            let behind = at + "{{".len();
            escaped.push_str(text.get(done..behind).unwrap_or_default());
            let _ = write!(escaped, "{{{{{}}}}}", self.nothing.name);
            self.nothing.is_used = true;
            done = behind;
        }
        escaped.push_str(text.get(done..).unwrap_or_default());
        escaped
    }
}

/// A name as a TOML key, with quotes where it needs them.
fn key_of(name: &str) -> String {
    let pair = toml::Table::from_iter([(name.to_owned(), toml::Value::Boolean(true))]).to_string();
    pair.trim_end().strip_suffix(" = true").unwrap_or(name).to_owned()
}

/// A TOML string: over several lines if the text is.
pub(super) fn quoted(text: &str) -> String {
    let written = toml::Value::String(text.to_owned()).to_string();
    // On one line a few escapes read better than three quotes.
    if written.starts_with("\"\"\"") && !text.contains('\n') {
        return format!("\"{}\"", text.replace('"', "\\\""));
    }
    written
}
