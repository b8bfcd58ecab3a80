//! The typed client over WebSocket that everything of ours uses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::error::RpcError;
use crate::frame::{EventFrame, OutgoingRequest, ServerFrame};
use crate::methods::Method;

/// How long an answer may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest frame that a server may send, in bytes.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events held for a slow reader; beyond that the socket is left unread, and the server waits.
const EVENTS_WAITING_MAX: usize = 256;
/// Buffer of the WebSocket library in each direction, in bytes; its defaults cost 133 kB a connection.
const BUFFER_BYTES: usize = 4096;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The gateway could not be reached.
    #[error("cannot reach the gateway at {address}")]
    Connect {
        /// Its address.
        address: String,
        /// Why.
        #[source]
        source: Box<tungstenite::Error>,
    },
    /// The gateway did not answer in time.
    #[error("the gateway did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The connection ended.
    #[error("the connection to the gateway was closed")]
    Closed,
    /// The gateway refused the request.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The gateway sent what this version does not understand.
    #[error("the gateway's answer was not understood")]
    Protocol(#[source] serde_json::Error),
}

type Socket = WebSocketStream<TcpStream>;
type Pending = Arc<Mutex<HashMap<String, oneshot::Sender<Result<Box<RawValue>, RpcError>>>>>;

/// A connection to a gateway. Cheap to clone; closed when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Client {
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
}

/// Connects to `address` (`host:port`), with a token if there is one.
///
/// The caller runs the [`Driver`] for as long as the client is used.
pub async fn connect(address: &str, token: Option<&str>) -> Result<(Client, Events, Driver), Error> {
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
    let (socket, _) = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => connected.map_err(failed)?,
        Err(_) => return Err(Error::TimedOut(CONNECT_TIMEOUT)),
    };
    let (sink, stream) = socket.split();
    let (requests, outgoing) = mpsc::channel(16);
    let (events, receiver) = mpsc::channel(EVENTS_WAITING_MAX);
    let pending = Pending::default();
    let client = Client { requests, pending: Arc::clone(&pending), next_id: Arc::default() };
    Ok((client, Events { receiver }, Driver { sink, stream, outgoing, events, pending }))
}

impl Client {
    /// Calls a method and waits for its answer.
    pub async fn call<M: Method>(&self, params: &M::Params) -> Result<M::Result, Error> {
        let number = self.next_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let id = format!("r{number}");
        let frame = OutgoingRequest { r#type: "req", id: &id, method: M::NAME, params };
        let text = serde_json::to_string(&frame).map_err(Error::Protocol)?;
        let (answer, answered) = oneshot::channel();
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), answer);
        if self.requests.send(Message::text(text)).await.is_err() {
            return Err(Error::Closed);
        }
        let result = match tokio::time::timeout(REQUEST_TIMEOUT, answered).await {
            Ok(Ok(result)) => result?,
            Ok(Err(_)) => return Err(Error::Closed),
            Err(_) => {
                self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                return Err(Error::TimedOut(REQUEST_TIMEOUT));
            }
        };
        serde_json::from_str(result.get()).map_err(Error::Protocol)
    }
}

impl Driver {
    /// Carries requests out and answers and events in, until either side closes.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                request = self.outgoing.recv() => match request {
                    Some(message) => if self.sink.send(message).await.is_err() { break },
                    None => break,
                },
                message = self.stream.next() => match message {
                    Some(Ok(Message::Text(text))) => self.take(&text).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {} // Pings are answered by the library.
                },
            }
        }
        // Everybody who waits is told by the closed channels.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let _ = self.sink.close().await; // The peer may be gone; there is nobody to tell.
    }

    async fn take(&mut self, text: &str) {
        let incoming = match serde_json::from_str(text) {
            Ok(ServerFrame::Res(response)) => {
                let waiting =
                    self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&response.id);
                if let Some(waiting) = waiting {
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
