//! Tasks that are named, tracked and cancelled together.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The tasks of a service.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Tasks {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` until it ends or the tasks are cancelled.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns: tracked and cancelled")]
    pub fn spawn<F>(&self, name: &'static str, work: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        // In a box: what a block captures and then waits for is in it twice.
        let work = Box::pin(work);
        let work = async move {
            tokio::select! {
                () = work => {}
                () = token.cancelled() => {}
            }
        };
        // What it tells is about what it was begun for.
        let around = tracing::debug_span!("task", task = name).or_current();
        tokio::spawn(self.tracker.track_future(work.instrument(around)))
    }

    /// Cancelled when the tasks are.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Cancels all and waits for their end; whether all ended in time.
    pub async fn stop(&self, at_most: Duration) -> bool {
        self.token.cancel();
        self.tracker.close();
        tokio::time::timeout(at_most, self.tracker.wait()).await.is_ok()
    }
}
