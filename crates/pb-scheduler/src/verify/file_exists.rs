//! Gate: a file exists.

use std::path::Path;

use super::{Found, inside};

pub(super) fn check(workspace: &Path, path: &str) -> Found {
    let real = match inside(workspace, path) {
        Ok(real) => real,
        Err(why) => return Found::new(false, why),
    };
    match real.metadata() {
        Ok(meta) if meta.is_file() => {
            let mut found = Found::new(true, format!("{} bytes", meta.len()));
            found.evidence.output_digest = crate::workspace::file_digest(&real).ok();
            found
        }
        Ok(_) => Found::new(false, format!("{path} is not a file")),
        Err(error) => Found::new(false, format!("{path} cannot be read: {error}")),
    }
}
