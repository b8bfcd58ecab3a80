//! `cargo xtask faults`: the fault suite of `pb-faults`, built with the planted bugs, in a release build.

use std::ffi::OsString;
use std::process::ExitCode;

use super::fuzz;
use crate::{output, process, tree};

/// How long each fuzz target runs in the longest size.
const SOAK_MINUTES: u64 = 30;

/// Break what can break, and count what was lost
///
/// `soak` ends with `cargo xtask fuzz`, 30 minutes a target.
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
    let rest = rest(args);
    let status = process::command(suite).arg("run").args(&rest).arg("--pb").arg(pb).status()?;
    let fuzzed = if fuzzes(&rest) { fuzz::run(&fuzz::Args::all(SOAK_MINUTES))? } else { ExitCode::SUCCESS };
    Ok(if status.success() { fuzzed } else { ExitCode::FAILURE })
}

/// Whether the fuzz targets are run as well: in the longest size, unless single faults were named.
fn fuzzes(rest: &[OsString]) -> bool {
    let names_some = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with("--only"));
    rest.first().is_some_and(|size| size == "soak") && !rest.iter().any(names_some)
}
