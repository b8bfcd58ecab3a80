//! `cargo xtask codegen`: writes the files that are made of the code.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::generated::{self, Generated};
use crate::{output, rpc_tables, tree};

/// Runs the command.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    fs::create_dir_all(root.join("docs")).context("cannot make docs")?;
    for table in generated::tables()? {
        write(&root, &table)?;
    }
    write(&root, &rpc_tables::reference(&root)?)?;
    // Last, because it takes a `pb` that builds.
    write(&root, &generated::cli_reference(&root)?)?;
    Ok(ExitCode::SUCCESS)
}

fn write(root: &Path, file: &Generated) -> anyhow::Result<()> {
    let path = root.join(file.path);
    if fs::read_to_string(&path).is_ok_and(|old| old == file.text) {
        return Ok(());
    }
    fs::write(&path, &file.text).with_context(|| format!("cannot write {}", file.path))?;
    output::line(format_args!("wrote {}", file.path));
    Ok(())
}
