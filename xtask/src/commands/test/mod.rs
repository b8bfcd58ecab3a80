//! `cargo xtask test`: every test, with what the tests need.

mod requirements;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::bail;
use requirements::{REQUIREMENTS, Requirement};

use super::real_model::{self, RealModel};
use crate::{install, output, process, tree};

/// Run all tests; install what they need where that is allowed
///
/// What may not be installed is printed as a command, and the tests that need it are skipped with
/// the reason. In CI (--ci, or the variable CI is set) that is a failure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the tests inside the crates' own code, which take seconds
    #[arg(long, conflicts_with = "ci")]
    smoke: bool,
    /// Fail where something is missing
    #[arg(long)]
    ci: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    let ci = args.ci || pb_runtime::environment::text("CI").is_some();
    install::nextest()?;
    if args.smoke {
        process::run(nextest(&root, ci).args(["--lib", "--bins"]))?;
        return Ok(ExitCode::SUCCESS);
    }
    let tools = tree::target(&root).join("test-tools");
    let found = provide(&tools, ci)?;
    let model = model(&root, ci)?;
    process::run(nextest(&root, ci).envs(found).envs(model.iter().flat_map(RealModel::variables)))?;
    process::run(process::cargo().current_dir(&root).args(["test", "--doc", "--workspace"]))?;
    Ok(ExitCode::SUCCESS)
}

fn nextest(root: &Path, ci: bool) -> Command {
    let mut nextest = process::cargo();
    nextest.current_dir(root).args(["nextest", "run", "--workspace"]);
    nextest.args(["--profile", if ci { "ci" } else { "default" }]);
    nextest
}

/// Starts the model that some tests talk to, where it can be had.
///
/// # Errors
/// In CI: it cannot.
fn model(root: &Path, ci: bool) -> anyhow::Result<Option<RealModel>> {
    match real_model::start(root, 0) {
        Ok(model) => Ok(Some(model)),
        Err(error) if ci => Err(error.context("in CI nothing is skipped; there is no real model")),
        Err(error) => {
            output::note(format_args!(
                "skipped: the tests with a real model, because there is none: {error:#}"
            ));
            Ok(None)
        }
    }
}

/// Finds or installs what the tests need; the variables that tell them where it is.
///
/// # Errors
/// In CI: something is missing.
pub(super) fn provide(tools: &Path, ci: bool) -> anyhow::Result<Vec<(&'static str, PathBuf)>> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for requirement in REQUIREMENTS {
        match ready(requirement, tools) {
            Ok(path) => found.push((requirement.variable, path)),
            Err(error) => {
                let Requirement { name, used_by, .. } = requirement;
                output::note(format_args!("skipped: {used_by}, because there is no {name}: {error:#}"));
                missing.push(*name);
            }
        }
    }
    if ci && !missing.is_empty() {
        bail!("in CI nothing is skipped; missing: {}", missing.join(", "));
    }
    Ok(found)
}

fn ready(requirement: &Requirement, tools: &Path) -> anyhow::Result<PathBuf> {
    if let Some(path) = (requirement.find)(tools) {
        return Ok(path);
    }
    output::note(format_args!("{} is missing", requirement.name));
    (requirement.install)(tools)?;
    match (requirement.find)(tools) {
        Some(path) => Ok(path),
        None => bail!("it was installed and is still not there"),
    }
}
