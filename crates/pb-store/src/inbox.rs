//! The inbox: written by the gateway, read by the scheduler.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pb_runtime::faultpoints::{Bug, planted};
use tokio::sync::oneshot;

use crate::contract::{Error, InboxRow, NewCommand};
use crate::planted::answer_early;
use crate::sqlite::{Location, Shared, append, inbox, migrate, open};

/// Most commands kept in one transaction.
const PUT_BATCH_MAX: usize = 512;

/// The writer. One a file: the caller holds the process lock.
#[derive(Debug, Clone)]
pub struct Inbox {
    connection: Shared,
    location: Location,
    id: String,
    /// How often was committed, to make checkpoints now and then.
    commits: Arc<AtomicU64>,
    /// The failure of the disk after which nothing is committed any more (D11).
    broken: Arc<OnceLock<Arc<Error>>>,
    waiting: Arc<Mutex<Vec<Waiting>>>,
    committing: Arc<tokio::sync::Mutex<()>>,
}

type Waiting = (NewCommand, oneshot::Sender<Result<Put, Arc<Error>>>);

/// Where a command stands in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The row: this command's, or the first one's with the same id.
    pub row: InboxRow,
    /// Whether the same id was there already.
    pub repeated: bool,
}

impl Inbox {
    /// Opens for writing, creating and migrating as needed. `fresh_id` names a new inbox.
    pub async fn open(location: Location, fresh_id: String) -> Result<Self, Error> {
        let opened = location.clone();
        let (connection, id) = crate::sqlite::blocking(move || {
            let connection = open::writer(&opened, &migrate::INBOX)?;
            let id = inbox::identity(&connection, Some(&fresh_id))?.unwrap_or(fresh_id);
            Ok((connection, id))
        })
        .await?;
        Ok(Self {
            connection: Shared::new(connection),
            location,
            id,
            commits: Arc::default(),
            broken: Arc::default(),
            waiting: Arc::default(),
            committing: Arc::default(),
        })
    }

    /// The inbox's own id: positions of another one mean nothing here.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Keeps a command; when this returns, it is on the disk.
    ///
    /// Callers that come while a commit runs are committed together by the next one of them.
    ///
    /// # Errors
    /// After [`Error::Broken`] every further call gives the same: end the process.
    pub async fn put(&self, command: NewCommand) -> Result<Put, Arc<Error>> {
        let (answer, mut answered) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((command, answer));
        let _turn = self.committing.lock().await;
        loop {
            if let Ok(result) = answered.try_recv() {
                return result;
            }
            let batch: Vec<Waiting> = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.len().min(PUT_BATCH_MAX);
                waiting.drain(..count).collect()
            };
            if batch.is_empty() {
                // A caller that has left took this command along; its commit goes on without it.
                return answered.await.unwrap_or_else(|_| Err(Arc::new(Error::unanswered())));
            }
            self.commit(batch).await;
        }
    }

    /// Commits and answers in one blocking call: it goes on when the caller whose turn it is leaves,
    /// and nobody else's answer is lost.
    async fn commit(&self, batch: Vec<Waiting>) {
        let (commands, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        if let Some(error) = self.broken.get() {
            for answer in answers {
                let _ = answer.send(Err(Arc::clone(error)));
            }
            return;
        }
        if planted(Bug::AnswerBeforeCommit) {
            let early =
                answer_early(&self.connection, move |transaction| inbox::insert(transaction, &commands));
            for (put, answer) in early.await.unwrap_or_default().into_iter().zip(answers) {
                let _ = answer.send(Ok(put));
            }
            return;
        }
        let location = self.location.clone();
        let broken = Arc::clone(&self.broken);
        let commits = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        let work = move |connection: &mut _| {
            let done = inbox::put(connection, &commands).and_then(|puts| {
                if let Location::File(path) = &location {
                    append::checkpoint(connection, path, commits)?;
                }
                Ok(puts)
            });
            // A caller may have gone; its command stays.
            match done {
                Ok(puts) => {
                    for (put, answer) in puts.into_iter().zip(answers) {
                        let _ = answer.send(Ok(put));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    if matches!(*error, Error::Broken(_)) {
                        let _ = broken.set(Arc::clone(&error));
                    }
                    for answer in answers {
                        let _ = answer.send(Err(Arc::clone(&error)));
                    }
                }
            }
            Ok(())
        };
        let _: Result<(), Error> = self.connection.call(work).await;
    }

    /// How often commands were kept, since this was opened.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Forgets the commands up to `pos`, which were executed.
    pub async fn forget(&self, pos: u64) -> Result<(), Error> {
        self.connection.call(move |connection| inbox::forget(connection, pos)).await
    }

    /// What else lies in this file is written on the same connection.
    pub(crate) fn connection(&self) -> &Shared {
        &self.connection
    }

    /// A reader on the writer's own connection.
    pub fn reader(&self) -> InboxReader {
        InboxReader { connection: self.connection.clone() }
    }
}

/// A reader of the inbox.
#[derive(Debug, Clone)]
pub struct InboxReader {
    connection: Shared,
}

impl InboxReader {
    /// Opens another process's inbox for reading.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        let connection = crate::sqlite::blocking(move || open::reader(&path, &migrate::INBOX)).await?;
        Ok(Self { connection: Shared::new(connection) })
    }

    /// The inbox's id; `None` while it is being made.
    pub async fn id(&self) -> Result<Option<String>, Error> {
        self.connection.call(|connection| inbox::identity(connection, None)).await
    }

    /// Changes whenever another connection committed. Cheap: no page is read.
    pub async fn data_version(&self) -> Result<u64, Error> {
        self.connection.call(|connection| crate::sqlite::query::data_version(connection)).await
    }

    /// At most `limit` commands after `pos`, in order.
    pub async fn after(&self, pos: u64, limit: usize) -> Result<Vec<InboxRow>, Error> {
        self.connection.call(move |connection| inbox::after(connection, pos, limit)).await
    }

    /// How many commands there are after `pos`.
    pub async fn count_after(&self, pos: u64) -> Result<u64, Error> {
        self.connection.call(move |connection| inbox::count_after(connection, pos)).await
    }
}
