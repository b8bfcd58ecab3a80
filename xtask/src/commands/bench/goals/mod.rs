//! `cargo xtask bench goals`: from a goal's submission to its end, on real processes and a real disk.
//!
//! The targets stand in [`figures`].

mod daemons;
mod disk;
mod figures;
mod load;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use daemons::Daemons;
use figures::{Figures, Row};
use tokio::sync::oneshot;

use crate::{output, process, tree};

/// How often each start is measured.
const STARTS: usize = 10;
/// Longest home whose socket path is sure to fit, in bytes.
const HOME_BYTES_MAX: usize = 80;

/// Measure goals, starts and memory of a release build in an empty home
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Goals that are submitted one after the other
    #[arg(long, value_name = "N", default_value_t = 200)]
    goals: usize,
    /// Goals that are submitted at once
    #[arg(long, value_name = "N", default_value_t = 100)]
    burst: usize,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    output::note("building pb (release)");
    let pb = process::build_pb(&root, true)?;
    let home = empty_home(&tree::target(&root))?;
    let daemons = Arc::new(Daemons::new(pb, home.path())?);
    let figures = unless_interrupted(args, &daemons)?;
    output::line(&figures);
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&figures)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures in a thread of its own. The processes under measurement leave our terminal, so that
/// Ctrl-C ends only us: we have to end them.
fn unless_interrupted(args: &Args, daemons: &Arc<Daemons>) -> anyhow::Result<Figures> {
    let (done, measured) = oneshot::channel();
    let (args, measuring) = (args.clone(), Arc::clone(daemons));
    std::thread::spawn(move || {
        let _ = done.send(measure(&args, &measuring)); // Interrupted: nobody waits.
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
fn empty_home(target: &Path) -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("pb-bench-");
    let home = if target.as_os_str().len() <= HOME_BYTES_MAX {
        fs::create_dir_all(target).context("cannot make the target folder")?;
        builder.tempdir_in(target)
    } else {
        builder.tempdir()
    };
    home.context("cannot make a home")
}

fn measure(args: &Args, daemons: &Daemons) -> anyhow::Result<Figures> {
    let mut rows = Vec::new();
    output::note("measuring the disk");
    let fsync = disk::fsync(daemons.home().root())?;

    daemons.start_both()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    output::note(format_args!("running {} goals, one after the other", args.goals));
    let (one_by_one, burst) = runtime.block_on(async {
        let mut load = load::Load::connect(daemons.home()).await?;
        let one_by_one = load.one_by_one(args.goals).await?;
        output::note(format_args!("running {} goals at once", args.burst));
        let burst = load.at_once(args.burst).await?;
        anyhow::Ok((one_by_one, burst))
    })?;
    rows.extend(Row::latencies(&one_by_one, args.goals));
    rows.push(Row::burst(burst, args.burst));

    let loaded = daemons.idle_memory()?;
    daemons.stop()?;
    output::note(format_args!("starting and stopping, {STARTS} times"));
    let starts = (0..STARTS).map(|_| daemons.time_starts()).collect::<Result<Vec<_>, _>>()?;
    rows.extend(Row::starts(&starts));

    daemons.start_both()?;
    let fresh = daemons.idle_memory()?;
    daemons.stop()?;
    rows.extend(Row::memory(fresh, "after start"));
    rows.extend(Row::memory(loaded, "after the goals"));
    Ok(Figures {
        home: daemons.home().root().to_owned(),
        synchronous: "FULL",
        fsync_p50_ms: fsync.p50_ms,
        fsync_p99_ms: fsync.p99_ms,
        rows,
    })
}
