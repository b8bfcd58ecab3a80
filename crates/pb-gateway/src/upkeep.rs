//! What is done each second: a look at the log and the trace, and the inbox rid of what was executed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::hub::Hub;
use crate::inbox::end_if_broken;

/// How late a lost bell can make anything.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks until cancelled.
pub(crate) async fn run(hub: Arc<Hub>) {
    let mut clock = tokio::time::interval(LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forgotten = 0;
    let mut complaint = String::new();
    loop {
        clock.tick().await;
        let said = match once(&hub, &mut forgotten).await {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        // The same trouble is told once, not each second.
        if said != complaint && !said.is_empty() {
            tracing::warn!(error = said, "the files cannot be used; trying again each second");
        }
        complaint = said;
    }
}

async fn once(hub: &Hub, forgotten: &mut u64) -> Result<(), pb_store::Error> {
    hub.feed.look().await?;
    let read = match hub.feed.reader() {
        Some(log) => log.inbox_read(hub.inbox.id()).await?,
        None => 0,
    };
    if read > *forgotten {
        hub.inbox.forget(read).await.inspect_err(end_if_broken)?;
        *forgotten = read;
    }
    let waiting = hub.inbox.reader().count_after(read).await?;
    hub.waiting_commands.store(waiting, Ordering::Relaxed);
    hub.debug.look_for_subscribers().await
}
