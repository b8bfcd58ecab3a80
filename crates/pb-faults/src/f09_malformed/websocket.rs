//! A WebSocket by hand: it can say what no library says.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest frame of the gateway that is read, in bytes.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// In the second byte of a frame: the payload is masked, as a client's must be.
const MASKED: u8 = 0x80;
/// In the place of the length: it follows in two bytes.
const LENGTH_IN_2_BYTES: u8 = 0x7e;
/// In the place of the length: it follows in eight bytes.
const LENGTH_IN_8_BYTES: u8 = 0x7f;

/// A connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Text(String),
    /// A close frame, with its code.
    Close(u16),
    /// The end, without one.
    End,
}

impl Socket {
    /// Connects.
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::connect_by(address, None)
    }

    /// Connects by an access token.
    pub(super) fn connect_by(address: SocketAddr, token: Option<&str>) -> io::Result<Self> {
        let token = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{token}\r\n"
        )?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other(String::from_utf8_lossy(&head).into_owned()));
        }
        Ok(Self { stream })
    }

    /// Sends bytes as they are, so many at a time.
    pub(super) fn send(&mut self, bytes: &[u8], step: usize) -> io::Result<()> {
        bytes.chunks(step.max(1)).try_for_each(|piece| self.stream.write_all(piece))
    }

    /// What comes next, but for pings.
    pub(super) fn next(&mut self) -> io::Result<Came> {
        loop {
            let (opcode, payload) = match self.frame() {
                Ok(frame) => frame,
                Err(error)
                    if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) =>
                {
                    return Ok(Came::End);
                }
                Err(error) => return Err(error),
            };
            match (opcode, payload.as_slice()) {
                (1, _) => return Ok(Came::Text(String::from_utf8_lossy(&payload).into_owned())),
                (8, [high, low, ..]) => return Ok(Came::Close(u16::from_be_bytes([*high, *low]))),
                (8, _) => return Ok(Came::End),
                _ => {}
            }
        }
    }

    fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let length = match head[1] & 0x7f {
            LENGTH_IN_2_BYTES => {
                let mut bytes = [0; 2];
                self.stream.read_exact(&mut bytes)?;
                usize::from(u16::from_be_bytes(bytes))
            }
            LENGTH_IN_8_BYTES => {
                let mut bytes = [0; 8];
                self.stream.read_exact(&mut bytes)?;
                usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX)
            }
            short => usize::from(short),
        };
        if length > FRAME_BYTES_MAX {
            return Err(io::Error::other(format!("a frame of {length} bytes")));
        }
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload)?;
        Ok((head[0] & 0x0f, payload))
    }
}

/// A frame as a client sends it, whole. The mask is of zeros, so the payload stands as it is.
pub(super) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first_byte, payload.len());
    bytes.extend_from_slice(payload);
    bytes
}

/// The beginning of a frame that announces so many bytes.
pub(super) fn header(first_byte: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < LENGTH_IN_2_BYTES => bytes.push(MASKED | short),
        (_, Ok(middle)) => {
            bytes.push(MASKED | LENGTH_IN_2_BYTES);
            bytes.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | LENGTH_IN_8_BYTES);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}
