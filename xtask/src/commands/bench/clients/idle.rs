//! Connections that do nothing.

use std::time::Duration;

use anyhow::{Context, bail};
use pb_runtime::Home;
use pb_runtime::process::private_memory_kib;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::commands::bench::fanout::reader::{Door, Reader, open};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How often memory is looked at until it stands still.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A change that small is none, in KiB.
const STILL_KIB: u64 = 256;
/// One connection in so many is asked whether it is served.
const ASKED_EACH: usize = 100;

/// What they did before they did nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Only the handshake.
    Silent,
    /// A subscription to everything from now on.
    Subscribed,
}

impl Kind {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Subscribed => "subscribed",
        }
    }
}

/// They are there until this is dropped.
#[derive(Debug)]
pub(super) struct Idle {
    streams: Vec<TcpStream>,
}

impl Idle {
    pub(super) async fn connect(home: &Home, count: usize, kind: Kind) -> anyhow::Result<Self> {
        let door = Door::of(home, None)?;
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let connecting = async {
                match kind {
                    Kind::Silent => upgrade(&door).await,
                    Kind::Subscribed => open(&door).await.map(|reader: Reader| reader.into_parts().0),
                }
            };
            let stream = tokio::time::timeout(CONNECT_MAX, connecting).await;
            streams.push(stream.context("a connection takes too long")??);
        }
        Ok(Self { streams })
    }

    /// Whether they are still there, and answered.
    pub(super) async fn are_served(mut self) -> anyhow::Result<()> {
        let ping = br#"{"type":"req","id":"1","method":"system.ping"}"#;
        for stream in self.streams.iter_mut().step_by(ASKED_EACH) {
            let header = [0x81, 0x80 | u8::try_from(ping.len())?, 0, 0, 0, 0];
            stream.write_all(&[&header[..], ping].concat()).await?;
            let mut told = Vec::new();
            while !told.windows(12).any(|piece| piece == br#""pong":true,"#) {
                let reading = tokio::time::timeout(CONNECT_MAX, stream.read_buf(&mut told));
                if reading.await.context("no answer in time")?? == 0 {
                    bail!("an idle connection was closed");
                }
            }
        }
        Ok(())
    }

    /// The gateway's memory, once it stands still.
    pub(super) fn settled_kib(gateway: u32) -> anyhow::Result<u64> {
        let look = || private_memory_kib(gateway).context("cannot read the gateway's memory");
        let mut last = look()?;
        loop {
            std::thread::sleep(LOOK_EVERY);
            let now = look()?;
            if now.abs_diff(last) <= STILL_KIB {
                return Ok(now);
            }
            last = now;
        }
    }
}

async fn upgrade(door: &Door) -> anyhow::Result<TcpStream> {
    let address = &door.address;
    let mut stream = TcpStream::connect(address).await?;
    let token = door.token.as_deref().unwrap_or_default();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut told = Vec::new();
    // The greeting is the first frame: then the session is there.
    while !told.windows(13).any(|piece| piece == b"authenticated") {
        if stream.read_buf(&mut told).await? == 0 {
            bail!("refused: {}", String::from_utf8_lossy(&told));
        }
    }
    Ok(stream)
}

/// Lets this process and its children have so many descriptors.
pub(super) fn allow_descriptors(wanted: u64) -> anyhow::Result<()> {
    let limits = getrlimit(Resource::Nofile);
    if limits.maximum.is_some_and(|most| most < wanted) {
        bail!("{wanted} descriptors are needed; raise `ulimit -Hn`, or measure fewer with --idle");
    }
    if limits.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limits.maximum })
            .context("cannot raise the limit of descriptors")?;
    }
    Ok(())
}
