//! Installing, where that is allowed; otherwise saying how.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use pb_runtime::environment;

use crate::{output, process};

/// The runner of the tests: into cargo's own folder, which is always ours.
///
/// # Errors
/// It is missing and cannot be installed.
pub(crate) fn nextest() -> anyhow::Result<()> {
    if process::succeeds(process::cargo().args(["nextest", "--version"])) {
        return Ok(());
    }
    output::note("cargo-nextest runs the tests and is missing; installing it takes some minutes");
    process::run(process::cargo().args(["install", "cargo-nextest", "--locked"]))
        .context("install it yourself: cargo install cargo-nextest --locked")
}

/// The runner of the fuzz targets: into cargo's own folder, which is always ours.
///
/// # Errors
/// It is missing and cannot be installed.
pub(crate) fn cargo_fuzz() -> anyhow::Result<()> {
    if process::succeeds(process::cargo().args(["fuzz", "--version"])) {
        return Ok(());
    }
    output::note("cargo-fuzz runs the fuzz targets and is missing; installing it takes some minutes");
    process::run(process::cargo().args(["install", "cargo-fuzz", "--locked"]))
        .context("install it yourself: cargo install cargo-fuzz --locked")
}

/// Debian packages, as root or by a sudo that does not ask.
///
/// # Errors
/// We may not, this is no Debian, or apt fails. The message says what to type.
pub(crate) fn debian(packages: &[&str]) -> anyhow::Result<()> {
    let list = packages.join(" ");
    if on_path("apt-get").is_none() {
        bail!("install {list} with your package manager");
    }
    let by_hand = || format!("type: sudo apt-get install {list}");
    let prefix: &[&str] = if is_root() {
        &[]
    } else if process::succeeds(process::command("sudo").args(["-n", "true"])) {
        &["sudo", "-n"]
    } else {
        bail!(by_hand());
    };
    let apt = |arguments: &[&str]| {
        let mut words = prefix.iter().chain(["apt-get"].iter()).chain(arguments);
        let mut apt = process::command(words.next().unwrap_or(&"apt-get"));
        apt.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut apt)
    };
    let arguments: Vec<&str> =
        ["install", "--yes", "--no-install-recommends"].into_iter().chain(packages.iter().copied()).collect();
    // The lists of a fresh image are empty; those of a used one are good enough.
    if apt(&arguments).is_err() {
        apt(&["update"]).with_context(by_hand)?;
        apt(&arguments).with_context(by_hand)?;
    }
    Ok(())
}

/// A virtual environment of Python's, empty, in this folder.
///
/// # Errors
/// There is no Python that can make one, and none can be installed.
pub(crate) fn venv(folder: &Path) -> anyhow::Result<()> {
    let make = || process::run(process::command("python3").args(["-m", "venv", "--clear"]).arg(folder));
    // Debian's python3 has no venv until it is asked for.
    if make().is_err() {
        debian(&["python3", "python3-venv"])?;
        make()?;
    }
    Ok(())
}

/// The Python of a virtual environment.
pub(crate) fn venv_python(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

/// Where the shell would find a program.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = environment::path("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

fn is_root() -> bool {
    process::printed(process::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
