//! Workspaces: which folders may be one, and what is in one.

mod admit;
mod walk;

mod manifest;
mod unfinished;

pub(crate) use admit::{Refused, admit, make};
pub(crate) use manifest::{FileMark, Manifest, file_digest};
pub(crate) use unfinished::remove_unfinished;
