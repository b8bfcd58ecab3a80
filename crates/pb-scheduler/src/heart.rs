//! Whether the scheduler lives: its loop turns, and the log answers.

use pb_runtime::service_manager::Heartbeat;
use pb_store::LogReader;
use tokio::sync::watch;

/// Beats while the loop turns, which it does each second at least, and the writer of the log answers.
#[derive(Debug)]
pub struct Heart {
    pub(crate) turns: watch::Receiver<()>,
    pub(crate) log: LogReader,
}

impl Heartbeat for Heart {
    async fn beat(&mut self) {
        self.turns.mark_unchanged();
        if self.turns.changed().await.is_ok() {
            let _ = self.log.last_pos().await; // On the writer's own connection. An error is an answer too.
        }
    }
}
