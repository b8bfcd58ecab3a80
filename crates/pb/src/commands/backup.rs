//! `pb backup`.

use std::fs::{DirBuilder, File};
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use pb_runtime::Home;
use pb_runtime::signals::StopSignals;
use pb_store::{Databases, Held, back_up};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{format, output, wait};

/// Copy goals, their history and what waits to be executed into a new folder
///
/// Gateway and scheduler may run meanwhile. The copy is as everything was at one moment, is checked before
/// it gets its name, and can be read by you alone. Workspaces, settings and keys are not in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb backup ~/backup-of-today\n  pb restore ~/backup-of-today")]
pub(crate) struct Args {
    /// The folder to make
    folder: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    folder: &'a Path,
    goals: u64,
    events_to: u64,
    log_id: &'a str,
    generation: u64,
    bytes: u64,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let from = Databases { log: home.state_db(), inbox: home.gateway_db() };
    if !from.log.exists() {
        let message = format!("there is nothing to back up: {} does not exist", from.log.display());
        return Err(Failure::new(Exit::Missing, message).hint("PB_HOME says which home is meant"));
    }
    let held = copy(from, &args.folder)?;
    tell(args, &held)
}

/// Copies the databases into a folder that is made, and is there only when all of it is.
pub(super) fn copy(from: Databases, folder: &Path) -> Result<Held, Failure> {
    if folder.exists() {
        let message = format!("{} is there already", folder.display());
        return Err(Failure::new(Exit::Usage, message).hint("name a folder that is to be made"));
    }
    let unfinished = unfinished(folder)?;
    let made = wait::client(make(from, &unfinished)).and_then(|held| {
        std::fs::rename(&unfinished, folder).with_context(|| format!("cannot make {}", folder.display()))?;
        if let Some(parent) = unfinished.parent() {
            let synced = File::open(parent).and_then(|parent| parent.sync_all());
            synced.with_context(|| format!("cannot make the name in {} durable", parent.display()))?;
        }
        Ok(held)
    });
    if made.is_err() {
        let _ = std::fs::remove_dir_all(&unfinished); // It says so itself if it stays.
    }
    made
}

/// Where the copy is made: beside its place, so that what has the name is whole.
fn unfinished(folder: &Path) -> Result<PathBuf, Failure> {
    let folder = std::path::absolute(folder).context("cannot find the working folder")?;
    // Without a slash at its end.
    let mut name = folder.components().collect::<PathBuf>().into_os_string();
    name.push(format!(".unfinished-{}", std::process::id()));
    let path = PathBuf::from(name);
    let made = DirBuilder::new().mode(0o700).create(&path);
    made.with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

async fn make(from: Databases, to: &Path) -> Result<Held, Failure> {
    let mut signals = StopSignals::listen().context("cannot listen for Ctrl-C")?;
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, mut progress) = (Arc::clone(&stop), Progress::new("copied"));
    let told = move |done, all| {
        progress.tell(done, all);
        if asked.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut copying = std::pin::pin!(back_up(from, to, told));
    let copied = tokio::select! {
        copied = &mut copying => copied,
        () = signals.next() => {
            stop.store(true, Ordering::Relaxed);
            copying.await
        }
    };
    Ok(copied.context("no backup was made")?)
}

fn tell(args: &Args, held: &Held) -> Result<Exit, Failure> {
    let databases = Databases::in_backup(&args.folder);
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let bytes = size(&databases.log) + size(&databases.inbox);
    if args.json {
        output::json(&Told {
            folder: &args.folder,
            goals: held.goals,
            events_to: held.last_pos,
            log_id: &held.identity.id,
            generation: held.identity.generation,
            bytes,
        })?;
    } else {
        let (goals, size) = (format::count(held.goals, "goal"), format::size(bytes));
        output::note(format_args!("{goals} are in {} ({size})", args.folder.display()));
        output::note(format_args!("put them back with: pb restore {}", args.folder.display()));
    }
    Ok(Exit::Ok)
}
