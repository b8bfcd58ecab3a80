//! `cargo xtask bench store`: commits that are on the disk, and reading them back, beside SQLite without us.
//!
//! What is measured is an example of `pb-store`, so that xtask links no SQLite. The targets stand in [`rows`].

mod rows;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output};

use anyhow::{Context, bail};

use super::figures::Figures;
use super::{disk, session};
use crate::{output, process, tree};

/// Measure durable commits and catching up from the log, on the disk where cargo builds
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How often each case is measured; the median is told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// How long each round takes
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=60_000))]
    milliseconds: u32,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building the benchmark of the store (release)");
    let bench = process::build_example(&root, ("pb-store", "store-bench"), "bench")?;
    let folder = session::empty_folder(&tree::target(&root))?;
    output::note("measuring the disk");
    let fsync = disk::fsync(folder.path())?;
    output::note(format_args!(
        "committing and reading, {} rounds of {} ms a case",
        args.rounds, args.milliseconds
    ));
    let measured = unless_interrupted(&bench, folder.path(), args)?;
    if !measured.status.success() {
        bail!("the benchmark failed: {}", String::from_utf8_lossy(&measured.stderr).trim());
    }
    let measured = serde_json::from_slice(&measured.stdout).context("the benchmark printed no figures")?;
    Figures::new(folder.path(), fsync, rows::of(&measured)).tell(args.json.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Durable commits a second of plain SQLite on the disk of `folder`, with as many callers as share a commit:
/// what anything that commits can be compared with.
pub(super) fn plain_group_commits(root: &Path, folder: &Path) -> anyhow::Result<f64> {
    let bench = process::build_example(root, ("pb-store", "store-bench"), "bench")?;
    let args = Args { rounds: 1, milliseconds: 300, json: None };
    let measured = unless_interrupted(&bench, folder, &args)?;
    if !measured.status.success() {
        bail!("the benchmark failed: {}", String::from_utf8_lossy(&measured.stderr).trim());
    }
    let measured = serde_json::from_slice(&measured.stdout).context("the benchmark printed no figures")?;
    rows::plain_durable(&measured).context("the benchmark measured no durable commits")
}

/// Runs the benchmark to its end. Ctrl-C ends it, and us only after our folder is gone.
fn unless_interrupted(bench: &Path, folder: &Path, args: &Args) -> anyhow::Result<Output> {
    let mut command = process::command(bench);
    command.arg(folder).args([args.rounds.to_string(), args.milliseconds.to_string()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = tokio::task::spawn_blocking(move || command.output()) => {
                ended?.context("cannot run the benchmark")
            }
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                bail!("interrupted")
            }
        }
    })
}
