//! A client as plain as can be: a handshake, a subscription, and then frames.

use anyhow::{Context, bail};
use pb_runtime::endpoint::Endpoint;
use pb_runtime::{Home, token};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frames::TEXT;

/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;
/// What stands before an event's number.
const NUMBER: &[u8] = br#""data":{"n":"#;

/// Where a server is, and what it is told first.
#[derive(Debug, Clone)]
pub(in crate::commands::bench) struct Door {
    /// `host:port`.
    pub(in crate::commands::bench) address: String,
    pub(in crate::commands::bench) token: Option<String>,
    /// What is said, in a message with this first byte.
    pub(in crate::commands::bench) asks: (u8, String),
    /// How the answer to that begins.
    pub(in crate::commands::bench) answer: &'static [u8],
    pub(in crate::commands::bench) counts: Counts,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands::bench) enum Counts {
    /// Frames that are events.
    Events,
    /// Records of so many bytes each, any number of which may be in a frame.
    Records(u64),
}

impl Door {
    /// Of the gateway of `home`, for subscriptions from `after` on, or from now on.
    pub(in crate::commands::bench) fn of(home: &Home, after: Option<&str>) -> anyhow::Result<Self> {
        let endpoint = Endpoint::read(&home.gateway_json()).context("the gateway wrote no address")?;
        let after = after.map_or(String::new(), |after| format!(r#""after":"{after}""#));
        let subscribe =
            format!(r#"{{"type":"req","id":"s","method":"events.subscribe","params":{{{after}}}}}"#);
        Ok(Self {
            address: endpoint.address.to_string(),
            token: Some(token::read(&home.token())?),
            asks: (TEXT, subscribe),
            answer: br#"{"type":"res""#,
            counts: Counts::Events,
        })
    }
}

/// Connects, subscribes, and waits for the answer.
pub(in crate::commands::bench) async fn open(door: &Door) -> anyhow::Result<Reader> {
    let Door { address, token, asks: (opcode, subscribe), answer, .. } = door;
    let token = token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         {token}\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut reader = Reader { stream, buffer: Vec::new(), taken: 0 };
    while !reader.buffer.windows(4).any(|four| four == b"\r\n\r\n") {
        reader.more().await?;
    }
    let head = reader.buffer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_default() + 4;
    reader.taken = head;
    // A client masks what it sends; a mask of zeros changes nothing.
    let header = match u8::try_from(subscribe.len()) {
        Ok(length) if length < 126 => vec![*opcode, 0x80 | length, 0, 0, 0, 0],
        Ok(_) | Err(_) => {
            let [high, low] = u16::try_from(subscribe.len())?.to_be_bytes();
            vec![*opcode, 0xfe, high, low, 0, 0, 0, 0]
        }
    };
    reader.stream.write_all(&[&header, subscribe.as_bytes()].concat()).await?;
    loop {
        if reader.next().is_some_and(|payload| payload.starts_with(answer)) {
            return Ok(reader);
        }
        if !reader.has_frame() {
            reader.more().await?;
        }
    }
}

/// Frames of a connection, whole.
#[derive(Debug)]
pub(in crate::commands::bench) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    taken: usize,
}

impl Reader {
    /// Reads more.
    pub(in crate::commands::bench) async fn more(&mut self) -> anyhow::Result<()> {
        self.buffer.drain(..std::mem::take(&mut self.taken));
        self.buffer.reserve(READ_BYTES);
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the gateway closed a connection");
        }
        Ok(())
    }

    /// Where the payload of the next frame lies, if it is whole.
    fn payload(&self) -> Option<std::ops::Range<usize>> {
        let rest = self.buffer.get(self.taken..)?;
        let (header, length) = match *rest.get(1)? {
            126 => (4, usize::from(u16::from_be_bytes(rest.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(rest.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        let start = self.taken + header;
        (start + length <= self.buffer.len()).then_some(start..start + length)
    }

    fn has_frame(&self) -> bool {
        self.payload().is_some()
    }

    /// The next frame, if it was read.
    pub(in crate::commands::bench) fn next(&mut self) -> Option<&[u8]> {
        let payload = self.payload()?;
        self.taken = payload.end;
        self.buffer.get(payload)
    }

    /// The connection.
    pub(in crate::commands::bench) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The connection, and what was read of it and not taken.
    pub(in crate::commands::bench) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.buffer.get(self.taken..).unwrap_or_default().to_vec())
    }
}

/// The number of an event.
pub(in crate::commands::bench) fn number(payload: &[u8]) -> Option<u64> {
    let at = payload.windows(NUMBER.len()).position(|bytes| bytes == NUMBER)? + NUMBER.len();
    let digits = payload.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
