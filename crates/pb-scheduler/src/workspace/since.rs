//! What a goal did to its folder since its start.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{FileMark, Manifest};
use super::walk::{is_rule, walk_rules};

/// The folder at the goal's start and now.
#[derive(Debug, Clone)]
pub(crate) struct Since {
    workspace: PathBuf,
    /// What was there, and when that was noted, in nanoseconds since 1970; `None` if it could not be.
    start: Option<(Arc<Manifest>, i128)>,
    /// What is there and counts; `None` if it cannot be looked at as a whole.
    counted: Option<Arc<Manifest>>,
    /// The same, and what does not count any more by rules that were changed since the start.
    now: Option<Arc<Manifest>>,
}

impl Since {
    /// Reads what was noted at the start. If the rules of what counts were changed since then, everything
    /// counts now: a worker hides nothing by a line in `.gitignore`.
    pub(crate) fn read(workspace: &Path, noted: &Path, now: Option<Arc<Manifest>>) -> Self {
        let (workspace, counted) = (workspace.to_owned(), now.clone());
        let mut since = Self { workspace, start: start(noted), counted, now };
        if since.now.is_some() && since.rules_changed() {
            let all = Manifest::take_all(&since.workspace, since.now.as_deref());
            since.now = all.ok().map(Arc::new);
        }
        since
    }

    /// Nothing is known, so all that is there is new.
    pub(crate) fn unknown(workspace: PathBuf) -> Self {
        Self { workspace, start: None, counted: None, now: None }
    }

    fn rules_changed(&self) -> bool {
        let Ok(rules) = walk_rules(&self.workspace) else { return true };
        let are: Vec<String> = rules
            .flatten()
            .filter_map(|entry| Some(entry.path().strip_prefix(&self.workspace).ok()?.to_str()?.to_owned()))
            .filter(|path| is_rule(path))
            .collect();
        let were = self.names().into_iter().filter(|path| is_rule(path));
        were.chain(are.iter().map(String::as_str)).any(|path| self.is_changed(path))
    }

    /// Every file that there was or is.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let start = self.start.iter().flat_map(|(start, _)| start.files.keys());
        start.chain(self.now.iter().flat_map(|now| now.files.keys())).map(String::as_str).collect()
    }

    /// The files that there are; `None` if that cannot be told.
    pub(crate) fn now(&self) -> Option<&Manifest> {
        self.now.as_deref()
    }

    /// Whether it is known what there was and what there is.
    pub(crate) fn is_known(&self) -> bool {
        self.start.is_some() && self.now.is_some()
    }

    /// Whether the file was there at the start.
    pub(crate) fn was_there(&self, path: &str) -> bool {
        self.start.as_ref().is_some_and(|(start, _)| start.files.contains_key(path))
    }

    /// Whether a file is new, changed or gone. One that did not count at the start is new if it was touched
    /// since then; if what there was is not known, all that is there is new.
    pub(crate) fn is_changed(&self, path: &str) -> bool {
        let mark = self.mark(path);
        let Some((start, noted_ns)) = &self.start else { return mark.is_some() };
        match (start.files.get(path), mark) {
            (Some(before), Some(now)) => before.digest != now.digest,
            (Some(_), None) => true,
            (None, Some(now)) => {
                let counts = self.counted.as_ref().is_some_and(|counted| counted.files.contains_key(path));
                counts || now.changed_ns() >= *noted_ns
            }
            (None, None) => false,
        }
    }

    /// The digest of a file as it is now, if it is there.
    pub(crate) fn digest(&self, path: &str) -> Option<String> {
        self.mark(path).map(|mark| mark.digest)
    }

    fn mark(&self, path: &str) -> Option<FileMark> {
        let known = self.now.as_ref().and_then(|now| now.files.get(path));
        known.cloned().or_else(|| FileMark::of(&self.workspace.join(path), None).ok())
    }
}

fn start(noted: &Path) -> Option<(Arc<Manifest>, i128)> {
    let meta = noted.metadata().ok()?;
    let manifest = serde_json::from_slice(&std::fs::read(noted).ok()?).ok()?;
    let noted_ns = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Some((Arc::new(manifest), noted_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join("w").join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
            fs::write(self.at(name), text).unwrap();
        }

        fn note(&self) {
            let manifest = Manifest::take(&self.at(""), None).unwrap();
            fs::write(self.0.path().join("noted"), serde_json::to_vec(&manifest).unwrap()).unwrap();
        }

        fn since(&self) -> Since {
            let now = Manifest::take(&self.at(""), None).unwrap();
            Since::read(&self.at(""), &self.0.path().join("noted"), Some(Arc::new(now)))
        }

        fn changed(&self) -> Vec<String> {
            let since = self.since();
            since.names().into_iter().filter(|name| since.is_changed(name)).map(str::to_owned).collect()
        }
    }

    #[test]
    fn what_changed_is_told_and_what_is_left_out_is_not() {
        let folder = Folder(tempfile::tempdir().unwrap());
        for name in ["a", "文/b", "gone", "out/built"] {
            folder.write(name, "one");
        }
        folder.write(".gitignore", "out/\n");
        folder.note();
        assert!(folder.changed().is_empty());
        folder.write("文/b", "two");
        folder.write("new", "x");
        folder.write("out/more", "x");
        fs::remove_file(folder.at("gone")).unwrap();
        assert_eq!(folder.changed(), ["gone", "new", "文/b"]);
        // A file that does not count is asked about by its name.
        let since = folder.since();
        assert!(since.is_changed("out/more") && !since.is_changed("out/none"));
    }

    #[test]
    fn security_29_a_new_rule_hides_nothing() {
        for rule in [".gitignore", "文/.ignore", "文/.gitignore", ".git/info/exclude"] {
            let folder = Folder(tempfile::tempdir().unwrap());
            folder.write("a", "one");
            folder.note();
            folder.write("a", "two");
            folder.write("文/secret", "x");
            folder.write(rule, "*\n");
            let changed = folder.changed();
            for path in ["a", "文/secret"] {
                assert!(changed.contains(&path.to_owned()), "{rule}: {changed:?}");
            }
        }
    }

    #[test]
    fn a_start_that_is_not_known_trusts_nothing() {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("a", "one");
        assert_eq!(folder.changed(), ["a"]);
        assert!(!folder.since().is_known());
    }
}
