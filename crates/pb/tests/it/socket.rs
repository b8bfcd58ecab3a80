//! A WebSocket client that knows nothing of ours but what the README says.

use std::net::TcpStream;
use std::time::Instant;

use pb_runtime::{Endpoint, Home};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::env::{TIMEOUT, TestEnv};

/// A connection to the gateway.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
    /// Events that came before the answer that was waited for.
    early: Vec<Value>,
}

impl TestEnv {
    /// Where the gateway listens, as `run/gateway.json` says.
    pub(crate) fn address(&self) -> String {
        let endpoint = Endpoint::read(&Home::at(&self.home()).unwrap().gateway_json());
        endpoint.unwrap().address.to_string()
    }

    /// Connects to the gateway, without a token: it is our own user's.
    pub(crate) fn connect(&self) -> Client {
        let address = self.address();
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let (socket, _) = client(format!("ws://{address}/"), stream).unwrap();
        Client { socket, early: Vec::new() }
    }
}

impl Client {
    /// Calls a method; its result.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.answer(method, params);
        assert_eq!(answer["error"], Value::Null, "{method}");
        answer["result"].clone()
    }

    /// The same; the whole answer, which may be an error.
    pub(crate) fn answer(&mut self, method: &str, params: &Value) -> Value {
        let request = json!({"type": "req", "id": "1", "method": method, "params": params});
        self.send(&request.to_string());
        loop {
            let frame = self.receive().unwrap();
            if frame["type"] == "res" {
                return frame;
            }
            self.early.push(frame);
        }
    }

    /// Sends a message as it stands.
    pub(crate) fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// The next frame, whatever it is; `None` when the connection is lost.
    pub(crate) fn frame(&mut self) -> Option<Value> {
        if self.early.is_empty() { self.receive() } else { Some(self.early.remove(0)) }
    }

    /// The next event of the log; `None` when the connection is lost.
    pub(crate) fn next_event(&mut self) -> Option<Value> {
        loop {
            let frame = if self.early.is_empty() { self.receive()? } else { self.early.remove(0) };
            if frame["type"] == "event" && frame["seq"].is_u64() {
                return Some(frame);
            }
        }
    }

    /// Events until one of this name, with it.
    pub(crate) fn events_until(&mut self, name: &str) -> Vec<Value> {
        let mut events = Vec::new();
        while events.last().is_none_or(|event: &Value| event["event"] != name) {
            events.push(self.next_event().unwrap());
        }
        events
    }

    fn receive(&mut self) -> Option<Value> {
        let began = Instant::now();
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                // Pings come for ever.
                Ok(_) if began.elapsed() < TIMEOUT => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }
}
