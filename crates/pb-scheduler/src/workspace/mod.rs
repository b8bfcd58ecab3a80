//! Workspaces: which folders may be one, and what is in one.

mod admit;
mod walk;

mod manifest;
mod since;
mod unfinished;

pub(crate) use admit::{Refused, admit, make};
pub(crate) use manifest::{FileMark, Manifest, file_digest};
pub(crate) use since::Since;
pub(crate) use unfinished::remove_unfinished;
