//! What every connection shares.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use pb_runtime::{Clock, Home, Ids, Tasks};
use pb_store::Inbox;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::deltas::Deltas;
use crate::link::Link;
use crate::page::Feed;
use crate::service::Config;

/// Most WebSocket and event-stream connections at once.
pub(crate) const CONNECTIONS_MAX: usize = 16_384;
/// Most connections that may each keep pages of their own while they do not read; others let go at once.
/// A page is at most 256 KiB.
const HOLDERS_MAX: usize = 64;

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) home: Home,
    pub(crate) state_db: PathBuf,
    pub(crate) tools_are_confined: bool,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    /// Where clients connect to.
    pub(crate) address: SocketAddr,
    pub(crate) started_at_ms: u64,
    pub(crate) token: String,
    pub(crate) inbox: Inbox,
    pub(crate) feed: Feed,
    pub(crate) link: Link,
    pub(crate) deltas: Deltas,
    /// About how many commands wait in the inbox; counted each second, and with each new one.
    pub(crate) waiting_commands: AtomicU64,
    seats: Arc<Semaphore>,
    /// See [`HOLDERS_MAX`].
    pub(crate) holders: Arc<Semaphore>,
    pub(crate) tasks: Tasks,
    /// The connections, which end by themselves once `stopping` is cancelled.
    pub(crate) sessions: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

impl Hub {
    pub(crate) fn new(
        config: Config,
        address: SocketAddr,
        started_at_ms: u64,
        token: String,
        (inbox, feed): (Inbox, Feed),
    ) -> Self {
        Self {
            home: config.home,
            state_db: config.state_db,
            tools_are_confined: config.tools_are_confined,
            clock: config.clock,
            ids: config.ids,
            address,
            started_at_ms,
            token,
            inbox,
            feed,
            link: Link::default(),
            deltas: Deltas::default(),
            waiting_commands: AtomicU64::new(0),
            seats: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            holders: Arc::new(Semaphore::new(HOLDERS_MAX)),
            tasks: Tasks::new(),
            sessions: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// A place for one more connection, free again when it is dropped; `None` when all are taken.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> u64 {
        (CONNECTIONS_MAX - self.seats.available_permits()) as u64
    }
}
