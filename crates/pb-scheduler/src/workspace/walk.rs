//! What counts in a workspace.

use std::path::Path;

use ignore::overrides::OverrideBuilder;
use ignore::{Walk, WalkBuilder};

/// Files that tell which others do not count.
const RULES: [&str; 2] = [".gitignore", ".ignore"];

/// Everything below `workspace` that its `.gitignore` files leave in; nothing of `.git`, nothing behind
/// a link, and no rule from outside or from within `.git`, where a worker may write unseen.
pub(super) fn walk(workspace: &Path) -> Walk {
    builder(workspace).build()
}

/// The same, and what the `.gitignore` files leave out as well.
pub(super) fn walk_all(workspace: &Path) -> Walk {
    builder(workspace).ignore(false).git_ignore(false).build()
}

/// The files that tell what does not count, wherever that is looked at: also one that leaves itself out. What
/// hides a folder stands in one that is not hidden.
pub(super) fn walk_rules(workspace: &Path) -> Result<Walk, ignore::Error> {
    let mut only = OverrideBuilder::new(workspace);
    for rule in RULES {
        only.add(rule)?;
    }
    Ok(builder(workspace).overrides(only.build()?).build())
}

/// Whether a file of this name tells what does not count.
pub(super) fn is_rule(path: &str) -> bool {
    RULES.iter().any(|rule| path.rsplit('/').next() == Some(*rule))
}

fn builder(workspace: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(workspace);
    builder
        .hidden(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git");
    builder
}
