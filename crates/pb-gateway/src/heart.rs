//! Whether the gateway lives: its runtime runs this, and the inbox answers.

use std::sync::Arc;

use pb_runtime::service_manager::Heartbeat;

use crate::hub::Hub;

/// Beats while tasks are run and the inbox is written.
#[derive(Debug)]
pub struct Heart {
    pub(crate) hub: Arc<Hub>,
}

impl Heartbeat for Heart {
    async fn beat(&mut self) {
        // Nothing has the position 0: this is a write that changes nothing. An error is an answer too.
        let _ = self.hub.inbox.forget(0).await;
    }
}
