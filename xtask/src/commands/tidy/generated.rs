//! Generated files say what the code says.

use std::path::Path;

use super::Problem;
use crate::generated::{self, CLI_REFERENCE, Generated};
use crate::rpc_tables;
use crate::tree::SourceFile;

/// Generated files that are missing or stale.
pub(super) fn problems(root: &Path, files: &[SourceFile]) -> anyhow::Result<Vec<Problem>> {
    let mut problems: Vec<Problem> =
        generated::tables()?.iter().filter_map(|fresh| stale(fresh, files)).collect();
    match rpc_tables::reference(root) {
        Ok(fresh) => problems.extend(stale(&fresh, files)),
        Err(error) => problems.push(Problem::new("docs/RPC.md", format!("{error:#}"))),
    }
    match generated::cli_reference(root) {
        Ok(fresh) => problems.extend(stale(&fresh, files)),
        Err(error) => problems.push(Problem::new(CLI_REFERENCE, format!("cannot be made: {error:#}"))),
    }
    Ok(problems)
}

fn stale(fresh: &Generated, files: &[SourceFile]) -> Option<Problem> {
    let what = match files.iter().find(|file| file.path == fresh.path) {
        Some(file) if file.text == fresh.text => return None,
        Some(_) => "is not what the code says",
        None => "is missing",
    };
    Some(Problem::new(fresh.path, what).hint("cargo xtask codegen"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_and_missing_files_are_named() {
        let fresh = Generated { path: "docs/a.md", text: "new".to_owned() };
        let check = |text: Option<&str>| {
            let file = text.map(|text| SourceFile { path: "docs/a.md".to_owned(), text: text.to_owned() });
            stale(&fresh, file.as_slice()).map(|problem| problem.what)
        };
        assert_eq!(check(Some("new")), None);
        assert_eq!(check(Some("old")).as_deref(), Some("is not what the code says"));
        assert_eq!(check(None).as_deref(), Some("is missing"));
    }
}
