//! `pb restore`.

use std::io::{BufRead, IsTerminal};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_runtime::lock::LockError;
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{Databases, Held, Mark, check_backup, held_now, restore};
use serde::Serialize;

use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{format, output, wait};

/// Put a backup in the place of goals, history and what waits to be executed
///
/// Gateway and scheduler must be stopped. What is there now is kept in a folder beside. Clients that watched
/// are told that the history is another one, and go on from a snapshot.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb stop && pb restore ~/backup-of-today && pb start
  pb restore --yes ~/backup-of-today")]
pub(crate) struct Args {
    /// The folder that `pb backup` made
    folder: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    goals: u64,
    events_to: u64,
    log_id: &'a str,
    generation: u64,
    /// Where what was there before is now; absent when nothing was.
    kept: Option<&'a Path>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    home.prepare()?;
    let _locks = [take(&home, Daemon::Scheduler)?, take(&home, Daemon::Gateway)?];
    let (found, now) = wait::client(async {
        let found = check_backup(&args.folder).await.context("this is no backup that can be restored")?;
        Ok((found, held_now(&home.state_db()).await))
    })?;
    let replaces = home.state_db().exists() || home.gateway_db().exists();
    if replaces && !args.yes && !agreed(&home, args, (&found, now.as_ref()))? {
        output::note("nothing was changed");
        return Ok(Exit::Failed);
    }
    let moment = Clock::System.now_ms();
    let kept = home.root().join(format!("before-restore-{moment}"));
    let restored = wait::client(put_back(&home, &args.folder, &kept))?;
    let kept = replaces.then_some(kept.as_path());
    if args.json {
        output::json(&Told {
            goals: restored.goals,
            events_to: restored.last_pos,
            log_id: &restored.identity.id,
            generation: restored.identity.generation,
            kept,
        })?;
        return Ok(Exit::Ok);
    }
    output::note(format_args!("{} are back", format::count(restored.goals, "goal")));
    if let Some(kept) = kept {
        output::note(format_args!("what was there before is in {}", kept.display()));
    }
    output::note("go on with: pb start");
    Ok(Exit::Ok)
}

/// Nobody may use the files while they are replaced.
fn take(home: &Home, daemon: Daemon) -> Result<ProcessLock, Failure> {
    let name = daemon.name();
    ProcessLock::acquire(&daemon.lock(home), Clock::System.now_ms()).map_err(|error| match error {
        LockError::Held { holder } => {
            let pid = holder.map(|holder| format!(" (pid {})", holder.pid)).unwrap_or_default();
            Failure::new(Exit::Busy, format!("the {name} is running{pid}")).hint("stop both first: pb stop")
        }
        error @ LockError::Io { .. } => anyhow::Error::from(error).into(),
    })
}

/// Asks, where somebody can answer.
fn agreed(home: &Home, args: &Args, (found, now): (&Held, Option<&Held>)) -> Result<bool, Failure> {
    let there = match now {
        Some(now) => format!("{} (to event {})", format::count(now.goals, "goal"), now.last_pos),
        None => "files that cannot be read".to_owned(),
    };
    let question = format!(
        "this replaces {there} in {} by {} (to event {})",
        home.root().display(),
        format::count(found.goals, "goal"),
        found.last_pos
    );
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, question)
            .hint(format!("if that is meant: pb restore --yes {}", args.folder.display())));
    }
    output::note(format_args!("{question}; go on? [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn put_back(home: &Home, folder: &Path, kept: &Path) -> Result<Held, Failure> {
    let ids = Ids::random(Clock::System);
    let fresh = || ids.uuid().simple().to_string();
    let databases = Databases { log: home.state_db(), inbox: home.gateway_db() };
    let mut progress = Progress::new("copied");
    let told = move |done, all| {
        progress.tell(done, all);
        ControlFlow::Continue(())
    };
    let restored = restore(folder, (databases, kept.to_owned()), (fresh(), fresh()), told).await;
    let restored = restored.context("the backup was not restored")?;
    // The old mark is ahead of what was put back. The time is left out: what ran was last seen in the backup.
    let mark = Mark { log_id: restored.identity.id.clone(), pos: restored.last_pos, at_ms: 0 };
    mark.write(&home.state_mark()).context("cannot write how far the log goes")?;
    Ok(restored)
}
