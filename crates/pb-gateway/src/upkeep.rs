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
    let mut upkeep = Upkeep::default();
    let mut complaint = String::new();
    loop {
        clock.tick().await;
        let said = match upkeep.once(&hub).await {
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

/// What was done so far.
#[derive(Debug, Default)]
struct Upkeep {
    /// Up to where the inbox was rid of commands.
    forgotten: u64,
    /// How often the log had changed, and commands were kept, when the inbox was last looked at.
    seen: Option<(u64, u64)>,
    /// Whether it was so at the look before that, too.
    is_settled: bool,
}

impl Upkeep {
    async fn once(&mut self, hub: &Hub) -> Result<(), pb_store::Error> {
        hub.feed.look().await?;
        let now = (hub.feed.changes(), hub.inbox.commits());
        // A command that was kept beside a look is counted by the next one.
        let is_settled = self.seen == Some(now);
        if !(is_settled && self.is_settled) {
            self.tidy_inbox(hub).await?;
            (self.seen, self.is_settled) = (Some(now), is_settled);
        }
        hub.debug.look_for_subscribers().await
    }

    async fn tidy_inbox(&mut self, hub: &Hub) -> Result<(), pb_store::Error> {
        let read = match hub.feed.reader() {
            Some(log) => log.inbox_read(hub.inbox.id()).await?,
            None => 0,
        };
        if read > self.forgotten {
            hub.inbox.forget(read).await.inspect_err(end_if_broken)?;
            self.forgotten = read;
        }
        let waiting = hub.inbox.reader().count_after(read).await?;
        hub.waiting_commands.store(waiting, Ordering::Relaxed);
        Ok(())
    }
}
