//! Finding a passage of a file by its text, and replacing it.
//!
//! Models quote what they read, and slip in blanks: they drop those at the ends of lines, shift
//! the indentation, and write `\n` for `\r\n`. A passage that is found only by overlooking this
//! must be the only one, and its replacement gets the file's own indentation and line ends.

mod apply;
mod closest;
mod find;
mod lines;

pub(crate) use apply::{Edit, Standing, apply, check, standing};
