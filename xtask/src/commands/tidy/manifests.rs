//! The manifests: lints hold in every crate, and no dependency is forgotten.

use anyhow::Context;
use toml::Table;

use super::Problem;
use super::facts::Crate;
use crate::tree::SourceFile;

/// What is wrong with the manifests.
pub(super) fn problems(files: &[SourceFile], crates: &[Crate]) -> anyhow::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for one in crates {
        let manifest = table(files, &one.manifest)?;
        let inherits =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            problems.push(
                Problem::new(&one.manifest, "the lints of the workspace do not hold here")
                    .hint("add [lints] workspace = true"),
            );
        }
    }
    for name in workspace_dependencies(files)? {
        let used = |one: &Crate| one.uses.contains(&name) || one.uses_in_tests.contains(&name);
        if !crates.iter().any(used) && !crates.iter().any(|one| one.name == name) {
            problems.push(Problem::new("Cargo.toml", format!("no crate uses `{name}`")).hint("remove it"));
        }
    }
    Ok(problems)
}

/// The names in `[workspace.dependencies]`.
pub(super) fn workspace_dependencies(files: &[SourceFile]) -> anyhow::Result<Vec<String>> {
    let manifest = table(files, "Cargo.toml")?;
    let dependencies = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("Cargo.toml has no [workspace.dependencies]")?;
    Ok(dependencies.keys().cloned().collect())
}

fn table(files: &[SourceFile], path: &str) -> anyhow::Result<Table> {
    let file = files.iter().find(|file| file.path == path);
    let text = &file.with_context(|| format!("{path} is missing"))?.text;
    text.parse().with_context(|| format!("{path} is not TOML"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn lints_hold_everywhere_and_dependencies_are_used() {
        let files = [
            file("Cargo.toml", "[workspace.dependencies]\nb = '1'\nc = '1'\nd = '1'\n"),
            file("crates/a/Cargo.toml", "[package]\nname = 'a'\n[lints]\nworkspace = true\n"),
            file("crates/b/Cargo.toml", "[package]\nname = 'b'\n"),
        ];
        let one = |name: &str, uses: &str| Crate {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            uses: [uses.to_owned()].into(),
            ..Crate::default()
        };
        let problems = problems(&files, &[one("a", "c"), one("b", "c")]).unwrap();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "crates/b/Cargo.toml: the lints of the workspace do not hold here (add [lints] workspace = true)",
                "Cargo.toml: no crate uses `d` (remove it)",
            ]
        );
    }
}
