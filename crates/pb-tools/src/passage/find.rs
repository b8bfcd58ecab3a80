//! Where a passage is.

use super::lines::{Bytes, Line, is_crlf, lines, to_crlf};

/// Most places that are looked for: enough to say that there are several, and where.
pub(super) const PLACES_MAX: usize = 20;

/// Most comparisons of lines in one search; a text that needs more is made to need them.
const COMPARISONS_MAX: usize = 20_000_000;

/// One place where a passage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bytes: Bytes,
    pub(super) fit: Fit,
}

/// How a passage fits its place, and so how its replacement is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// Byte for byte.
    Exact,
    /// But for `\r\n`, with which the file ends every line.
    Crlf,
    /// Line by line, but for blanks.
    Lines { shift: Shift, crlf: bool },
}

/// How the file's indentation differs from the quoted one: by the same on each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shift {
    /// The file has this in front of the quoted indentation.
    Deeper(String),
    /// The quoted indentation has this in front of the file's.
    Shallower(String),
}

/// The places of `passage`, at most [`PLACES_MAX`]: those that fit best, and only those. Places may
/// overlap, for then it is unclear which one is meant.
pub(super) fn find(text: &str, passage: &str) -> Vec<Place> {
    let exact = find_exact(text, passage);
    if exact.is_empty() { find_tolerant(text, passage) } else { exact }
}

/// The places that are the passage, byte for byte.
pub(super) fn find_exact(text: &str, passage: &str) -> Vec<Place> {
    places(text, passage, &Fit::Exact)
}

/// The places that are the passage but for blanks and line ends.
pub(super) fn find_tolerant(text: &str, passage: &str) -> Vec<Place> {
    if is_crlf(text) && passage.contains('\n') {
        let places = places(text, &to_crlf(passage), &Fit::Crlf);
        if !places.is_empty() {
            return places;
        }
    }
    find_lines(text, passage)
}

fn places(text: &str, passage: &str, fit: &Fit) -> Vec<Place> {
    let Some(first) = passage.chars().next() else { return Vec::new() };
    let mut found = Vec::new();
    let mut from = 0;
    while found.len() < PLACES_MAX
        && let Some(offset) = text.get(from..).and_then(|rest| rest.find(passage))
    {
        let start = from + offset;
        found.push(Place { bytes: start..start + passage.len(), fit: fit.clone() });
        from = start + first.len_utf8();
    }
    found
}

fn find_lines(text: &str, passage: &str) -> Vec<Place> {
    let wanted = lines(passage);
    let there = lines(text);
    let Some(anchor) = wanted.iter().position(|line| !line.trimmed().is_empty()) else {
        return Vec::new();
    };
    let mut comparisons_left = COMPARISONS_MAX;
    there
        .windows(wanted.len())
        .filter_map(|window| {
            let shift = Shift::between(window.get(anchor)?, wanted.get(anchor)?)?;
            for (line, wanted) in window.iter().zip(&wanted) {
                comparisons_left = comparisons_left.checked_sub(1)?;
                if !shift.fits(line.trimmed(), wanted.trimmed()) {
                    return None;
                }
            }
            place(text, window, passage.ends_with('\n'), shift)
        })
        .take(PLACES_MAX)
        .collect()
}

/// A passage without a line end at its end leaves that of the file alone.
fn place(text: &str, window: &[Line<'_>], with_line_end: bool, shift: Shift) -> Option<Place> {
    let (first, last) = (window.first()?, window.last()?);
    let end = if with_line_end { last.end } else { last.text_end() };
    let crlf = text.get(first.text_end()..first.end) == Some("\r\n");
    Some(Place { bytes: first.start..end, fit: Fit::Lines { shift, crlf } })
}

impl Shift {
    /// The shift that makes `wanted` the line that is there, if one does.
    fn between(there: &Line<'_>, wanted: &Line<'_>) -> Option<Self> {
        let (there, wanted) = (there.trimmed(), wanted.trimmed());
        let (there_word, wanted_word) = (there.trim_start(), wanted.trim_start());
        if there_word != wanted_word {
            return None;
        }
        let there = there.strip_suffix(there_word)?;
        let wanted = wanted.strip_suffix(wanted_word)?;
        if let Some(more) = there.strip_suffix(wanted) {
            return Some(Self::Deeper(more.to_owned()));
        }
        wanted.strip_suffix(there).map(|more| Self::Shallower(more.to_owned()))
    }

    fn fits(&self, there: &str, wanted: &str) -> bool {
        match self {
            _ if wanted.is_empty() || there.is_empty() => wanted == there,
            Self::Deeper(more) => there.strip_prefix(more.as_str()) == Some(wanted),
            Self::Shallower(more) => wanted.strip_prefix(more.as_str()) == Some(there),
        }
    }

    fn apply(&self, line: &str) -> String {
        match self {
            _ if line.trim().is_empty() => String::new(),
            Self::Deeper(more) => format!("{more}{line}"),
            Self::Shallower(more) => {
                let common = line.chars().zip(more.chars()).take_while(|(a, b)| a == b).count();
                line.chars().skip(common).collect()
            }
        }
    }
}

impl Fit {
    /// The replacement as it is to stand in `text`.
    pub(super) fn replacement(&self, text: &str, new: &str) -> String {
        match self {
            // A model does not see line ends. What it writes gets those of the file.
            Self::Exact if is_crlf(text) && !new.contains('\r') => to_crlf(new),
            Self::Exact => new.to_owned(),
            Self::Crlf => to_crlf(new),
            Self::Lines { shift, crlf } => {
                let line_end = if *crlf { "\r\n" } else { "\n" };
                let written: Vec<String> = new
                    .split('\n')
                    .map(|line| shift.apply(line.strip_suffix('\r').unwrap_or(line)))
                    .collect();
                written.join(line_end)
            }
        }
    }
}
