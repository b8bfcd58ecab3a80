//! The format of what `cargo fmt --all` leaves out: `fuzz`, a workspace of its own.

use std::path::Path;

use anyhow::{Context, bail};

use super::Problem;
use crate::process;

/// The manifests of the workspaces beside ours.
const BESIDE: [&str; 1] = ["fuzz/Cargo.toml"];

/// Files that rustfmt would write otherwise.
///
/// # Errors
/// rustfmt does not run, or cannot read a file.
pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for manifest in BESIDE {
        problems.extend(unformatted(root, manifest)?.into_iter().map(|path| {
            Problem::new(path, "is not formatted").hint(format!("cargo fmt --manifest-path {manifest}"))
        }));
    }
    Ok(problems)
}

/// The files of a package that are not formatted, by their paths from `root`.
fn unformatted(root: &Path, manifest: &str) -> anyhow::Result<Vec<String>> {
    let mut fmt = process::cargo();
    fmt.current_dir(root).args(["fmt", "--check", "--manifest-path", manifest, "--", "--files-with-diff"]);
    let output = fmt.output().context("cannot run cargo fmt")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() && stdout.trim().is_empty() {
        bail!("cargo fmt says of {manifest}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let from_root = |line: &str| {
        let path = Path::new(line.trim());
        path.strip_prefix(root).unwrap_or(path).display().to_string()
    };
    let mut files: Vec<String> = stdout.lines().map(from_root).collect();
    files.sort();
    // A file that several targets include is named by each.
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_that_are_not_formatted_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("fuzz/src")).unwrap();
        let manifest = "[package]\nname = \"a\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(root.join("fuzz/Cargo.toml"), manifest).unwrap();
        let check = |text: &str| {
            fs::write(root.join("fuzz/src/lib.rs"), text).unwrap();
            problems(&root).map(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(check("fn a() {}\n").unwrap(), Vec::<String>::new());
        assert_eq!(
            check("fn  a( ) {}\n").unwrap(),
            ["fuzz/src/lib.rs: is not formatted (cargo fmt --manifest-path fuzz/Cargo.toml)"]
        );
        assert!(check("fn a( {").is_err());
    }
}
