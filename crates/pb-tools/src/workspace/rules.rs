//! What `.gitignore` files leave out.

use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::Workspace;

/// Files with rules in each folder; a later one overrules an earlier one.
const FILES: [&str; 2] = [".gitignore", ".ignore"];

/// Rules of the repository that are in no folder.
const REPOSITORY_FILE: &str = ".git/info/exclude";

/// How much of a file with rules is read, in bytes.
const RULES_BYTES_MAX: u64 = 256 * 1024;

/// The rules of a folder and of those above it, up to the workspace. The ones of the machine, and
/// of folders above the workspace, do not count: an agent sees the same everywhere.
#[derive(Debug)]
pub(super) struct Rules {
    above: Option<Arc<Rules>>,
    own: Vec<Gitignore>,
}

impl Rules {
    /// Reads the rules for `folder` (relative to the workspace), with those of all above it.
    pub(super) fn read(workspace: &Workspace, folder: &Path) -> Arc<Self> {
        let first = Gitignores::of(workspace, Path::new("")).with(REPOSITORY_FILE).with_folder_files();
        let mut rules = Arc::new(Self { above: None, own: first.found });
        let mut at = std::path::PathBuf::new();
        for part in folder {
            at.push(part);
            rules = Self::below(rules, workspace, &at);
        }
        rules
    }

    /// With the rules of one more folder below.
    pub(super) fn below(above: Arc<Self>, workspace: &Workspace, folder: &Path) -> Arc<Self> {
        let own = Gitignores::of(workspace, folder).with_folder_files().found;
        if own.is_empty() { above } else { Arc::new(Self { above: Some(above), own }) }
    }

    /// Whether the entry at `path` (relative to the workspace) is left out.
    pub(super) fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        let path = Path::new("/").join(path);
        let mut rules = Some(self);
        while let Some(at) = rules {
            for own in at.own.iter().rev() {
                match own.matched(&path, is_folder) {
                    Match::None => {}
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                }
            }
            rules = at.above.as_deref();
        }
        false
    }
}

/// Reads the files with rules of one folder.
struct Gitignores<'a> {
    workspace: &'a Workspace,
    folder: &'a Path,
    found: Vec<Gitignore>,
}

impl<'a> Gitignores<'a> {
    fn of(workspace: &'a Workspace, folder: &'a Path) -> Self {
        Self { workspace, folder, found: Vec::new() }
    }

    fn with_folder_files(self) -> Self {
        FILES.iter().fold(self, |files, name| files.with(name))
    }

    fn with(mut self, name: &str) -> Self {
        let Some(bytes) = self.workspace.read_small(&self.folder.join(name), RULES_BYTES_MAX) else {
            return self;
        };
        // A workspace is the root, whatever it is called: patterns know no more than what is in it.
        let mut builder = GitignoreBuilder::new(Path::new("/").join(self.folder));
        for line in String::from_utf8_lossy(&bytes).lines() {
            // A line that is no pattern is skipped, as git does.
            let _ = builder.add_line(None, line);
        }
        self.found.extend(builder.build());
        self
    }
}
