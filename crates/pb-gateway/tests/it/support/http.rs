//! HTTP by hand, so that a test says exactly what is sent.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::within;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SseEvent {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

/// An event stream that is read.
#[derive(Debug)]
pub(crate) struct Sse {
    stream: TcpStream,
    /// Bytes that came and are no whole chunk yet.
    raw: Vec<u8>,
    /// Text of the body that is no whole event yet.
    text: Vec<u8>,
}

/// Sends `GET path` with a `Host` of the gateway, unless the headers name one, and reads the answer.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    get_on(TcpStream::connect(address).await.unwrap(), address, path, headers).await
}

/// The same on a connection of one's own.
pub(crate) async fn get_on(
    mut stream: TcpStream,
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    ask(&mut stream, address, path, headers).await;
    let (status, head, mut body) = whole_head(&mut stream).await;
    within("the body", stream.read_to_end(&mut body)).await.unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: String::from_utf8(body).unwrap() }
}

async fn request(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, address, path, headers).await;
    stream
}

async fn ask(stream: &mut TcpStream, address: SocketAddr, path: &str, headers: &[(&str, &str)]) {
    let mut text = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        write!(text, "Host: {address}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Reads the head; gives the status and what came after it.
async fn head(stream: &mut TcpStream) -> (u16, Vec<u8>) {
    let (status, _, rest) = whole_head(stream).await;
    (status, rest)
}

async fn whole_head(stream: &mut TcpStream) -> (u16, String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).unwrap();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return (status, head, rest);
        }
        let count = within("the head", stream.read_buf(&mut bytes)).await.unwrap();
        assert!(count > 0, "no head: {}", String::from_utf8_lossy(&bytes));
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

impl Sse {
    /// Begins a stream, which must be granted.
    pub(crate) async fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = request(address, path, headers).await;
        let (status, raw) = head(&mut stream).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&raw));
        Self { stream, raw, text: Vec::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(end) = find(&self.text, b"\n\n") {
                let rest = self.text.split_off(end + 2);
                let block = std::mem::replace(&mut self.text, rest);
                if let Some(event) = parse(std::str::from_utf8(&block).unwrap()) {
                    return Some(event);
                }
                continue;
            }
            let chunk = self.chunk().await?;
            self.text.extend(chunk);
        }
    }

    /// The next so many events.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<SseEvent> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(self.next().await.unwrap());
        }
        events
    }

    /// The next chunk of the body; `None` after the last one.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.raw, b"\r\n") {
                let size = std::str::from_utf8(&self.raw[..end]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                if self.raw.len() >= end + 2 + size + 2 {
                    let rest = self.raw.split_off(end + 2 + size + 2);
                    let whole = std::mem::replace(&mut self.raw, rest);
                    return (size > 0).then(|| whole[end + 2..end + 2 + size].to_vec());
                }
            }
            let count = within("more of the stream", self.stream.read_buf(&mut self.raw)).await.ok()?;
            if count == 0 {
                return None;
            }
        }
    }
}

/// An event of a block of lines; `None` for a comment.
fn parse(block: &str) -> Option<SseEvent> {
    let (mut id, mut event, mut data) = (None, None, None);
    for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with(':')) {
        match line.split_once(": ").unwrap() {
            ("id", value) => id = Some(value.to_owned()),
            ("event", value) => event = Some(value.to_owned()),
            ("data", value) => data = Some(serde_json::from_str(value).unwrap()),
            other => panic!("an unknown field: {other:?}"),
        }
    }
    Some(SseEvent { id, event: event?, data: data? })
}
