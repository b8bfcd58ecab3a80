//! What every connection shares.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use pb_runtime::{Clock, Home, Ids, Tasks};
use pb_store::Inbox;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, Places};
use crate::api;
use crate::debug::DebugFeed;
use crate::deltas::Deltas;
use crate::link::Link;
use crate::metrics::Metrics;
use crate::page::Feed;
use crate::roster::Roster;
use crate::service::Config;
use crate::tls::{HANDSHAKES_MAX, Tls};

/// Most WebSocket and event-stream connections at once.
pub(crate) const CONNECTIONS_MAX: usize = 16_384;
/// Most connections that may each keep pages of their own while they do not read; others let go at once. A
/// page is at most 256 KiB.
const HOLDERS_MAX: usize = 64;

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) home: Home,
    pub(crate) state_db: PathBuf,
    pub(crate) tools_are_confined: bool,
    /// What the disk must have left for new goals, in bytes.
    pub(crate) free_bytes_min: u64,
    /// How long others than our own user may be connected before they say who they are; not at all where there is
    /// none.
    pub(crate) pending_connections: Option<Duration>,
    /// What is shown to other machines, if they may connect.
    pub(crate) tls: Option<Tls>,
    /// Handshakes of TLS that are being made.
    pub(crate) handshakes: Arc<Semaphore>,
    /// Whether schedulers without a log are taken.
    pub(crate) legacy_peers: bool,
    /// Where the files of the console are read from, and not those that are part of this program.
    pub(crate) web_dir: Option<PathBuf>,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    /// Where clients connect to.
    pub(crate) address: SocketAddr,
    pub(crate) started_at_ms: u64,
    pub(crate) access: Access,
    pub(crate) inbox: Inbox,
    pub(crate) feed: Feed,
    pub(crate) link: Link,
    pub(crate) deltas: Deltas,
    pub(crate) debug: Arc<DebugFeed>,
    /// About how many commands wait in the inbox; counted each second, and with each new one.
    pub(crate) waiting_commands: AtomicU64,
    pub(crate) metrics: Metrics,
    /// The places of WebSocket and event-stream connections.
    pub(crate) places: Places,
    /// Who is connected by WebSocket.
    pub(crate) roster: Arc<Roster>,
    /// Each connection that speaks HTTP holds it once more: those that have not said yet what they want, and
    /// event streams.
    pub(crate) http_connections: Arc<()>,
    /// Each event stream holds it once more.
    pub(crate) event_streams: Arc<()>,
    /// Whose turn it is to be answered by `/api`.
    pub(crate) api_turns: Semaphore,
    /// Whoever has a goal played again holds one.
    pub(crate) players: Arc<Semaphore>,
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
        (access, tls, free_bytes_min): (Access, Option<Tls>, u64),
        (inbox, feed): (Inbox, Feed),
    ) -> Self {
        let debug = Arc::new(DebugFeed::new(config.home.trace_db()));
        Self {
            home: config.home,
            state_db: config.state_db,
            tools_are_confined: config.tools_are_confined,
            free_bytes_min,
            pending_connections: config.pending_connections,
            tls,
            handshakes: Arc::new(Semaphore::new(HANDSHAKES_MAX)),
            legacy_peers: config.legacy_peers,
            web_dir: config.web_dir,
            clock: config.clock,
            ids: config.ids,
            address,
            started_at_ms,
            access,
            inbox,
            feed,
            link: Link::default(),
            deltas: Deltas::default(),
            debug,
            waiting_commands: AtomicU64::new(0),
            metrics: Metrics::new(),
            places: Places::new(CONNECTIONS_MAX, CONNECTIONS_MAX),
            roster: Arc::default(),
            http_connections: Arc::new(()),
            event_streams: Arc::new(()),
            api_turns: Semaphore::new(api::TURNS),
            players: Arc::new(Semaphore::new(api::PLAYERS_MAX)),
            holders: Arc::new(Semaphore::new(HOLDERS_MAX)),
            tasks: Tasks::new(),
            sessions: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> u64 {
        self.places.count() as u64
    }
}
