//! What counts in a workspace.

use std::path::Path;

use ignore::{Walk, WalkBuilder};

/// Everything below `workspace` that its `.gitignore` files leave in; nothing of `.git`, nothing behind
/// a link, and no rule from outside.
pub(super) fn walk(workspace: &Path) -> Walk {
    WalkBuilder::new(workspace)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
}
