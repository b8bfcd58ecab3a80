//! The subscriptions of one session, served in turn.

use futures_util::FutureExt;
use futures_util::future::select_all;
use pb_protocol::frame::ServerFrame;
use pb_protocol::methods::events::{SubscribeResult, UnsubscribeResult};
use pb_protocol::{ErrorCode, RpcError};
use pb_store::Feed;

use crate::subscription::Subscription;

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
    pub(crate) fn implicit(feed: &Feed) -> Self {
        Self { all: vec![Subscription::implicit(feed)] }
    }

    /// Ends the one that was not asked for.
    pub(crate) fn end_implicit(&mut self) {
        self.all.retain(|subscription| subscription.id.is_some());
    }

    /// Adds one, and says what its client is answered.
    pub(crate) fn add(
        &mut self,
        subscription: Subscription,
        result: SubscribeResult,
    ) -> Result<SubscribeResult, RpcError> {
        if self.all.len() >= SUBSCRIPTIONS_MAX {
            let message = format!("a connection has at most {SUBSCRIPTIONS_MAX} subscriptions");
            return Err(RpcError::new(ErrorCode::RateLimited, message)
                .hint("end one with events.unsubscribe, or open another connection"));
        }
        self.all.push(subscription);
        Ok(result)
    }

    /// Ends one.
    pub(crate) fn remove(&mut self, id: &str) -> UnsubscribeResult {
        let before = self.all.len();
        self.all.retain(|subscription| subscription.id.as_deref() != Some(id));
        UnsubscribeResult { success: self.all.len() < before }
    }

    /// The next frame of the page that is held.
    pub(crate) fn pop(&mut self) -> Option<ServerFrame> {
        let holder = self.all.iter_mut().find(|one| one.has_page())?;
        holder.pop()
    }

    /// Waits until one has a page; forever without any. Gives the last frame of one whose log was
    /// replaced, which is ended. Dropping the future loses nothing.
    pub(crate) async fn fill(&mut self, feed: &Feed) -> Option<ServerFrame> {
        if self.all.is_empty() {
            return std::future::pending().await;
        }
        let fills = self.all.iter_mut().map(|subscription| subscription.fill().boxed());
        let (filled, index, _) = select_all(fills).await;
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
            self.all.push(Subscription::implicit(feed));
        }
        Some(farewell)
    }

    /// Lets go of what is held for a client that does not read.
    pub(crate) fn release(&mut self) {
        for subscription in &mut self.all {
            subscription.release();
        }
    }

    /// Where the client is, for each subscription that hid events since it was last told.
    pub(crate) fn whereabouts(&mut self) -> impl Iterator<Item = ServerFrame> {
        self.all.iter_mut().filter_map(Subscription::whereabouts)
    }
}
