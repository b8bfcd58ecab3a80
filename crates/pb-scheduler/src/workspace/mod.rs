//! Workspaces: which folders may be one, and what is in one.

mod admit;
mod manifest;

pub(crate) use admit::{Refused, admit, make};
pub(crate) use manifest::{Manifest, file_digest};
