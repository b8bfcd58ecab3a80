//! Folders for one case.

use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

use crate::Run;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// A folder on the disk of the run.
///
/// # Errors
/// It cannot be made.
pub fn on_disk(run: &Run) -> anyhow::Result<TempDir> {
    tempfile::tempdir_in(&run.folder).with_context(|| format!("no folder in {}", run.folder.display()))
}

/// A folder in memory, where syncs cost nothing; on the disk of the run where there is none.
///
/// # Errors
/// It cannot be made.
pub fn in_memory(run: &Run) -> anyhow::Result<TempDir> {
    let made = tempfile::Builder::new().prefix("pb-faults-").tempdir_in(Path::new(MEMORY));
    made.or_else(|_| on_disk(run))
}
