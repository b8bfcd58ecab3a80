//! What a file tool leaves that is killed while it writes: a file that was never renamed.

use std::path::Path;

use super::walk::walk;

/// Most files and folders that are looked at.
const ENTRIES_MAX: usize = 200_000;

/// Removes the unfinished files in a workspace in which nothing of ours runs, and says how many those were.
/// What is in no manifest is not looked at either.
pub(crate) fn remove_unfinished(workspace: &Path) -> usize {
    let entries = walk(workspace).take(ENTRIES_MAX).flatten();
    let unfinished = entries.filter(|entry| {
        entry.file_type().is_some_and(|kind| kind.is_file()) && pb_tools::is_unfinished(entry.file_name())
    });
    // One that cannot be removed disturbs nobody.
    unfinished.filter(|entry| std::fs::remove_file(entry.path()).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn unfinished_files_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("文/.pb-0000000000000bbc.tmp")).unwrap();
        for name in [
            ".pb-00000000000003ea.tmp",
            "文/.pb-00000000000003eb.tmp",
            "文/.pb-0000000000000bbc.tmp/kept",
            ".pb-notes.tmp",
            "a.txt",
        ] {
            fs::write(at(name), "x").unwrap();
        }
        std::os::unix::fs::symlink("a.txt", at(".pb-000000000000138e.tmp")).unwrap();
        assert_eq!(remove_unfinished(folder.path()), 2);
        assert!(!at(".pb-00000000000003ea.tmp").exists() && !at("文/.pb-00000000000003eb.tmp").exists());
        for name in ["文/.pb-0000000000000bbc.tmp/kept", ".pb-notes.tmp", "a.txt", ".pb-000000000000138e.tmp"]
        {
            assert!(at(name).exists(), "{name}");
        }
        assert_eq!(remove_unfinished(&at("nowhere")), 0);
    }
}
