//! A subscription that resumes by itself: each event once, whatever happens to gateway and connection.
//!
//! ```text
//!   Resuming --- subscribed after the cursor ---> Live --- the connection ended ---+
//!      ^                                                                           |
//!      +------------------------------ Disconnected ------------------------------+
//! ```
//!
//! Everything is done inside [`Subscription::next`]: nothing runs while nobody asks, and what the gateway
//! sends meanwhile waits in the connection's bounded queue, then in the socket, then in the log.

use std::collections::VecDeque;
use std::fmt;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::calls::Patience;
use super::connection::{Connection, Events, Incoming};
use super::dial::{Dialer, Pauses};
use super::error::Error;
use super::seen::Seen;
use crate::frame::EventFrame;
use crate::methods::events::{Snapshot, Subscribe, SubscribeParams, SubscribeResult};

/// Frames that are kept while the answer to a subscription is on its way. They are a few that overtake it.
const EARLY_FRAMES_MAX: usize = 256;
/// The event that ends a subscription whose history was replaced.
const REBASE_REQUIRED: &str = "rebase_required";

/// What a subscription hands over.
#[derive(Debug)]
pub enum Item {
    /// An event of the log, once; or one of a scheduler without a log, which has no cursor.
    Event(Box<EventFrame>),
    /// A piece of what a model says or a tool prints; `delta.rs` says what is in it.
    Ephemeral(Box<EventFrame>),
    /// So many deltas were not sent, because they were not read in time.
    Lag(u64),
    /// How the goals stand where the events begin: the first item when no cursor was given.
    Snapshot(Snapshot),
    /// The history cannot be continued from the cursor. What was built from it is to be replaced by this;
    /// the events after it follow.
    RebaseRequired(Snapshot),
    /// The connection is lost, and is being made again.
    Disconnected,
    /// It is there again; what follows begins right after what was handed over last.
    Resumed,
}

/// Events from a cursor on.
pub struct Subscription {
    dialer: Dialer,
    patience: Patience,
    params: SubscribeParams,
    seen: Seen,
    stage: Stage,
    /// Items that come before the next one of the connection.
    ready: VecDeque<Item>,
    was_live: bool,
}

enum Stage {
    /// Held here, so that a caller who stops waiting loses nothing of what was done.
    Resuming(BoxFuture<'static, Result<(Live, SubscribeResult), Error>>),
    Live(Live),
}

/// A connection that serves the subscription.
struct Live {
    /// Closed when it is dropped.
    _connection: Connection,
    events: Events,
    id: String,
    /// What came with the answer.
    early: VecDeque<Incoming>,
}

impl Subscription {
    pub(super) fn new(dialer: Dialer, patience: Patience, params: SubscribeParams) -> Self {
        let stage = Stage::Resuming(Box::pin(resume(dialer.clone(), patience, params.clone())));
        Self {
            dialer,
            patience,
            params,
            seen: Seen::default(),
            stage,
            ready: VecDeque::new(),
            was_live: false,
        }
    }

    /// Where it is: the cursor to go on from after what was handed over. `None` before the first answer of
    /// a subscription that was given none.
    pub fn cursor(&self) -> Option<&str> {
        self.params.after.as_deref()
    }

    /// Waits for the next item. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The gateway refuses the subscription, or was away for longer than the client's patience lasts.
    /// Asked again, it tries again.
    pub async fn next(&mut self) -> Result<Item, Error> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            match &mut self.stage {
                Stage::Resuming(resuming) => match resuming.await {
                    Ok((live, answer)) => self.resumed(live, answer),
                    Err(error) => {
                        self.resume_again();
                        return Err(error);
                    }
                },
                Stage::Live(live) => {
                    let Some(incoming) = live.next().await else {
                        self.resume_again();
                        return Ok(Item::Disconnected);
                    };
                    self.take(incoming);
                }
            }
        }
    }

    fn resume_again(&mut self) {
        let resuming = resume(self.dialer.clone(), self.patience, self.params.clone());
        self.stage = Stage::Resuming(Box::pin(resuming));
    }

    fn resumed(&mut self, live: Live, answer: SubscribeResult) {
        self.stage = Stage::Live(live);
        self.params.after = Some(answer.cursor);
        if std::mem::replace(&mut self.was_live, true) {
            self.ready.push_back(Item::Resumed);
        }
        if answer.rebase_required {
            self.seen = Seen::default();
            self.ready.push_back(Item::RebaseRequired(answer.snapshot.unwrap_or_default()));
        } else if let Some(snapshot) = answer.snapshot {
            self.ready.push_back(Item::Snapshot(snapshot));
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Event(frame) if frame.event == REBASE_REQUIRED && frame.cursor.is_none() => {
                // The old cursor is refused with a snapshot, which says how things stand now.
                self.was_live = false;
                self.resume_again();
            }
            Incoming::Event(frame) => {
                if self.seen.is_new(&frame) {
                    if let Some(cursor) = &frame.cursor {
                        self.params.after = Some(cursor.clone());
                    }
                    self.ready.push_back(Item::Event(frame));
                }
            }
            Incoming::Ephemeral(frame) => self.ready.push_back(Item::Ephemeral(frame)),
            Incoming::Lag(dropped) => self.ready.push_back(Item::Lag(dropped)),
            Incoming::Cursor(cursor) => self.params.after = Some(cursor),
        }
    }
}

impl Live {
    /// The next frame that belongs to the subscription; `None` when the connection ended.
    async fn next(&mut self) -> Option<Incoming> {
        loop {
            let incoming = match self.early.pop_front() {
                Some(incoming) => incoming,
                None => self.events.next().await?,
            };
            if belongs(&incoming, &self.id) {
                return Some(incoming);
            }
        }
    }
}

/// Whether a frame is of this subscription. Before it subscribes, a connection is sent the events of every
/// goal, under no name; an event that is in no log is sent to a connection as a whole.
fn belongs(incoming: &Incoming, id: &str) -> bool {
    match incoming {
        Incoming::Event(frame) => match &frame.subscription_id {
            Some(of) => of == id,
            None => frame.legacy,
        },
        Incoming::Ephemeral(_) | Incoming::Lag(_) | Incoming::Cursor(_) => true,
    }
}

/// Connects and subscribes, for as long as `patience` lasts.
async fn resume(
    dialer: Dialer,
    patience: Patience,
    params: SubscribeParams,
) -> Result<(Live, SubscribeResult), Error> {
    let (began, mut pauses) = (Instant::now(), Pauses::default());
    loop {
        let error = match subscribe(&dialer, &params).await {
            Ok(subscribed) => return Ok(subscribed),
            Err(error) => error,
        };
        let limit = patience.limit(&error);
        if !error.may_pass() || began.elapsed() >= limit {
            return Err(error);
        }
        dialer.pause(&mut pauses, began + limit).await;
    }
}

async fn subscribe(dialer: &Dialer, params: &SubscribeParams) -> Result<(Live, SubscribeResult), Error> {
    let (connection, mut events) = dialer.connect().await?;
    let mut early = VecDeque::new();
    let answer = {
        let answer = connection.call::<Subscribe>(params);
        tokio::pin!(answer);
        loop {
            // Events are taken in while the answer is on its way, for they would keep it from coming.
            tokio::select! {
                biased;
                answer = &mut answer => break answer?,
                Some(incoming) = events.next() => match &incoming {
                    Incoming::Event(frame) if frame.subscription_id.is_some() => {
                        if early.len() < EARLY_FRAMES_MAX {
                            early.push_back(incoming);
                        } else {
                            return Err(Error::Closed);
                        }
                    }
                    // What is of no subscription is not ours, and a cursor without one neither.
                    Incoming::Event(_) | Incoming::Cursor(_) | Incoming::Ephemeral(_) | Incoming::Lag(_) => {}
                },
            }
        }
    };
    let live = Live { _connection: connection, events, id: answer.subscription_id.clone(), early };
    Ok((live, answer))
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("params", &self.params).finish_non_exhaustive()
    }
}
