//! What cargo knows about the crates of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::process;

/// A crate of the workspace.
#[derive(Debug, Clone, Default)]
pub(super) struct Crate {
    pub(super) name: String,
    /// Its `Cargo.toml`, from the root.
    pub(super) manifest: String,
    /// What it names in `[dependencies]` and `[build-dependencies]`.
    pub(super) uses: BTreeSet<String>,
    /// What it names in `[dev-dependencies]`.
    pub(super) uses_in_tests: BTreeSet<String>,
    /// Everything that is linked into it.
    pub(super) reaches: BTreeSet<String>,
}

/// Asks cargo.
///
/// # Errors
/// Cargo does not understand the workspace.
pub(super) fn crates(root: &Path) -> anyhow::Result<Vec<Crate>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        // Otherwise the crates of every other platform are fetched.
        .other_options(["--filter-platform".to_owned(), host()?])
        .exec()
        .context("cannot read the workspace")?;
    let linked = linked(&metadata)?;
    let packages = metadata.workspace_packages();
    Ok(packages.into_iter().map(|package| describe(package, &metadata, &linked)).collect())
}

fn host() -> anyhow::Result<String> {
    let about = process::printed(process::command("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

type Links<'m> = BTreeMap<&'m PackageId, Vec<&'m PackageId>>;

fn linked(metadata: &Metadata) -> anyhow::Result<Links<'_>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let normal =
        |dep: &&cargo_metadata::NodeDep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
    Ok(resolve
        .nodes
        .iter()
        .map(|node| (&node.id, node.deps.iter().filter(normal).map(|dep| &dep.pkg).collect()))
        .collect())
}

fn describe(package: &Package, metadata: &Metadata, links: &Links<'_>) -> Crate {
    let names = |dev: bool| {
        package
            .dependencies
            .iter()
            .filter(|dependency| (dependency.kind == DependencyKind::Development) == dev)
            .map(|dependency| dependency.name.clone())
            .collect()
    };
    let mut seen = BTreeSet::new();
    let mut ahead = vec![&package.id];
    while let Some(id) = ahead.pop() {
        for next in links.get(id).into_iter().flatten() {
            if seen.insert(*next) {
                ahead.push(next);
            }
        }
    }
    let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root);
    Crate {
        name: package.name.to_string(),
        manifest: manifest.unwrap_or(&package.manifest_path).to_string(),
        uses: names(false),
        uses_in_tests: names(true),
        reaches: seen
            .into_iter()
            .filter_map(|id| metadata.packages.iter().find(|package| package.id == *id))
            .map(|package| package.name.to_string())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_understood() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let crates = crates(root).unwrap();
        let find = |name: &str| crates.iter().find(|one| one.name == name).unwrap();
        let gateway = find("pb-gateway");
        assert_eq!(gateway.manifest, "crates/pb-gateway/Cargo.toml");
        assert!(gateway.uses.contains("pb-store") && !gateway.uses.contains("rusqlite"));
        assert!(gateway.reaches.contains("rusqlite"), "what its dependencies link counts");
        let model = find("pb-model");
        assert!(model.uses_in_tests.contains("insta") && !model.uses.contains("insta"));
        assert!(!model.reaches.contains("insta"), "what its tests use does not");
    }
}
