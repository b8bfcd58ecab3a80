//! One connection to a gateway: requests and their answers, and what comes without being asked for.
//! It ends when either side closes; `calls.rs` and `subscription.rs` make another one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::error::Error;
use crate::error::RpcError;
use crate::frame::{EventFrame, OutgoingRequest, ServerFrame};
use crate::methods::Method;

/// How long an answer may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the other side may leave a request unread.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// After how long without a word the connection is given up. A gateway pings each 30 s.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// Longest frame that a server may send, in bytes.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events held for a slow reader; beyond that the socket is left unread, and the server waits.
const EVENTS_WAITING_MAX: usize = 256;
/// Buffer of the WebSocket library in each direction, in bytes; its defaults cost 133 kB a connection.
const BUFFER_BYTES: usize = 4096;

type Socket = WebSocketStream<TcpStream>;

/// Calls that wait for their answers; `None` once the connection ended.
#[derive(Debug, Clone)]
struct Pending(Arc<Mutex<Option<Waiting>>>);

type Answer = Result<Box<RawValue>, RpcError>;
type Waiting = HashMap<String, oneshot::Sender<Answer>>;

/// A call that waits; it is forgotten when it is dropped.
struct Call<'p> {
    pending: &'p Pending,
    id: String,
    answered: oneshot::Receiver<Answer>,
}

/// A connection to a gateway. Cheap to clone; closed when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Connection {
    requests: mpsc::Sender<Message>,
    pending: Pending,
    next_id: Arc<std::sync::atomic::AtomicU64>,
}

/// The events of a connection, in the order in which they came.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::Receiver<Incoming>,
}

/// What comes without being asked for.
#[derive(Debug)]
pub enum Incoming {
    /// An event.
    Event(Box<EventFrame>),
    /// A piece of what a model says or a tool prints, to whoever asked for deltas; `delta.rs` says what
    /// is in it. It does not move the reader's position.
    Ephemeral(Box<EventFrame>),
    /// So many deltas were not sent, because they were not read in time.
    Lag(u64),
    /// A new cursor; nothing that was asked for happened before it.
    Cursor(String),
}

impl Events {
    /// The next one; `None` when the connection ended.
    pub async fn next(&mut self) -> Option<Incoming> {
        self.receiver.recv().await
    }
}

/// The two tasks of a connection, to be run by the caller's runtime.
#[must_use = "a connection does nothing unless its driver runs"]
#[derive(Debug)]
pub struct Driver {
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    outgoing: mpsc::Receiver<Message>,
    events: mpsc::Sender<Incoming>,
    pending: Pending,
    /// After how long without a request it is closed, if ever.
    idle_max: Option<Duration>,
}

/// Connects to `address` (`host:port`), with a token if there is one.
///
/// The caller runs the [`Driver`] for as long as the client is used.
pub async fn connect(address: &str, token: Option<&str>) -> Result<(Connection, Events, Driver), Error> {
    let failed =
        |source: tungstenite::Error| Error::Connect { address: address.to_owned(), source: Box::new(source) };
    let mut request = format!("ws://{address}/").into_client_request().map_err(failed)?;
    if let Some(token) = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok()) {
        request.headers_mut().insert("authorization", token);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let connecting = async {
        let stream = TcpStream::connect(address).await.map_err(tungstenite::Error::Io)?;
        stream.set_nodelay(true).map_err(tungstenite::Error::Io)?;
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await
    };
    let (socket, _) = match timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => connected.map_err(failed)?,
        Err(_) => return Err(Error::TimedOut(CONNECT_TIMEOUT)),
    };
    let (sink, stream) = socket.split();
    let (requests, outgoing) = mpsc::channel(16);
    let (events, receiver) = mpsc::channel(EVENTS_WAITING_MAX);
    let pending = Pending(Arc::new(Mutex::new(Some(HashMap::new()))));
    let connection = Connection { requests, pending: pending.clone(), next_id: Arc::default() };
    let driver = Driver { sink, stream, outgoing, events, pending, idle_max: None };
    Ok((connection, Events { receiver }, driver))
}

impl Connection {
    /// Calls a method and waits for its answer.
    pub async fn call<M: Method>(&self, params: &M::Params) -> Result<M::Result, Error> {
        self.call_within::<M>(params, REQUEST_TIMEOUT).await
    }

    /// The same, for at most `limit`.
    pub(super) async fn call_within<M: Method>(
        &self,
        params: &M::Params,
        limit: Duration,
    ) -> Result<M::Result, Error> {
        let number = self.next_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let id = format!("r{number}");
        let frame = OutgoingRequest { r#type: "req", id: &id, method: M::NAME, params };
        let text = serde_json::to_string(&frame).map_err(Error::Protocol)?;
        let mut call = self.pending.wait_for(id).ok_or(Error::Closed)?;
        let answer = async {
            self.requests.send(Message::text(text)).await.map_err(|_| Error::Closed)?;
            let answer = (&mut call.answered).await.map_err(|_| Error::Closed)?;
            answer.map_err(Error::from)
        };
        let result: Box<RawValue> = match timeout(limit, answer).await {
            Ok(result) => result?,
            Err(_) => return Err(Error::TimedOut(limit)),
        };
        serde_json::from_str(result.get()).map_err(Error::Protocol)
    }

    /// Whether it ended.
    pub fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }
}

impl Pending {
    /// Waits for the answer to this request; `None` once the connection ended.
    fn wait_for(&self, id: String) -> Option<Call<'_>> {
        let (answer, answered) = oneshot::channel();
        self.lock().as_mut()?.insert(id.clone(), answer);
        Some(Call { pending: self, id, answered })
    }

    fn take(&self, id: &str) -> Option<oneshot::Sender<Answer>> {
        self.lock().as_mut()?.remove(id)
    }

    fn is_empty(&self) -> bool {
        self.lock().as_ref().is_none_or(HashMap::is_empty)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.pending.take(&self.id);
    }
}

impl Driver {
    /// Closes the connection after so long without a request.
    pub(super) fn closed_when_idle(mut self, after: Duration) -> Self {
        self.idle_max = Some(after);
        self
    }

    /// Carries requests out and answers and events in, until either side closes.
    pub async fn run(mut self) {
        let (mut heard, mut asked) = (Instant::now(), Instant::now());
        loop {
            let idle = asked + self.idle_max.unwrap_or(SILENCE_MAX);
            tokio::select! {
                request = self.outgoing.recv() => match request {
                    Some(message) => {
                        asked = Instant::now();
                        if !matches!(timeout(WRITE_MAX, self.sink.send(message)).await, Ok(Ok(()))) {
                            break;
                        }
                    }
                    None => break,
                },
                message = self.stream.next() => {
                    match message {
                        Some(Ok(Message::Text(text))) => self.take(&text).await,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                        Some(Ok(_)) => {} // Pings are answered by the library.
                    }
                    // After it was taken: a reader of events may have let us wait, and that is no silence.
                    heard = Instant::now();
                }
                () = sleep_until(heard + SILENCE_MAX) => break,
                () = sleep_until(idle), if self.idle_max.is_some() => {
                    if self.pending.is_empty() {
                        break;
                    }
                    asked = Instant::now();
                }
            }
        }
        // Everybody who waits is told by the closed channels.
        *self.pending.lock() = None;
        let _ = timeout(WRITE_MAX, self.sink.close()).await; // The peer may be gone; there is nobody to tell.
    }

    async fn take(&mut self, text: &str) {
        let incoming = match serde_json::from_str(text) {
            Ok(ServerFrame::Res(response)) => {
                if let Some(waiting) = self.pending.take(&response.id) {
                    let result = match (response.error, response.result) {
                        (Some(error), _) => Err(error),
                        (None, Some(result)) => Ok(result),
                        (None, None) => Ok(RawValue::NULL.to_owned()),
                    };
                    let _ = waiting.send(result); // The caller timed out; nobody is interested.
                }
                return;
            }
            Ok(ServerFrame::Event(event)) if event.ephemeral => Incoming::Ephemeral(Box::new(event)),
            Ok(ServerFrame::Event(event)) => Incoming::Event(Box::new(event)),
            Ok(ServerFrame::Lag { dropped }) => Incoming::Lag(dropped),
            Ok(ServerFrame::Cursor { cursor, .. }) => Incoming::Cursor(cursor),
            Err(_) => return, // A frame of a later version.
        };
        let _ = self.events.send(incoming).await; // A caller that dropped its events wants none.
    }
}
