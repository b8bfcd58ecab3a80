//! Gate: since the goal's start only some files are new, changed or gone.

use pb_model::spec::Globs;

use super::Found;
use crate::workspace::Since;

/// Most files that are named.
const NAMED_MAX: usize = 5;

pub(super) fn check(since: &Since, paths: &[String], max_files: Option<u32>) -> Found {
    if !since.is_known() {
        return Found::new(false, "what was in the workspace at the start, or is now, cannot be told");
    }
    let allowed = match Globs::read(paths) {
        Ok(globs) => globs,
        Err((_, why)) => return Found::new(false, why),
    };
    let changed: Vec<&str> = since.names().into_iter().filter(|path| since.is_changed(path)).collect();
    let outside: Vec<&str> = changed.iter().copied().filter(|path| !allowed.match_path(path)).collect();
    let limit = max_files.map_or(usize::MAX, |max| max as usize);
    let mut found = if outside.is_empty() && changed.len() <= limit {
        Found::new(true, format!("{} file(s) changed", changed.len()))
    } else if outside.is_empty() {
        Found::new(false, format!("{} file(s) changed, at most {limit} may", changed.len()))
    } else {
        Found::new(false, format!("changed although it may not be: {}", named(&outside)))
    };
    found.evidence.output_tail = super::tail(&changed.join("\n"), super::EVIDENCE_BYTES_MAX);
    found
}

/// Some paths, and how many more there are.
pub(super) fn named(paths: &[&str]) -> String {
    let more = paths.len().saturating_sub(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", paths.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", "))
}
