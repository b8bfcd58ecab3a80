//! Files that something happened to: they open, what was answered is there, and they can be written on.

use std::fmt::Display;
use std::path::Path;

use pb_store::{Error, Inbox, Location, Log};

use super::check::{Answered, check};
use super::{INBOX_FILE, LOG_FILE, script};
use crate::Tally;

/// A command that no writer puts.
const GOES_ON: u64 = u64::MAX;

/// Opens both files in `folder` as the daemons do, audits them, and writes once more.
///
/// # Errors
/// They open and cannot be read.
pub fn open_and_check(
    folder: &Path,
    answered: &Answered,
    tally: &mut Tally,
    hint: impl Display,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let at = |name: &str| Location::File(folder.join(name));
        let opened = async {
            let inbox = Inbox::open(at(INBOX_FILE), "inbox".to_owned()).await?;
            let log = Log::open(at(LOG_FILE), "log".to_owned(), None).await?;
            Ok::<_, Error>((inbox, log))
        };
        let (inbox, log) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                tally.fail(format_args!("{hint}: the files do not open: {error}"));
                return Ok(());
            }
        };
        check(folder, answered, tally, &hint)?;
        if let Err(error) = write_on(&inbox, &log).await {
            tally.fail(format_args!("{hint}: the files cannot be written on: {error}"));
        }
        Ok(())
    })
}

async fn write_on(inbox: &Inbox, log: &Log) -> anyhow::Result<()> {
    let incarnation = log.identity().incarnation;
    inbox.put(script::command(incarnation, GOES_ON, 0)).await?;
    let read = log.reader().inbox_read(inbox.id()).await?;
    let rows = inbox.reader().after(read, usize::MAX >> 1).await?;
    let before = log.reader().last_pos().await?;
    let committed = log.commit(script::execution(&rows, inbox.id(), incarnation, 1)).await?;
    let first = committed.events.first().map_or(0, |event| event.pos);
    anyhow::ensure!(first == before + 1, "the event after {before} stands at {first}");
    Ok(())
}
