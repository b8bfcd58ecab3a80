//! A WebSocket client that hides nothing: frames are JSON values, and none is dropped.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{shapes, within};

/// What a client speaks through.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Debug {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + Debug> Stream for S {}

/// A connection to a gateway.
#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Stream>>,
    /// What the gateway said about this session.
    pub(crate) greeting: Value,
    /// Frames that came while an answer was waited for.
    waiting: VecDeque<Value>,
    asked: u64,
}

/// Opens a WebSocket on `path` with these headers; the HTTP status when that is refused.
pub(crate) async fn dial(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Client, u16> {
    let stream = TcpStream::connect(address).await.unwrap();
    Client::on(stream, address, path, headers).await
}

impl Client {
    /// Connects as a program of our own user does.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        dial(address, "/", &[]).await.unwrap()
    }

    /// Connects, with a receive buffer that is soon full.
    pub(crate) async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(address).await.unwrap();
        Self::on(stream, address, "/", &[]).await.unwrap()
    }

    pub(crate) async fn on(
        stream: impl Stream + 'static,
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let mut client = Self::unknown(stream, address, path, headers).await?;
        client.greeting = client.frame().await;
        Ok(client)
    }

    /// Connects where the gateway says nothing before it is asked.
    pub(crate) async fn unknown(
        stream: impl Stream + 'static,
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let stream: Box<dyn Stream> = Box::new(stream);
        let connecting = tokio_tungstenite::client_async(request, stream);
        let socket = match within("the upgrade", connecting).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(response)) => return Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        };
        Ok(Self { socket, greeting: Value::Null, waiting: VecDeque::new(), asked: 0 })
    }

    /// Sends a message as it stands.
    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        within("room for a message", self.socket.send(message.into())).await.unwrap();
    }

    /// Sends a message of which the gateway may not take all.
    pub(crate) async fn send_what_is_taken(&mut self, text: String) {
        let _ = within("an end of the sending", self.socket.send(Message::text(text))).await;
    }

    /// Sends a text message in frames of at most `step` bytes, wherever a character ends.
    pub(crate) async fn send_in_pieces(&mut self, text: &str, step: usize) {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(step).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let code = if index == 0 { Data::Text } else { Data::Continue };
            let is_last = index + 1 == pieces.len();
            let frame = Frame::message(piece.to_vec(), OpCode::Data(code), is_last);
            self.send(Message::Frame(frame)).await;
        }
    }

    /// The next message; `None` once the connection ended.
    async fn message(&mut self) -> Option<Message> {
        loop {
            match within("a message", self.socket.next()).await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next frame, whatever it is.
    async fn frame(&mut self) -> Value {
        match self.message().await {
            Some(Message::Text(text)) => {
                let frame = serde_json::from_str(&text).unwrap();
                assert_eq!(shapes::problems_of_event(&frame), Vec::<String>::new(), "{frame}");
                frame
            }
            other => panic!("no frame: {other:?}"),
        }
    }

    /// Waits for the answer to a ping: what was sent before was read.
    pub(crate) async fn pinged(&mut self) {
        self.send(Message::Ping(tokio_tungstenite::tungstenite::Bytes::from_static(b"read"))).await;
        loop {
            match within("a pong", self.socket.next()).await {
                Some(Ok(Message::Pong(_))) => return,
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("no pong: {other:?}"),
            }
        }
    }

    /// The next message, whatever it is about.
    pub(crate) async fn json(&mut self) -> Value {
        match self.message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no message: {other:?}"),
        }
    }

    /// The next frame that is not an event.
    pub(crate) async fn answer(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == "res" {
                return frame;
            }
            self.waiting.push_back(frame);
        }
    }

    /// The next event or cursor.
    pub(crate) async fn event(&mut self) -> Value {
        if let Some(frame) = self.waiting.pop_front() {
            return frame;
        }
        let frame = self.frame().await;
        assert_ne!(frame["type"], "res", "{frame}");
        frame
    }

    /// The next so many events.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(self.event().await);
        }
        events
    }

    /// Whether nothing has come that was not taken: asks, and looks at what came before the answer.
    pub(crate) async fn has_nothing_more(&mut self) -> bool {
        self.ping().await;
        self.waiting.is_empty()
    }

    /// Calls a method; the result, or the error.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.asked += 1;
        let id = format!("r{}", self.asked);
        let request = json!({"type": "req", "id": id, "method": method, "params": params});
        self.send(Message::text(request.to_string())).await;
        let mut answer = self.answer().await;
        assert_eq!(answer["id"], id, "{answer}");
        match answer["error"].take() {
            Value::Null => {
                let result = answer["result"].take();
                assert_eq!(shapes::problems(method, &result), Vec::<String>::new(), "{result}");
                Ok(result)
            }
            error => Err(error),
        }
    }

    /// Checks that the gateway answers.
    pub(crate) async fn ping(&mut self) {
        let answer = self.call("system.ping", json!({})).await.unwrap();
        assert_eq!(answer["pong"], true);
    }

    /// Whether the gateway answers, rather than closes the connection.
    pub(crate) async fn is_served(&mut self) -> bool {
        let ping = json!({"type": "req", "id": "ping", "method": "system.ping"}).to_string();
        let _ = within("an end of the sending", self.socket.send(Message::text(ping))).await;
        matches!(self.message().await, Some(Message::Text(_)))
    }

    /// Subscribes; the whole answer. What came before it to a session that had not asked is let go.
    pub(crate) async fn subscribe(&mut self, params: Value) -> Value {
        let answer = self.call("events.subscribe", params).await.unwrap();
        self.waiting.retain(|frame| frame["subscriptionId"].is_string());
        answer
    }

    /// Reads to the end of the connection; gives the reason, if one was told.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        let mut told = None;
        while let Some(message) = self.message().await {
            if let Message::Close(Some(frame)) = message {
                told = Some((frame.code.into(), frame.reason.to_string()));
            }
        }
        told
    }
}
