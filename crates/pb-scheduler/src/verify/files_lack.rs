//! Gate: no file of some contains a text or matches a regular expression.

use std::path::Path;

use pb_model::spec::Globs;

use super::changes_within::named;
use super::file_contains::{FILE_BYTES_MAX, read};
use super::pattern::Pattern;
use super::{Found, inside};
use crate::workspace::Since;

/// Most that is read in all, in bytes.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How much of a file tells whether it is text, in bytes.
const LOOK_BYTES: usize = 8 * 1024;

pub(super) fn check(workspace: &Path, since: &Since, paths: &[String], pattern: Pattern<'_>) -> Found {
    let Some(now) = since.now() else {
        return Found::new(false, "the workspace cannot be looked at as a whole");
    };
    let globs = match Globs::read(paths) {
        Ok(globs) => globs,
        Err((_, why)) => return Found::new(false, why),
    };
    let (mut searched, mut binary, mut bytes) = (0_usize, 0_usize, 0_u64);
    let mut hits: Vec<String> = Vec::new();
    for path in now.files.keys().filter(|path| globs.match_path(path)) {
        // What cannot be looked at is not known to lack anything.
        let content = match inside(workspace, path).and_then(|real| read(&real, path, FILE_BYTES_MAX)) {
            Ok(content) => content,
            Err(why) => return Found::new(false, why),
        };
        bytes += content.len() as u64;
        if bytes > BYTES_MAX {
            return Found::new(false, format!("these files are larger than {BYTES_MAX} bytes in all"));
        }
        if content.iter().take(LOOK_BYTES).any(|byte| *byte == 0) {
            binary += 1;
            continue;
        }
        searched += 1;
        match pattern.line(&content) {
            Ok(None) => {}
            Ok(Some(line)) => hits.push(format!("{path}:{line}")),
            Err(why) => return Found::new(false, why),
        }
    }
    let left_out = if binary == 0 { String::new() } else { format!(", {binary} binary one(s) left out") };
    if hits.is_empty() && searched == 0 {
        return Found::new(false, format!("no file matches, so nothing was looked at{left_out}"));
    }
    let hits: Vec<&str> = hits.iter().map(String::as_str).collect();
    let mut found = if hits.is_empty() {
        Found::new(true, format!("in none of {searched} file(s){left_out}"))
    } else {
        Found::new(false, format!("found in {}", named(&hits)))
    };
    found.evidence.output_tail = super::tail(&hits.join("\n"), super::EVIDENCE_BYTES_MAX);
    found
}
