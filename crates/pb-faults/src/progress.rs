//! What a person who waits is told.

use std::fmt;
use std::io::Write;

/// Says how far a fault is, on standard error.
pub fn tell(what: fmt::Arguments<'_>) {
    // Somebody who closed it does not want to know.
    let _ = writeln!(std::io::stderr(), "  {what}");
}
