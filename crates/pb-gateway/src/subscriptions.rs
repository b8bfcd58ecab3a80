//! The subscriptions of one session, served in turn.

use futures_util::FutureExt;
use futures_util::future::select_all;
use pb_protocol::RpcError;
use pb_protocol::frame::ServerFrame;
use pb_protocol::methods::events::{SubscribeResult, UnsubscribeResult};

use crate::deltas::Delta;
use crate::methods::goal_events::{GoalChange, Named};
use crate::methods::too_many;
use crate::page::{Dress, Feed};
use crate::subscription::{Shown, Subscription};

/// Most subscriptions of one session.
const SUBSCRIPTIONS_MAX: usize = 16;

/// The subscriptions of one session. At most one of them holds a page at a time.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// The next one to be served first.
    all: Vec<Subscription>,
}

impl Subscriptions {
    /// Those of a session that did not ask for any: every event from now on.
    pub(crate) fn implicit(feed: &Feed, named: Named) -> Self {
        Self { all: vec![Subscription::implicit(feed, named)] }
    }

    /// Those of a session that is told nothing.
    pub(crate) fn none() -> Self {
        Self { all: Vec::new() }
    }

    /// Ends the one that was not asked for.
    pub(crate) fn end_implicit(&mut self) {
        self.all.retain(|subscription| subscription.id.is_some() || subscription.is_of_named_goals());
    }

    /// Adds one, and says what its client is answered.
    pub(crate) fn add(
        &mut self,
        subscription: Subscription,
        result: SubscribeResult,
    ) -> Result<SubscribeResult, RpcError> {
        if self.all.len() >= SUBSCRIPTIONS_MAX {
            return Err(too_many(SUBSCRIPTIONS_MAX, "subscriptions")
                .hint("end one with events.unsubscribe, or open another connection"));
        }
        self.all.push(subscription);
        Ok(result)
    }

    /// Changes which goals an old client is told about, beside the subscriptions that have a name.
    pub(crate) fn name_goals(
        &mut self,
        feed: &Feed,
        named: &Named,
        change: GoalChange,
    ) -> Result<(), RpcError> {
        let is_new = matches!(change, GoalChange::Add(_)) && self.all.iter().all(|one| one.id.is_some());
        named.change(change)?;
        if is_new {
            self.all.push(Subscription::implicit(feed, named.clone()));
        }
        Ok(())
    }

    /// Ends one.
    pub(crate) fn remove(&mut self, id: &str) -> UnsubscribeResult {
        let before = self.all.len();
        self.all.retain(|subscription| subscription.id.as_deref() != Some(id));
        UnsubscribeResult { success: self.all.len() < before }
    }

    /// The next of what the page that is held has to show, and for whom it is. A subscription that is alone
    /// takes further pages too, if they are in memory; of several, each has its turn.
    pub(crate) fn pop(&mut self) -> Option<(Dress, Shown)> {
        loop {
            let holder = if let [alone] = self.all.as_mut_slice() {
                alone.fill_from_memory();
                alone
            } else {
                self.all.iter_mut().find(|one| one.has_page())?
            };
            if !holder.has_page() {
                return None;
            }
            if let Some(shown) = holder.pop() {
                return Some((holder.dress.clone(), shown));
            }
        }
    }

    /// Waits until one has a page; forever without any. Gives the last frame of one whose log was
    /// replaced, which is ended. Dropping the future loses nothing.
    pub(crate) async fn fill(&mut self, feed: &Feed) -> Option<ServerFrame> {
        if self.all.is_empty() {
            return std::future::pending().await;
        }
        // One that is behind the end has something to read, and is waited for alone: another one that
        // always has something new would never let it finish.
        let end = feed.last_pos();
        let behind = self.all.iter_mut().enumerate().find(|(_, subscription)| subscription.is_behind(end));
        let (filled, index) = if let Some((index, subscription)) = behind {
            (subscription.fill().await, index)
        } else {
            let fills = self.all.iter_mut().map(|subscription| subscription.fill().boxed());
            let (filled, index, _) = select_all(fills).await;
            (filled, index)
        };
        if filled.is_err() {
            // The log that took its place may still be being read; "from now on" begins at its end.
            // One that cannot be read is tried again each second, from where it was left.
            let _ = feed.look().await;
        }
        // Whoever was served goes to the end of the row.
        let served = self.all.remove(index);
        let farewell = match filled {
            Ok(()) => {
                self.all.push(served);
                return None;
            }
            Err(_) => served.farewell(),
        };
        if served.id.is_none() {
            // An old client cannot subscribe again; it goes on with the new log.
            self.all.push(served.begun_anew(feed));
        }
        Some(farewell)
    }

    /// Whether one of them holds a page.
    pub(crate) fn have_page(&self) -> bool {
        self.all.iter().any(Subscription::has_page)
    }

    /// Whether one of them has something to read.
    pub(crate) fn are_behind(&self, feed: &Feed) -> bool {
        let end = feed.last_pos();
        self.all.iter().any(|subscription| subscription.is_behind(end))
    }

    /// Whether one of them is to show deltas.
    pub(crate) fn want_deltas(&self) -> bool {
        self.all.iter().any(|subscription| subscription.wants_deltas)
    }

    /// Whether one of them shows this delta.
    pub(crate) fn show(&self, delta: &Delta) -> bool {
        self.all.iter().any(|subscription| subscription.shows(delta))
    }

    /// Lets go of what is held for a client that does not read; what was taken and not sent is read again
    /// from the positions in `unsent`.
    pub(crate) fn release(&mut self, unsent: &[(Dress, u64)]) {
        for subscription in &mut self.all {
            match unsent.iter().find(|(dress, _)| *dress == subscription.dress) {
                Some((_, pos)) => subscription.go_back(*pos),
                None => subscription.release(),
            }
        }
    }

    /// Where the client is, for each subscription that hid events since it was last told.
    pub(crate) fn whereabouts(&mut self) -> impl Iterator<Item = ServerFrame> {
        self.all.iter_mut().filter_map(Subscription::whereabouts)
    }
}

#[cfg(test)]
mod tests {
    use pb_model::GoalId;
    use pb_store::{Batch, Location, Log, NewEvent, Write};

    use super::*;

    async fn commit(log: &Log, count: usize) {
        let goal: GoalId = "goal_00000000000000000000000000000001".parse().unwrap();
        let event = |n: usize| NewEvent {
            id: n.to_string(),
            at_ms: 1,
            kind: "test.event".to_owned(),
            body: "{}".to_owned(),
            data: "{}".to_owned(),
        };
        let write = Write::Events { goal, events: (0..count).map(event).collect() };
        log.commit(Batch { writes: vec![write] }).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_catches_up_is_served_though_another_always_has_something_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let log = Log::open(Location::File(path.clone()), "log-1".to_owned(), None).await.unwrap();
        commit(&log, 600).await;
        let feed = Feed::new(path);
        feed.look().await.unwrap();
        let mut subscriptions = Subscriptions::implicit(&feed, Named::default());
        subscriptions.all.push(Subscription::named(&feed, 0, "behind"));
        let mut shown = 0;
        for _ in 0..10 {
            commit(&log, 1).await;
            feed.look().await.unwrap();
            assert!(subscriptions.fill(&feed).await.is_none());
            while let Some((dress, frame)) = subscriptions.pop() {
                let Shown::Events(_, events) = frame else { panic!("no event") };
                shown += if dress == Dress::Bare { 0 } else { events.len() };
            }
        }
        assert!(shown >= 600, "{shown}");
    }
}
