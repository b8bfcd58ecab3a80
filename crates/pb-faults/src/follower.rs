//! A client of the gateway that is written against the wire alone (`durability.md` §3), so that a fault
//! of our typed client does not hide one of the gateway.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use pb_runtime::{Endpoint, Home, token};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// How long connecting and subscribing may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// Buffers of the WebSocket library, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;
/// The id of our only request.
const REQUEST: &str = "1";

/// What a client asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Where to go on: a cursor or `start`.
    pub after: String,
    /// Only events of these names; all without.
    pub kinds: Option<Vec<String>>,
    /// What the kernel holds for it (`SO_RCVBUF`), in bytes.
    pub receive_buffer: Option<u32>,
    /// An access token to come in by, instead of that of the home.
    pub token: Option<String>,
}

/// A connection with one subscription.
#[derive(Debug)]
pub struct Follower {
    socket: WebSocketStream<TcpStream>,
    subscription: String,
}

/// What a gateway told.
#[derive(Debug)]
pub enum Told {
    /// A frame, for [`Follower::read`].
    Frame(Utf8Bytes),
    /// The connection ended; the code if it was closed in order.
    Closed(Option<u16>),
}

/// The keys of a frame that a client looks at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame<'a> {
    /// `event`, `cursor`, `res`.
    pub r#type: &'a str,
    /// Which request it answers.
    #[serde(default, borrow)]
    pub id: Option<Cow<'a, str>>,
    /// The event's name.
    #[serde(default, borrow)]
    pub event: Option<Cow<'a, str>>,
    /// Where to go on after it.
    #[serde(default)]
    pub cursor: Option<&'a str>,
    /// Its number in its goal.
    #[serde(default)]
    pub seq: Option<u64>,
    /// The log's generation.
    #[serde(default, rename = "gen")]
    pub generation: Option<u64>,
    /// When it happened, in milliseconds since 1970.
    #[serde(default)]
    pub at: Option<u64>,
    /// Which subscription it is of.
    #[serde(default, borrow)]
    pub subscription_id: Option<Cow<'a, str>>,
    /// What is told about it.
    #[serde(default, borrow)]
    pub data: Option<&'a RawValue>,
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
    #[serde(default, borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscribed {
    subscription_id: String,
    #[serde(default)]
    rebase_required: bool,
}

impl Follower {
    /// Connects to the gateway of a home, and subscribes.
    ///
    /// # Errors
    /// There is no gateway, or it refuses. [`Rebased`] when it does not serve the cursor.
    pub async fn connect(home: &Home, asked: &Asked) -> anyhow::Result<Self> {
        let connecting = async {
            let mut socket = open(home, asked.receive_buffer, asked.token.as_deref()).await?;
            let mut params = json!({"after": asked.after});
            if let Some(kinds) = &asked.kinds {
                params["kinds"] = json!(kinds);
            }
            let request =
                json!({"type": "req", "id": REQUEST, "method": "events.subscribe", "params": params});
            socket.send(Message::text(request.to_string())).await?;
            let subscription = subscribed(&mut socket, &asked.after).await?;
            Ok(Self { socket, subscription })
        };
        tokio::time::timeout(CONNECT_MAX, connecting)
            .await
            .map_err(|_| anyhow!("no subscription within {} s", CONNECT_MAX.as_secs()))?
    }

    /// What comes next.
    pub async fn next(&mut self) -> Told {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Told::Frame(text),
                Some(Ok(Message::Close(frame))) => return Told::Closed(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Told::Closed(None),
            }
        }
    }

    /// Says goodbye, and does not wait for the answer.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await; // The other side may be gone.
    }

    /// Reads a frame; `None` if it is not of our subscription, as the greeting is not.
    ///
    /// # Errors
    /// It is no frame.
    pub fn read<'a>(&self, text: &'a str) -> Result<Option<Frame<'a>>, serde_json::Error> {
        let frame = parse(text)?;
        Ok((frame.subscription_id.as_deref() == Some(self.subscription.as_str())).then_some(frame))
    }
}

/// Calls a method on a connection of its own, and gives its result.
///
/// # Errors
/// There is no gateway, it refuses, or the connection is lost before it answers.
pub async fn call(home: &Home, method: &str, params: &Value) -> anyhow::Result<Value> {
    let calling = async {
        let mut socket = open(home, None, None).await?;
        let request = json!({"type": "req", "id": REQUEST, "method": method, "params": params});
        socket.send(Message::text(request.to_string())).await?;
        let result = answer(&mut socket, |result| Ok(serde_json::from_str(result.get())?)).await?;
        let _ = socket.close(None).await; // It has been answered.
        Ok(result)
    };
    tokio::time::timeout(CONNECT_MAX, calling)
        .await
        .map_err(|_| anyhow!("no answer within {} s", CONNECT_MAX.as_secs()))?
}

/// A cursor that the gateway says it cannot serve, though its log was never replaced.
#[derive(Debug, thiserror::Error)]
#[error("the gateway does not serve the cursor {0}")]
pub struct Rebased(pub String);

fn parse(text: &str) -> Result<Frame<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

async fn open(
    home: &Home,
    receive_buffer: Option<u32>,
    token: Option<&str>,
) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let endpoint = Endpoint::read(&home.gateway_json()).context("no gateway listens")?;
    let token = token.map_or_else(|| token::read(&home.token()), |token| Ok(token.to_owned()))?;
    let mut request = format!("ws://{}/", endpoint.address).into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
    request.headers_mut().insert("authorization", bearer);
    let socket = if endpoint.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = socket.connect(endpoint.address).await?;
    stream.set_nodelay(true)?;
    let bytes = receive_buffer.map_or(BUFFER_BYTES, |bytes| bytes as usize);
    let config = WebSocketConfig::default().read_buffer_size(bytes).write_buffer_size(bytes);
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

async fn subscribed(socket: &mut WebSocketStream<TcpStream>, after: &str) -> anyhow::Result<String> {
    let result: Subscribed = answer(socket, |result| Ok(serde_json::from_str(result.get())?)).await?;
    if result.rebase_required {
        return Err(Rebased(after.to_owned()).into());
    }
    Ok(result.subscription_id)
}

/// Waits for the answer. What comes before it is of the subscription that nobody asked for.
async fn answer<T>(
    socket: &mut WebSocketStream<TcpStream>,
    read: impl Fn(&RawValue) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let frame = parse(&text)?;
        if frame.r#type != "res" || frame.id.as_deref() != Some(REQUEST) {
            continue;
        }
        if let Some(error) = frame.error {
            bail!("the gateway refuses: {error}");
        }
        return read(frame.result.context("an answer of nothing")?);
    }
    bail!("the connection ended before the answer")
}
