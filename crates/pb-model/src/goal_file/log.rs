//! What the reader notes while it walks the file: problems, and where each value stands.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{INPUTS_MAX, template};
use crate::plan::closest;
use crate::spec::Invalid;

/// Words longer than this are cut in messages.
const WORD_CHARS_MAX: usize = 60;

/// A problem at a byte offset.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) at: usize,
    /// The item that it is in, so that an unreadable item is not also called meaningless.
    pub(super) item: Option<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Byte offsets of the file's values by place, such as `items[2].needs[0]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    offsets: BTreeMap<String, usize>,
    /// What messages call the items, in their order.
    items: Vec<String>,
}

impl Places {
    pub(super) fn add(&mut self, place: &str, at: usize) {
        self.offsets.insert(place.to_owned(), at);
    }

    /// The offset of a place, or of the nearest thing around one that the file does not spell out.
    pub(super) fn offset(&self, place: &str) -> usize {
        let mut place = place;
        loop {
            if let Some(at) = self.offsets.get(place) {
                return *at;
            }
            match place.rfind(['.', '[']).and_then(|cut| place.get(..cut)) {
                Some(around) => place = around,
                None => return 0,
            }
        }
    }

    /// A problem of the specification, at its place in the file.
    pub(super) fn found(&self, invalid: Invalid) -> Found {
        // The specification is flat where the file has a table.
        let place = match (invalid.place.strip_prefix("budget_"), invalid.place.as_str()) {
            (Some(key), _) => format!("budget.{key}"),
            (None, "answer_within_s") => "answer_within".to_owned(),
            (None, _) => invalid.place,
        };
        let key = place.rsplit('.').next().unwrap_or_default();
        let message = match key.split_once('[') {
            Some(("items" | "gates", _)) => invalid.problem,
            Some((list, _)) => format!("`{list}`: {}", invalid.problem),
            None => format!("`{key}`: {}", invalid.problem),
        };
        let message = match self.around(&place) {
            Some(around) => format!("{around}: {message}"),
            None => message,
        };
        Found { at: self.offset(&place), item: None, message, hint: invalid.hint }
    }

    /// What messages call the item or the gate that a place is in.
    fn around(&self, place: &str) -> Option<String> {
        let (item, rest) = index(place, "items[")?;
        let item = self.items.get(item)?;
        Some(match index(rest, ".gates[") {
            Some((gate, _)) => format!("gate {} of {item}", gate + 1),
            None => item.clone(),
        })
    }
}

/// The number that follows `before` at the start of a place, and what follows its bracket.
fn index<'p>(place: &'p str, before: &str) -> Option<(usize, &'p str)> {
    let (number, rest) = place.strip_prefix(before)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

/// The notes of one walk.
#[derive(Debug, Default)]
pub(super) struct Log<'t> {
    text: &'t str,
    pub(super) places: Places,
    pub(super) found: Vec<Found>,
    /// Names that `{{name}}` may use.
    pub(super) inputs: BTreeSet<String>,
    /// The item being read.
    pub(super) item: Option<usize>,
    /// What messages call the item or the gate being read; empty outside of both.
    pub(super) around: String,
}

impl<'t> Log<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, ..Self::default() }
    }

    /// A problem; whoever reads its message is told in which item and gate it is.
    pub(super) fn problem(&mut self, at: usize, mut message: String, hint: Option<String>) {
        if !message.contains(&self.around) {
            message = format!("{}: {message}", self.around);
        }
        self.found.push(Found { at, item: self.item, message, hint });
    }

    /// From now on item `n` is read, which messages call by this name.
    pub(super) fn begin_item(&mut self, n: usize, name: String) {
        self.item = Some(n);
        self.around.clone_from(&name);
        self.places.items.push(name);
    }

    /// The item was read.
    pub(super) fn end_item(&mut self) {
        self.item = None;
        self.around.clear();
    }

    /// Whether anything was wrong in an item, or outside all items.
    pub(super) fn is_dirty(&self, item: Option<usize>) -> bool {
        self.found.iter().any(|found| found.item == item)
    }

    /// Reports each `{{name}}` of a string that no input declares.
    pub(super) fn check_names(&mut self, decoded: &str, span: Range<usize>) {
        let names = template::names(decoded);
        if names.is_empty() {
            return;
        }
        // Where an escape sequence spells a brace, only the string as a whole can be shown.
        let source = self.text.get(span.clone()).unwrap_or_default();
        let mut written = template::names(source);
        if written.len() != names.len() {
            written.clear();
        }
        for (n, (_, name)) in names.iter().enumerate() {
            if self.inputs.contains(*name) {
                continue;
            }
            let offset = written.get(n).map_or(0, |(at, _)| *at);
            let known: Vec<&str> = self.inputs.iter().take(INPUTS_MAX).map(String::as_str).collect();
            let hint = did_you_mean(name, &known)
                .unwrap_or_else(|| format!("declare it: [inputs] {} = \"…\"", short(name)));
            let message = format!("no input is named `{}`", short(name));
            self.problem(span.start + offset, message, Some(hint));
        }
    }
}

/// ``did you mean `near`?``, if a known word is near.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    let near = closest(word, known).or_else(|| closest(&word.to_lowercase(), known));
    near.map(|near| format!("did you mean `{near}`?"))
}

/// A word of the file as messages quote it: of bounded length.
pub(super) fn short(word: &str) -> String {
    let mut quoted: String = word.chars().take(WORD_CHARS_MAX).collect();
    if word.chars().nth(WORD_CHARS_MAX).is_some() {
        quoted.push('…');
    }
    quoted
}
