//! The planted bug [`Bug::AnswerBeforeCommit`]: what a store would do that answers first and commits after.

use std::time::Duration;

use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::contract::Error;
use crate::sqlite::Shared;

#[cfg(doc)]
use pb_runtime::faultpoints::Bug;

/// How long such a store gathers further writes before it commits.
const GATHERS: Duration = Duration::from_millis(1);

/// Writes, answers, and commits when nobody waits any more.
pub(crate) async fn answer_early<T, F>(connection: &Shared, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let connection = connection.clone();
    let commit = async move {
        let work = move |connection: &mut rusqlite::Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let _ = answer.send(work(&transaction));
            std::thread::sleep(GATHERS); // wait: this is the bug
            transaction.commit()?;
            Ok(())
        };
        let _: Result<(), Error> = connection.call(work).await;
    };
    tokio::select! {
        biased;
        answer = answered => answer.unwrap_or_else(|_| Err(Error::unanswered())),
        () = commit => Err(Error::unanswered()),
    }
}
