//! What is counted, for `GET /metrics` (Prometheus text format 0.0.4).
//!
//! ```text
//!   sessions, streams, the door --- count ---> counters (here, for as long as the process runs)
//!                                                   \
//!   files, link, /proc --- looked at when asked ---> the page (`now.rs`)
//! ```
//!
//! Every label has a bounded set of values: methods are those of the table, and everything else that a client
//! may name is `unknown`.

mod now;

use std::time::Duration;

use pb_protocol::methods::METHODS;
use pb_protocol::{ErrorCode, RpcError};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) use now::page;

/// What every name begins with.
const PREFIX: &str = "pb";
/// Upper ends of the buckets of request durations, in seconds: from a read in memory to a command that waits for
/// its scheduler.
const DURATION_BUCKETS_S: [f64; 11] = [0.000_25, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
/// A method that is in no table.
const UNKNOWN: &str = "unknown";

/// Names and values of labels; the values are words of ours.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What is counted while the gateway runs.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    accepted: Counter,
    refused: Family<Labels<1>, Counter>,
    closes: Family<Labels<2>, Counter>,
    slow_consumers: Counter,
    messages_received: Counter,
    bytes_received: Counter,
    frames_sent: Counter,
    bytes_sent: Counter,
    events_sent: Family<Labels<1>, Counter>,
    requests: Family<Labels<2>, Counter>,
    durations: Family<Labels<1>, Histogram, fn() -> Histogram>,
}

/// Over what events reach a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    WebSocket,
    EventStream,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            accepted: Counter::default(),
            refused: Family::default(),
            closes: Family::default(),
            slow_consumers: Counter::default(),
            messages_received: Counter::default(),
            bytes_received: Counter::default(),
            frames_sent: Counter::default(),
            bytes_sent: Counter::default(),
            events_sent: Family::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS_S)),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let to = &mut self.registry;
        to.register("connections_accepted", "TCP connections of clients", self.accepted.clone());
        to.register("admissions_refused", "Requests that were not let in", self.refused.clone());
        to.register("closes", "WebSocket sessions that ended, by close code", self.closes.clone());
        let what = "Connections that were closed because they took nothing for 30 s";
        to.register("slow_consumer_closes", what, self.slow_consumers.clone());
        to.register("messages_received", "WebSocket messages of clients", self.messages_received.clone());
        to.register("received_bytes", "Payload of those messages", self.bytes_received.clone());
        to.register("frames_sent", "WebSocket frames that were written whole", self.frames_sent.clone());
        to.register("sent_bytes", "Bytes written to WebSockets", self.bytes_sent.clone());
        let what = "Events of the log that were written whole, to every client together";
        to.register("events_delivered", what, self.events_sent.clone());
        to.register("requests", "Requests that were answered", self.requests.clone());
        let what = "From a request's arrival to its answer, in seconds";
        to.register("request_duration_seconds", what, self.durations.clone());
    }

    /// A connection was accepted.
    pub(crate) fn accepted(&self) {
        self.accepted.inc();
    }

    /// Somebody was not let in, for this reason.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// A session ended; `none` is the code of one whose other side was gone.
    pub(crate) fn closed(&self, code: &'static str, reason: &'static str) {
        self.closes.get_or_create(&[("code", code), ("reason", reason)]).inc();
    }

    /// A connection is closed because it takes nothing.
    pub(crate) fn slow_consumer(&self) {
        self.slow_consumers.inc();
    }

    /// A message of so many bytes came.
    pub(crate) fn received(&self, bytes: usize) {
        self.messages_received.inc();
        self.bytes_received.inc_by(bytes as u64);
    }

    /// So much has left to a WebSocket.
    pub(crate) fn sent(&self, sent: Sent) {
        self.frames_sent.inc_by(sent.frames);
        self.bytes_sent.inc_by(sent.bytes);
        self.delivered(Transport::WebSocket, sent.events);
    }

    /// So many events have left.
    pub(crate) fn delivered(&self, transport: Transport, events: u64) {
        if events == 0 {
            return;
        }
        let transport = match transport {
            Transport::WebSocket => "websocket",
            Transport::EventStream => "event_stream",
        };
        self.events_sent.get_or_create(&[("transport", transport)]).inc_by(events);
    }

    /// A request was answered, after so long.
    pub(crate) fn answered<T>(&self, method: &str, outcome: &Result<T, RpcError>, took: Duration) {
        let method = METHODS.iter().find(|known| known.name == method).map_or(UNKNOWN, |known| known.name);
        let outcome = match outcome {
            Ok(_) => "ok",
            Err(error) if error.is(ErrorCode::InternalError) => "failed",
            Err(_) => "refused",
        };
        self.requests.get_or_create(&[("method", method), ("outcome", outcome)]).inc();
        self.durations.get_or_create(&[("method", method)]).observe(took.as_secs_f64());
    }

    /// A message came that is no request.
    pub(crate) fn unreadable(&self) {
        self.requests.get_or_create(&[("method", UNKNOWN), ("outcome", "refused")]).inc();
    }
}

/// What has left to a WebSocket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) frames: u64,
    /// Those of the frames that are events of the log.
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

impl Sent {
    /// So many frames of events have left, each whole or but for a rest that is on its way.
    pub(crate) fn count_events(&mut self, count: usize) {
        self.frames += count as u64;
        self.events += count as u64;
    }
}
