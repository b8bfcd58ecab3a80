//! Asking the scheduler something that no file says, such as what it writes into its log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, oneshot};
use tokio::time::timeout;

/// Most questions that wait to be sent.
const QUESTIONS_MAX: usize = 16;

/// Questions of one kind on their way, and who waits for their answers.
#[derive(Debug)]
pub(crate) struct Questions<Q, A> {
    asked: broadcast::Sender<Q>,
    waiting: Mutex<BTreeMap<String, oneshot::Sender<A>>>,
}

impl<Q: Clone, A> Default for Questions<Q, A> {
    fn default() -> Self {
        Self { asked: broadcast::Sender::new(QUESTIONS_MAX), waiting: Mutex::default() }
    }
}

/// Takes a question back when nobody waits for its answer any more.
struct Waiting<'q, Q: Clone, A>(&'q Questions<Q, A>, String);

impl<Q: Clone, A> Drop for Waiting<'_, Q, A> {
    fn drop(&mut self) {
        self.0.waiting().remove(&self.1);
    }
}

impl<Q: Clone, A> Questions<Q, A> {
    /// Asks the scheduler that is connected, and waits so long; why there is no answer, in words.
    pub(crate) async fn ask(&self, id: String, question: Q, patience: Duration) -> Result<A, String> {
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id.clone(), answer);
        let _waiting = Waiting(self, id);
        if self.asked.send(question).is_err() {
            return Err("it is not connected".to_owned());
        }
        match timeout(patience, answered).await {
            Ok(Ok(told)) => Ok(told),
            Ok(Err(_)) | Err(_) => Err("it does not answer; it may be of another version".to_owned()),
        }
    }

    /// What is asked from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Q> {
        self.asked.subscribe()
    }

    /// An answer came.
    pub(super) fn answered(&self, id: &str, told: A) {
        if let Some(waiting) = self.waiting().remove(id) {
            let _ = waiting.send(told); // Whoever asked has gone.
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next question; those that were asked faster than they are sent are passed over.
pub(super) async fn next<Q: Clone>(asked: &mut broadcast::Receiver<Q>) -> Q {
    loop {
        match asked.recv().await {
            Ok(question) => return question,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            // The hub holds the other end for as long as there are connections.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
