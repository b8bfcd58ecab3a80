//! The documents: those that must be there, and what they say about the tree.

use std::path::Path;

use super::Problem;
use super::manifests;
use crate::tree::SourceFile;

/// Documents that must be there.
const REQUIRED: [&str; 6] =
    ["README.md", ARCHITECTURE, "LICENSE", DEPENDENCIES, "docs/GLOSSARY.md", "docs/STYLE.md"];

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const DEPENDENCIES: &str = "docs/DEPENDENCIES.md";

/// What is wrong with the documents.
pub(super) fn problems(root: &Path, files: &[SourceFile]) -> anyhow::Result<Vec<Problem>> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let mut problems: Vec<Problem> = REQUIRED
        .into_iter()
        .filter(|path| text(path).is_none())
        .map(|path| Problem::new(path, "is missing"))
        .collect();
    if let Some(text) = text(DEPENDENCIES) {
        let dependencies = manifests::workspace_dependencies(files)?;
        problems.extend(undecided(text, &dependencies));
    }
    if let Some(text) = text(ARCHITECTURE) {
        problems.extend(gone(text, |path| root.join(path).exists()));
    }
    Ok(problems)
}

/// Dependencies that the document does not name.
fn undecided(text: &str, dependencies: &[String]) -> Vec<Problem> {
    let is_part_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let words: Vec<&str> = text.split(|c| !is_part_of_a_name(c)).collect();
    dependencies
        .iter()
        .filter(|name| !name.starts_with("pb-") && !words.contains(&name.as_str()))
        .map(|name| {
            Problem::new(DEPENDENCIES, format!("does not name `{name}`"))
                .hint("a dependency is a decision: say in one line what it saves")
        })
        .collect()
}

/// Paths that the map names and the tree does not have.
fn gone(text: &str, exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for path in quoted(line).filter(|path| is_path(path, &exists)) {
            if !exists(path) && !exists(&format!("crates/{path}")) {
                let what = format!("names `{path}`, which does not exist");
                problems.push(Problem::new(format!("{ARCHITECTURE}:{}", n + 1), what));
            }
        }
    }
    problems
}

/// What stands between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether this is meant to be a path of the tree: a Rust file, or anything below a folder that
/// there is. Patterns, routes and the files of a home are not.
fn is_path(quoted: &str, exists: impl Fn(&str) -> bool) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    let Some((first, _)) = quoted.split_once('/') else {
        return false;
    };
    if first.is_empty() || !quoted.chars().all(plain) || quoted.contains("NAME") {
        return false;
    }
    let is_rust = Path::new(quoted).extension().is_some_and(|extension| extension == "rs");
    is_rust || exists(first) || exists(&format!("crates/{first}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_dependency_is_named() {
        let names = ["serde", "serde_json", "pb-model", "tokio"].map(str::to_owned);
        assert_eq!(
            shown(&undecided("| serde_json | saves a parser |\n| `tokio`, … |", &names)),
            [
                "docs/DEPENDENCIES.md: does not name `serde` (a dependency is a decision: say in one line what it saves)"
            ]
        );
    }

    #[test]
    fn paths_of_the_map_exist() {
        let tree = ["crates", "crates/pb-model", "crates/pb-model/src/lib.rs", ".ci", ".ci/run"];
        let check = |text: &str| shown(&gone(text, |path| tree.contains(&path.trim_end_matches('/'))));
        assert!(
            check("`pb-model/src/lib.rs`, `crates/pb-model/src/lib.rs`, `.ci/run`, `crates/pb-model/`")
                .is_empty()
        );
        assert!(
            check("`GET /events`, `$PB_HOME/run/x`, `crates/*/tests`, `goal/run`, `/proc/self/exe`, lib.rs")
                .is_empty()
        );
        assert_eq!(
            check("see\n`pb-model/src/no.rs` and `pb-core/src/lib.rs`, `.ci/walk`"),
            [
                "ARCHITECTURE.md:2: names `pb-model/src/no.rs`, which does not exist",
                "ARCHITECTURE.md:2: names `pb-core/src/lib.rs`, which does not exist",
                "ARCHITECTURE.md:2: names `.ci/walk`, which does not exist",
            ]
        );
    }
}
