//! Printing: results to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::Write;

/// A line of the result.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}"); // A closed pipe: the reader has seen enough.
}

/// A line about what goes on.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}"); // There is nowhere else to say it.
}
