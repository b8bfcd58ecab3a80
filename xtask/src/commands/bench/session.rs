//! Measuring on a disk of its own, so that Ctrl-C leaves nothing behind.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::sync::oneshot;

use super::daemons::Daemons;

/// Longest path below which the path of a socket is sure to fit, in bytes.
const TARGET_BYTES_MAX: usize = 80;

/// Measures in a thread of its own. The processes under measurement leave our terminal, so that
/// Ctrl-C ends only us: we have to end them.
pub(super) fn unless_interrupted<F: Send + 'static>(
    daemons: &Arc<Daemons>,
    measure: impl FnOnce(&Daemons) -> anyhow::Result<F> + Send + 'static,
) -> anyhow::Result<F> {
    let (done, measured) = oneshot::channel();
    let measuring = Arc::clone(daemons);
    std::thread::spawn(move || {
        let _ = done.send(measure(&measuring)); // Interrupted: nobody waits.
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(async {
        tokio::select! {
            figures = measured => figures.context("the measurement ended early")?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                Err(anyhow!("interrupted"))
            }
        }
    });
    daemons.close();
    figures
}

/// On the disk where cargo builds, which is a real one, if the path is short enough for a socket.
pub(super) fn empty_folder(target: &Path) -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("pb-bench-");
    let folder = if target.as_os_str().len() <= TARGET_BYTES_MAX {
        fs::create_dir_all(target).context("cannot make the target folder")?;
        builder.tempdir_in(target)
    } else {
        builder.tempdir()
    };
    folder.context("cannot make a folder")
}
