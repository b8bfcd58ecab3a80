//! The files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Folders that hold nothing that a person wrote.
const SKIPPED: [&str; 3] = [".git", "target", "node_modules"];
/// The same, by its path from the root: what TypeScript makes of the examples.
const SKIPPED_PATH: &str = "examples/clients/dist";

/// The workspace's folder.
///
/// # Errors
/// We were not started by cargo.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    // What cargo says now, not what it said when this was compiled: a target folder may be shared.
    let manifest_dir =
        pb_runtime::environment::path("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    let root = manifest_dir.parent().context("xtask is not in a workspace")?;
    Ok(root.to_owned())
}

/// Where cargo builds; what we make stands there too.
pub(crate) fn target(root: &Path) -> PathBuf {
    pb_runtime::environment::path("CARGO_TARGET_DIR").unwrap_or_else(|| root.join("target"))
}

/// A file, by its path from the root with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

/// Every text file below `root`, in order.
///
/// # Errors
/// A folder or file cannot be read.
pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (name, kind) = (entry.file_name().to_string_lossy().into_owned(), entry.file_type()?);
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            if !SKIPPED.contains(&name.as_str()) && path != SKIPPED_PATH {
                walk(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            // What is not text is nothing that we look into.
            files.extend(String::from_utf8(bytes).ok().map(|text| SourceFile { path, text }));
        }
    }
    Ok(())
}
