//! A WebSocket by hand: it can say what no library says, in pieces, and then nothing at all.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::within;

/// In the second byte of a frame: the payload is masked, as a client's must be.
const MASKED: u8 = 0x80;
/// In the place of the length: it follows in two bytes.
const LENGTH_16: u8 = 126;
/// In the place of the length: it follows in eight bytes.
const LENGTH_64: u8 = 127;

/// A connection.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    /// Connects, and says nothing.
    pub(crate) async fn silent(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Connects, and becomes a WebSocket.
    pub(crate) async fn upgraded(address: SocketAddr) -> Self {
        let mut raw = Self::silent(address).await;
        assert!(raw.send(&upgrade(address)).await, "it was closed before the upgrade");
        let head = raw.http_head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw
    }

    /// The head of an answer in HTTP; what of it came, if the connection ended.
    pub(crate) async fn http_head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                return String::from_utf8(std::mem::replace(&mut self.buffer, rest)).unwrap();
            }
            if !self.more().await {
                return String::from_utf8(std::mem::take(&mut self.buffer)).unwrap();
            }
        }
    }

    /// Sends bytes as they are; `false` if the other side has closed.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        within("room for bytes", self.stream.write_all(bytes)).await.is_ok()
    }

    async fn more(&mut self) -> bool {
        within("bytes, or the end", self.stream.read_buf(&mut self.buffer)).await.is_ok_and(|count| count > 0)
    }

    /// The next frame, its opcode and its payload; `None` at the end.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((start, length)) = self.whole() {
                let opcode = self.buffer[0] & 0x0f;
                let payload = self.buffer[start..start + length].to_vec();
                self.buffer.drain(..start + length);
                return Some((opcode, payload));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Where the payload of the first frame begins, and how long it is, if all of it is here.
    fn whole(&self) -> Option<(usize, usize)> {
        let (start, length) = match *self.buffer.get(1)? {
            LENGTH_16 => (4, usize::from(u16::from_be_bytes(self.buffer.get(2..4)?.try_into().unwrap()))),
            LENGTH_64 => {
                let length = u64::from_be_bytes(self.buffer.get(2..10)?.try_into().unwrap());
                (10, usize::try_from(length).unwrap())
            }
            short => (2, usize::from(short)),
        };
        (self.buffer.len() >= start + length).then_some((start, length))
    }

    /// The next answer; events and control frames are passed over.
    pub(crate) async fn answer(&mut self) -> Value {
        loop {
            let (opcode, payload) = self.frame().await.expect("an answer before the end");
            if opcode != 1 {
                continue;
            }
            let frame: Value = serde_json::from_slice(&payload).unwrap();
            if frame["type"] == "res" {
                return frame;
            }
        }
    }

    /// Reads to the end; the code of the first close frame, if one came.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some((opcode, payload)) = self.frame().await {
            if let (8, [high, low, ..], None) = (opcode, payload.as_slice(), code) {
                code = Some(u16::from_be_bytes([*high, *low]));
            }
        }
        code
    }
}

/// What asks for a WebSocket.
pub(crate) fn upgrade(address: SocketAddr) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// A frame as a client sends it, whole. The mask is of zeros, so the payload stands as it is.
pub(crate) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first_byte, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

/// The beginning of a frame that announces so many bytes.
pub(crate) fn header(first_byte: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < LENGTH_16 => bytes.push(MASKED | short),
        (_, Ok(middle)) => {
            bytes.push(MASKED | LENGTH_16);
            bytes.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | LENGTH_64);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}
