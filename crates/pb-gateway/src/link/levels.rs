//! Asking the scheduler what it writes into its log, and telling it what to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pb_protocol::ipc::{LogLevels, LogLevelsTold};
use pb_protocol::methods::log::Levels;
use tokio::sync::{broadcast, oneshot};
use tokio::time::timeout;

/// How long a scheduler may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Most questions that wait to be sent.
const QUESTIONS_MAX: usize = 16;

/// Questions on their way, and who waits for their answers.
#[derive(Debug)]
pub(crate) struct Questions {
    asked: broadcast::Sender<LogLevels>,
    waiting: Mutex<BTreeMap<String, oneshot::Sender<LogLevelsTold>>>,
}

impl Default for Questions {
    fn default() -> Self {
        Self { asked: broadcast::Sender::new(QUESTIONS_MAX), waiting: Mutex::default() }
    }
}

/// Takes a question back when nobody waits for its answer any more.
struct Waiting<'q>(&'q Questions, String);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting().remove(&self.1);
    }
}

impl Questions {
    /// Asks the scheduler that is connected; why there is no answer, in words.
    pub(crate) async fn ask(&self, question: LogLevels) -> Result<Levels, String> {
        let id = question.request_id.clone();
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id.clone(), answer);
        let _waiting = Waiting(self, id);
        if self.asked.send(question).is_err() {
            return Err("it is not connected".to_owned());
        }
        match timeout(ANSWER_MAX, answered).await {
            Ok(Ok(LogLevelsTold { levels: Some(levels), .. })) => Ok(levels),
            Ok(Ok(told)) => Err(told.error.unwrap_or_else(|| "it says not why".to_owned())),
            Ok(Err(_)) | Err(_) => Err("it does not answer; it may be of another version".to_owned()),
        }
    }

    /// What is asked from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<LogLevels> {
        self.asked.subscribe()
    }

    /// An answer came.
    pub(super) fn answered(&self, told: LogLevelsTold) {
        if let Some(waiting) = self.waiting().remove(&told.request_id) {
            let _ = waiting.send(told); // Whoever asked has gone.
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<LogLevelsTold>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next question; those that were asked faster than they are sent are passed over.
pub(super) async fn next(asked: &mut broadcast::Receiver<LogLevels>) -> LogLevels {
    loop {
        match asked.recv().await {
            Ok(question) => return question,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            // The hub holds the other end for as long as there are connections.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
