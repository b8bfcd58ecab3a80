//! The one place that writes for people: data to standard output, everything else to standard error.
//!
//! A reader that closes its end of a pipe has seen enough: that is no error, and nobody hears of it.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use serde::Serialize;

use crate::failure::Failure;
use crate::format;

/// Marks what is good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Marks what is bad.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Marks what wants attention.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// Marks what is less important.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Marks headings.
pub(crate) const BOLD: Style = Style::new().bold();

/// `text` in a style; the style is dropped where the stream is no terminal.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A line of data.
pub(crate) fn data(text: impl Display) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    written(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// A value as an indented JSON document.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    data(serde_json::to_string_pretty(value).context("cannot write JSON")?)
}

/// A value as one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    data(serde_json::to_string(value).context("cannot write JSON")?)
}

/// Begins a screen anew, on a terminal.
pub(crate) fn clear() -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    if !stdout.is_terminal() {
        return Ok(());
    }
    written(stdout.write_all(b"\x1b[H\x1b[2J").and_then(|()| stdout.flush()))
}

/// What a program printed: byte for byte into a file or pipe, without control characters on a
/// terminal, which would obey them.
pub(crate) fn raw(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let result = if stdout.is_terminal() {
        stdout.write_all(format::printable(text).as_bytes())
    } else {
        stdout.write_all(text.as_bytes())
    };
    written(result.and_then(|()| stdout.flush()))
}

/// A line on what goes on. Without standard error there is nobody to tell.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// A failure, with the words at the start of its lines in colour.
pub(crate) fn failure(failure: &Failure) {
    const WORDS: [(&str, Style); 4] = [
        ("error:", AnsiColor::Red.on_default().bold()),
        ("warning:", AnsiColor::Yellow.on_default().bold()),
        ("caused by:", Style::new().bold()),
        ("hint:", AnsiColor::Cyan.on_default().bold()),
    ];
    for line in failure.to_string().lines() {
        let word = WORDS.iter().find_map(|(word, style)| Some((word, style, line.strip_prefix(word)?)));
        match word {
            Some((word, style, rest)) => note(format_args!("{style}{word}{style:#}{rest}")),
            None => note(line),
        }
    }
}

fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}
