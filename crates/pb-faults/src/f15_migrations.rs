//! F15: `kill -9` before and after each step of a migration, of every schema that there ever was, and of a file that
//! is just being made.
//!
//! A case is a kill. After it the file is the old one or the new one and never between, with everything in it; a
//! backup that has its name is whole; and the next start brings the file forward.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use pb_runtime::faultpoints::{KILL_AT, MIGRATION};
use pb_store::{DatabaseFile, Inbox, Location, Log};
use rusqlite::Connection;

use crate::writer::process::to_the_end;
use crate::{Run, Tally, audit, scratch};

/// How long an opening may take.
const OPENS_WITHIN: Duration = Duration::from_secs(30);
/// More places than any migration has.
const PLACES_MAX: u64 = 1_000;
/// Rows that are in each file before.
const ROWS: i64 = 100;

/// Opens a file for writing, which brings it forward.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `log` or `inbox`
    kind: String,
    /// The file
    path: PathBuf,
}

/// Is the process that opens it.
///
/// # Errors
/// It cannot be opened.
pub(crate) async fn be(args: &Args) -> anyhow::Result<()> {
    let location = Location::File(args.path.clone());
    match args.kind.as_str() {
        "log" => drop(Log::open(location, "fresh".to_owned(), None).await?),
        "inbox" => drop(Inbox::open(location, "fresh".to_owned()).await?),
        other => bail!("`{other}` is no kind of file"),
    }
    Ok(())
}

/// Runs the fault.
///
/// # Errors
/// The suite cannot go on.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    if !cfg!(feature = "faultpoints") {
        return Ok(tally); // Without them nothing dies at an exact place.
    }
    for (file, kind) in [(DatabaseFile::Log, "log"), (DatabaseFile::Inbox, "inbox")] {
        let newest = pb_store::history(file).0.len();
        // The newest itself has nothing to be brought forward; what there was before any is no file.
        for version in 0..newest {
            let schema = Schema { file, kind, version, newest };
            let places = (1..PLACES_MAX).find_map(|nth| match schema.killed_at(run, nth, &mut tally) {
                Ok(true) => None,
                Ok(false) => Some(Ok(nth - 1)),
                Err(error) => Some(Err(error)),
            });
            let places = places.context("a migration that does not end")??;
            if places == 0 {
                tally.fail(format_args!("{kind} {version}: it was never killed"));
            }
            tally.count("places", places);
        }
    }
    Ok(tally)
}

#[derive(Debug, Clone, Copy)]
struct Schema {
    file: DatabaseFile,
    kind: &'static str,
    version: usize,
    newest: usize,
}

impl Schema {
    /// Whether it was killed there; looks at what is left.
    fn killed_at(self, run: &Run, nth: u64, tally: &mut Tally) -> anyhow::Result<bool> {
        let folder = scratch::on_disk(run)?;
        let path = folder.path().join("file.db");
        self.make(&path)?;
        let killed = !self.open(run, &path, Some(nth))?;
        let whose = format!("{} {}, killed at place {nth}", self.kind, self.version);
        if killed {
            tally.cases += 1;
            let found = version(&path)?;
            if found != self.version && found != self.newest {
                tally.fail(format_args!("{whose}: it is of version {found}"));
            }
            self.audit(&path, found, &whose, tally)?;
        }
        if !self.open(run, &path, None)? {
            tally.fail(format_args!("{whose}: it cannot be opened any more"));
            return Ok(killed);
        }
        self.audit(&path, self.newest, &whose, tally)?;
        let backup = folder.path().join(format!("file.db.schema-{}.bak", self.version));
        if self.version > 0 && !backup.exists() {
            tally.fail(format_args!("{whose}: there is no backup"));
        }
        Ok(killed)
    }

    /// A file of this version, with something in it.
    fn make(self, path: &Path) -> anyhow::Result<()> {
        let (migrations, application_id) = pb_store::history(self.file);
        if self.version == 0 {
            return Ok(());
        }
        let file = Connection::open(path)?;
        for statements in migrations.iter().take(self.version) {
            file.execute_batch(statements)?;
        }
        let rows = match self.file {
            DatabaseFile::Log => {
                "INSERT INTO log VALUES ('log-1', 3, 7);
                 INSERT INTO event (pos, goal, seq, id, at, kind, body, data)
                   WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
                   SELECT n, 'goal_1', n, 'e' || n, n, 'k', '{}', '{}' FROM n;"
            }
            DatabaseFile::Inbox => {
                "INSERT INTO identity VALUES ('inbox-1');
                 INSERT INTO inbox (id, params_digest, actor, method, params, goal, at)
                   WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
                   SELECT 'c' || n, 'd', 'a', 'm', '{}', 'g', n FROM n;"
            }
        };
        file.execute_batch(rows).context("the rows do not fit the first schema")?;
        file.pragma_update(None, "application_id", application_id)?;
        file.pragma_update(None, "user_version", self.version as i64)?;
        Ok(())
    }

    /// Opens it in a process of its own; whether that came to its end.
    #[expect(clippy::disallowed_methods, reason = "the suite starts the process that it kills")]
    fn open(self, run: &Run, path: &Path, kill: Option<u64>) -> anyhow::Result<bool> {
        let mut command = Command::new(&run.exe);
        command.args(["child", "open", self.kind]).arg(path);
        command.envs(kill.map(|nth| (KILL_AT, format!("{MIGRATION}:{nth}"))));
        let status = to_the_end(command, OPENS_WITHIN)?.context("it takes too long")?;
        Ok(status.success())
    }

    /// Everything that was in it is in it, and in its backup.
    fn audit(self, path: &Path, found: usize, whose: &dyn Display, tally: &mut Tally) -> anyhow::Result<()> {
        if found == 0 {
            return Ok(()); // Nothing was made yet.
        }
        audit::sound(path, tally, whose);
        let mut files = vec![(path.to_owned(), found)];
        let backup = path.with_file_name(format!("file.db.schema-{}.bak", self.version));
        files.extend(backup.exists().then_some((backup, self.version)));
        for (path, wanted) in files {
            let table = match self.file {
                DatabaseFile::Log => "event",
                DatabaseFile::Inbox => "inbox",
            };
            let rows: i64 =
                Connection::open(&path)?
                    .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            let expected = if self.version == 0 { 0 } else { ROWS };
            if rows != expected {
                tally.lost += 1;
                tally.fail(format_args!("{whose}: {rows} of {expected} rows are in {}", path.display()));
            }
            if version(&path)? != wanted {
                tally.fail(format_args!("{whose}: {} is of another version", path.display()));
            }
        }
        Ok(())
    }
}

fn version(path: &Path) -> anyhow::Result<usize> {
    let version: i64 = Connection::open(path)?.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version)?)
}
