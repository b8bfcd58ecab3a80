//! A text as lines that know where they are.

use std::ops::Range;

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Where it starts, in bytes.
    pub(super) start: usize,
    /// Without its line end.
    pub(super) text: &'a str,
    /// Where the next line starts.
    pub(super) end: usize,
}

impl<'a> Line<'a> {
    /// Without blanks at its end.
    pub(super) fn trimmed(&self) -> &'a str {
        self.text.trim_end()
    }

    /// Where the text ends and the line end starts.
    pub(super) fn text_end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// All lines; what follows the last line end is one only if it is not empty.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|whole| {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let at = start;
            start += whole.len();
            Line { start: at, text: line, end: start }
        })
        .collect()
}

/// The number of the line, from 1, in which the byte at `offset` is.
pub(super) fn line_number(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Whether every line ends with `\r\n`, and there is one that does.
pub(super) fn is_crlf(text: &str) -> bool {
    let breaks = text.matches('\n').count();
    breaks > 0 && text.matches("\r\n").count() == breaks
}

/// With `\r\n` at every line's end.
pub(super) fn to_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// A range of bytes.
pub(super) type Bytes = Range<usize>;
