//! What is wrong with a goal file, and where.

use std::fmt;

use serde::Serialize;

use super::log::Found;

/// Most problems that are spelled out; the rest is counted.
pub const PROBLEMS_MAX: usize = 100;

/// Longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 400;

/// One thing wrong with a goal file, at its place in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters (not bytes), from 1.
    pub column: usize,
    /// What is wrong: a lowercase fragment on one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything wrong with a goal file, in reading order; never empty.
///
/// It prints one problem per line. A caller that renders hints itself iterates instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    spelled_out: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// Locates what was found in `text`; `None` if nothing was.
    pub(super) fn locate(text: &str, mut found: Vec<Found>) -> Option<Self> {
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|one| one.at);
        let left_out = found.len().saturating_sub(PROBLEMS_MAX);
        found.truncate(PROBLEMS_MAX);
        let spelled_out = found
            .into_iter()
            .map(|one| {
                let (line, column) = position(text, one.at);
                Problem { line, column, message: shown(&one.message), hint: one.hint.as_deref().map(shown) }
            })
            .collect();
        Some(Self { spelled_out, left_out })
    }

    /// The problems that are spelled out: at least one, at most [`PROBLEMS_MAX`].
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.spelled_out.iter()
    }

    /// How many more there are.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        match self.left_out {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Problems {}

/// Line and column, from 1, of a byte offset. A byte order mark takes no column.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    let column = in_line.chars().filter(|c| *c != '\u{feff}').count() + 1;
    (line, column)
}

/// A message or hint as people see it, whatever the file made it quote: one line of bounded
/// length, without control characters that a terminal would obey.
fn shown(text: &str) -> String {
    let mut line = text.to_owned();
    if let Some((end, _)) = line.char_indices().nth(MESSAGE_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line.replace(char::is_control, "\u{fffd}")
}
