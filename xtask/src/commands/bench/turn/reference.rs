//! The reference: the same server, called over HTTP by nothing but a socket.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use super::script::PLAIN;

/// How many calls are measured.
pub(super) const CALLS: usize = 200;
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What ends an answer that comes in chunks.
const END: &[u8] = b"\r\n0\r\n\r\n";

/// Round trips, and how large each request was.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) times: Vec<Duration>,
    pub(super) body_bytes: usize,
}

/// Asks for the same streamed answer again and again, on one connection, with a body of about `bytes`.
pub(super) fn round_trips(port: u16, bytes: usize) -> anyhow::Result<Plain> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("cannot reach the model")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let content = format!("{PLAIN} {}", "x".repeat(bytes));
    let body = json!({
        "model": "scripted",
        "messages": [{"role": "user", "content": content}],
        "stream": true,
        "stream_options": {"include_usage": true},
    })
    .to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let times = (0..CALLS).map(|_| call(&mut stream, &request)).collect::<anyhow::Result<_>>()?;
    Ok(Plain { times, body_bytes: body.len() })
}

fn call(stream: &mut TcpStream, request: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !answer.ends_with(END) {
        let count = stream.read(&mut buffer).context("the scripted model does not answer")?;
        if count == 0 {
            bail!("the scripted model closed the connection");
        }
        answer.extend(buffer.iter().take(count));
    }
    let took = started.elapsed();
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        bail!("the scripted model refused: {}", String::from_utf8_lossy(&answer));
    }
    Ok(took)
}
