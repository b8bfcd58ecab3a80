//! Watching the inbox: at each bell, and each second in case a bell was lost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pb_store::{InboxReader, LogReader};
use tokio::sync::{Notify, mpsc};
use tracing::Instrument;

use super::{around, prepare};
use crate::driver::Input;
use crate::effects::Context;

/// How long a lost bell delays a command at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Most commands taken at once.
const PAGE: usize = 128;

/// Rings when the inbox may have something new. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

/// Follows the inbox, for as long as the loop takes what it finds.
pub(crate) async fn watch(context: Arc<Context>, log: LogReader, bell: Bell, inputs: mpsc::Sender<Input>) {
    let mut watch = Watch { context, log, inputs, open: None };
    loop {
        match watch.look().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "cannot read the inbox; trying again");
                watch.open = None;
            }
        }
        let _ = tokio::time::timeout(LOOK_INTERVAL, bell.0.notified()).await; // Either way: look.
    }
}

struct Watch {
    context: Arc<Context>,
    log: LogReader,
    inputs: mpsc::Sender<Input>,
    open: Option<Open>,
}

/// An inbox that is being read.
struct Open {
    reader: InboxReader,
    id: Arc<str>,
    /// Which file it is: the gateway may make a new one.
    file: FileId,
    /// The last command taken.
    pos: u64,
    data_version: Option<u64>,
}

type FileId = (u64, u64);

impl Watch {
    /// Takes all that is new; whether to go on.
    async fn look(&mut self) -> Result<bool, pb_store::Error> {
        let path = self.context.config.home.gateway_db();
        let Some(file) = file_id(&path) else {
            return Ok(true);
        };
        if self.open.as_ref().is_none_or(|open| open.file != file) {
            self.open = self.open(&path, file).await?;
        }
        let Some(open) = &mut self.open else {
            return Ok(true);
        };
        let version = open.reader.data_version().await?;
        if open.data_version == Some(version) {
            return Ok(true);
        }
        loop {
            let rows = open.reader.after(open.pos, PAGE).await?;
            let Some(last) = rows.last().map(|row| row.pos) else {
                break;
            };
            let mut prepared = Vec::with_capacity(rows.len());
            for row in rows {
                let repeated = self.log.command(&row.command.id).await?.is_some();
                let around = around(&row);
                prepared.push(prepare(&self.context, row, repeated).instrument(around).await);
            }
            let input = Input::Commands { inbox_id: Arc::clone(&open.id), commands: prepared };
            if self.inputs.send(input).await.is_err() {
                return Ok(false);
            }
            open.pos = last;
        }
        open.data_version = Some(version);
        Ok(true)
    }

    async fn open(&self, path: &Path, file: FileId) -> Result<Option<Open>, pb_store::Error> {
        let reader = match InboxReader::open(path).await {
            Ok(reader) => reader,
            // The gateway is just making the file.
            Err(pb_store::Error::Foreign { .. } | pb_store::Error::Database(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(id) = reader.id().await? else {
            return Ok(None);
        };
        let pos = self.log.inbox_read(&id).await?;
        Ok(Some(Open { reader, id: id.into(), file, pos, data_version: None }))
    }
}

/// A home lies on a disk of this machine: this look is shorter than handing it to another thread would be.
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}
