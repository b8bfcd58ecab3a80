//! Connections that do nothing at all: what each costs the gateway.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};
use pb_runtime::{Home, process, token};

use crate::gateway_process::GatewayProcess;
use crate::{Run, Tally, processes};

/// Memory of the gateway for each, in bytes: with ten thousand of them it has less than 128 MB. What belongs to files is
/// left out: whether pages of the program are its own depends on who else runs it at that moment.
const EACH_BYTES_MAX: u64 = 11_500;
/// The same of a build without optimizations, whose futures are larger.
const EACH_BYTES_MAX_DEBUG: u64 = 18_000;
/// How often memory is looked at until it stands still.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A change that small is none, in KiB.
const STILL_KIB: u64 = 128;
/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Descriptors beside those of the connections.
const DESCRIPTORS_MORE: u64 = 256;

/// Connects so many, and looks.
pub(super) fn run(run: &Run, count: u64) -> anyhow::Result<Tally> {
    processes::allow_descriptors(count + DESCRIPTORS_MORE)?;
    let home = Home::at(&run.folder.join("idle"))?;
    home.prepare()?;
    let gateway = GatewayProcess::start(&run.exe, &home)?;
    let bearer = token::read(&home.token())?;
    // The first ones make what all share.
    let _warm = (0..10).map(|_| connect(&gateway, &bearer)).collect::<Result<Vec<_>, _>>()?;
    let before = settled_kib(&gateway)?;
    let idle = (0..count).map(|_| connect(&gateway, &bearer)).collect::<Result<Vec<_>, _>>()?;
    let each = settled_kib(&gateway)?.saturating_sub(before) * 1024 / count.max(1);
    let mut tally = Tally { cases: count, ..Tally::default() };
    tally.count("idle_bytes_each", each);
    let bound = if cfg!(debug_assertions) { EACH_BYTES_MAX_DEBUG } else { EACH_BYTES_MAX };
    if each > bound {
        tally.fail(format_args!("an idle connection costs the gateway {each} bytes, the bound is {bound}"));
    }
    drop(idle);
    gateway.end(&mut tally)?;
    Ok(tally)
}

fn settled_kib(gateway: &GatewayProcess) -> anyhow::Result<u64> {
    let look = || process::memory(gateway.pid()).map(|of| of.anonymous_kib).context("the gateway is gone");
    let mut last = look()?;
    loop {
        std::thread::sleep(LOOK_EVERY); // wait: memory rings no bell
        let now = look()?;
        if now.abs_diff(last) <= STILL_KIB {
            return Ok(now);
        }
        last = now;
    }
}

/// Becomes a WebSocket, and waits for the greeting: then its session is there.
fn connect(gateway: &GatewayProcess, bearer: &str) -> anyhow::Result<TcpStream> {
    let address = gateway.address();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Authorization: Bearer {bearer}\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let (mut told, mut piece) = (Vec::new(), [0; 1024]);
    while !told.windows(13).any(|window| window == b"authenticated") {
        match stream.read(&mut piece)? {
            0 => bail!("refused: {}", String::from_utf8_lossy(&told)),
            count => told.extend_from_slice(&piece[..count]),
        }
    }
    Ok(stream)
}
