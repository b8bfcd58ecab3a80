//! `cargo xtask faults`: the fault suite of `pb-faults`, built with the planted bugs, in a release build.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{output, process, tree};

/// Break what can break, and count what was lost
///
/// Examples:
///   cargo xtask faults smoke
///   cargo xtask faults ci --only F1,F4 --seed 7
///   cargo xtask faults lifecycle
///   cargo xtask faults soak --json report.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// smoke, ci or soak, or lifecycle for the kill matrix alone; then what `pb-faults run --help` says
    #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true, value_name = "SIZE")]
    rest: Vec<OsString>,
}

/// What the suite is told: the kill matrix is one of its faults, at the size of CI.
fn rest(args: &Args) -> Vec<OsString> {
    match args.rest.split_first() {
        Some((first, more)) if first == "lifecycle" => {
            let matrix = ["ci", "--only", "lifecycle"].map(OsString::from);
            matrix.into_iter().chain(more.iter().cloned()).collect()
        }
        _ => args.rest.clone(),
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    // A folder of its own: the feature must not leak into what is built otherwise.
    let target = tree::target(&root).join("faults");
    output::note("building pb and the fault suite (release, with faultpoints)");
    let features = ["--features", "faultpoints"];
    let pb = process::build_binary_in(&root, &target, ("pb", "pb"), &features)?;
    let suite = process::build_binary_in(&root, &target, ("pb-faults", "pb-faults"), &features)?;
    let status = process::command(suite).arg("run").args(rest(args)).arg("--pb").arg(pb).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
