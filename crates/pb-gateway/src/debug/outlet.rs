//! Where a session takes its debug events from: it asks for the next frame when its socket has room.

use pb_protocol::frame::ServerFrame;

use super::Subscription;

/// The debug events of one session; none unless it asked for them.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    subscription: Option<Box<Subscription>>,
}

impl Outlet {
    /// Takes a subscription, in the place of the one before; `None` ends it.
    pub(crate) fn set(&mut self, subscription: Option<Box<Subscription>>) {
        self.subscription = subscription;
    }

    /// Waits until [`Self::pop`] has a frame; forever without a subscription. Dropping the future loses
    /// nothing.
    pub(crate) async fn fill(&mut self) {
        match &mut self.subscription {
            Some(subscription) => subscription.fill().await,
            None => std::future::pending().await,
        }
    }

    /// The next frame, if one is there.
    pub(crate) fn pop(&mut self) -> Option<ServerFrame> {
        self.subscription.as_mut()?.pop()
    }

    /// Whether a page is held.
    pub(crate) fn has_page(&self) -> bool {
        self.subscription.as_ref().is_some_and(|subscription| subscription.has_page())
    }

    /// Lets go of what is held for a client that does not read.
    pub(crate) fn release(&mut self) {
        if let Some(subscription) = &mut self.subscription {
            subscription.release();
        }
    }
}
