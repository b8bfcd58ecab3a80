//! `cargo xtask bench console`: what the page's scripts take of a frame while a goal of 10,000 events runs, and while it is
//! opened.

use std::process::ExitCode;

use crate::commands::console::in_browser;
use crate::{process, tree};

/// The test that measures it, in processor time of the page: whoever else is busy on the machine does not count.
const FLUID: &str = "console::fluid";

/// Measure what the console's scripts take of a frame
///
/// A real Chromium shows a goal of more than 10,000 events: as it runs, and as it is opened. Printed are milliseconds of
/// processor time that scripts took of each frame in which there were any; at most 16 are wanted at the 95th percentile.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_: &Args) -> anyhow::Result<ExitCode> {
    process::run(&mut in_browser(&tree::root()?, FLUID)?)?;
    Ok(ExitCode::SUCCESS)
}
