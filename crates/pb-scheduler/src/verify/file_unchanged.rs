//! Gate: a file has the content that it had when the goal started.

use super::{Found, Subject, inside};

pub(super) fn check(subject: &Subject, path: &str) -> Found {
    let before = subject.goal.baseline.get(path).cloned().flatten();
    let now = match inside(&subject.workspace, path) {
        Ok(real) => match crate::workspace::file_digest(&real) {
            Ok(digest) => Some(digest),
            Err(error) => return Found::new(false, format!("{path} cannot be read: {error}")),
        },
        Err(_) if !subject.workspace.join(path).exists() => None,
        Err(why) => return Found::new(false, why),
    };
    let (passed, words) = match (&before, &now) {
        (None, None) => (true, "still absent"),
        (Some(before), Some(now)) if before == now => (true, "as it was"),
        (Some(_), Some(_)) => (false, "its content changed"),
        (Some(_), None) => (false, "it was removed"),
        (None, Some(_)) => (false, "it did not exist at the start"),
    };
    let mut found = Found::new(passed, words);
    found.evidence.output_digest = now;
    found
}
