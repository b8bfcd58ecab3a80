//! Results of commands: in the log, and a word over the link that they are there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pb_protocol::RpcError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::commands::other_params;
use crate::hub::Hub;

/// How late a lost word can make an answer.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A stored result, as the scheduler writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored<T> {
    Ok(T),
    Error(RpcError),
}

/// Callers that wait for the results of commands, by command id.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    by_id: Mutex<HashMap<String, Vec<Arc<Notify>>>>,
}

/// One of them; leaves when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    id: String,
    woken: Arc<Notify>,
}

impl Waiters {
    /// From now on, a word about this command is not missed.
    pub(crate) fn wait_for(&self, id: &str) -> Waiter<'_> {
        let woken = Arc::new(Notify::new());
        self.lock().entry(id.to_owned()).or_default().push(Arc::clone(&woken));
        Waiter { waiters: self, id: id.to_owned(), woken }
    }

    /// The result of this command is in the log.
    pub(crate) fn wake(&self, id: &str) {
        for waiter in self.lock().get(id).into_iter().flatten() {
            waiter.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Notify>>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut by_id = self.waiters.lock();
        if let Some(waiters) = by_id.get_mut(&self.id) {
            waiters.retain(|other| !Arc::ptr_eq(other, &self.woken));
            if waiters.is_empty() {
                by_id.remove(&self.id);
            }
        }
    }
}

/// The stored result of a command: its value, or its error as an error.
pub(crate) async fn stored<T: DeserializeOwned>(
    hub: &Hub,
    id: &str,
    digest: &str,
) -> Result<Option<T>, RpcError> {
    let Some(log) = hub.feed.reader() else {
        return Ok(None);
    };
    let Some(stored) = log.command(id).await.map_err(RpcError::internal)? else {
        return Ok(None);
    };
    if stored.params_digest != digest {
        return Err(other_params());
    }
    match serde_json::from_str(&stored.result).map_err(RpcError::internal)? {
        Stored::Ok(value) => Ok(Some(value)),
        Stored::Error(error) => Err(error),
    }
}

/// The same, once it is there; `None` when it is not after a while.
pub(crate) async fn within<T: DeserializeOwned>(
    hub: &Hub,
    waiter: &Waiter<'_>,
    digest: &str,
    patience: Duration,
) -> Result<Option<T>, RpcError> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(result) = stored(hub, &waiter.id, digest).await? {
            return Ok(Some(result));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        let look = deadline.min(Instant::now() + LOOK_EVERY);
        // Woken or not, the log is what tells.
        let _ = timeout_at(look, waiter.woken.notified()).await;
    }
}
