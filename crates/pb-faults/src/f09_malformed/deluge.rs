//! What is malformed, over real sockets, to a gateway in a process of its own; and others beside it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use pb_protocol::ipc::{self, Connect, Frame, LogAddress};
use pb_runtime::{Home, ProcessLock};
use pb_store::{Location, Log};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use tokio::runtime::Runtime;

use super::generate;
use super::websocket::{self, Came, Socket};
use crate::gateway_process::GatewayProcess;
use crate::healthy::Healthy;
use crate::{Run, Tally};

/// Longest message that the gateway takes, in bytes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// What a connection may cost the gateway.
const CONNECTION_KIB_MAX: u64 = 8 * 1024;
/// Connections that each hold as much as they can.
const HOLDING: usize = 32;
/// One event is committed each so many cases, for those who behave.
const CASES_PER_EVENT: u64 = 10;
/// Frames that may come before the answer that is waited for: a session is sent the events of all goals.
const FRAMES_BEFORE_ANSWER_MAX: usize = 10_000;
/// Set apart from the cases of the parsers.
const SEED_OF_SOCKETS: u64 = 0x0050_c4e7;

/// Sends so many, and looks at what became of everybody.
pub(super) fn run(run: &Run, cases: u64) -> anyhow::Result<Tally> {
    let mut tally = Tally { cases, ..Tally::default() };
    let home = Home::at(&run.folder.join("f9"))?;
    home.prepare()?;
    let gateway = GatewayProcess::start(&run.exe, &home)?;
    let lock = ProcessLock::acquire(&home.scheduler_lock(), 1)?;
    let runtime = Runtime::new()?;
    let log = runtime.block_on(Log::open(Location::File(home.state_db()), "f9".to_owned(), None))?;
    let healthy = Healthy::start(&runtime, gateway.address());

    let mut peers = Peers::new(&home, gateway.address(), &log);
    for case in 0..cases {
        if case % CASES_PER_EVENT == 0 {
            runtime.block_on(crate::healthy::commit(&log, case))?;
        }
        let mut rng = generate::source(run.seed ^ SEED_OF_SOCKETS, case);
        if let Err(error) = peers.one(&mut rng) {
            tally.fail(format_args!("socket case {case}: {error:#}"));
        }
    }
    let grown = peers.hold(&gateway)?;
    tally.count("KiB a connection", grown);
    if grown > CONNECTION_KIB_MAX {
        tally.fail(format_args!("a connection costs the gateway {grown} KiB"));
    }
    healthy.finish(&runtime, cases.div_ceil(CASES_PER_EVENT), &mut tally);
    tally.count("peak KiB", gateway.peak_kib()?);
    gateway.end(&mut tally)?;
    drop((log, lock));
    Ok(tally)
}

/// The connections on which wrong things are said, as long as they last.
struct Peers {
    address: SocketAddr,
    link: std::path::PathBuf,
    hello: String,
    client: Option<Socket>,
    scheduler: Option<UnixStream>,
    asked: u64,
}

impl Peers {
    fn new(home: &Home, address: SocketAddr, log: &Log) -> Self {
        let identity = log.identity();
        let hello = Frame::Connect(Connect {
            client_type: ipc::CLIENT_TYPE.to_owned(),
            version: "f9".to_owned(),
            pid: std::process::id(),
            caps: vec![ipc::LOG_CAPABILITY.to_owned()],
            log: Some(LogAddress {
                id: identity.id.clone(),
                generation: identity.generation,
                schema: identity.schema,
                path: home.state_db().to_string_lossy().into_owned(),
            }),
        });
        Self {
            address,
            link: home.gateway_socket(),
            hello: ipc::line(&hello, 1),
            client: None,
            scheduler: None,
            asked: 0,
        }
    }

    fn one(&mut self, rng: &mut StdRng) -> anyhow::Result<()> {
        match rng.random_range(0..20) {
            0..8 => self.say_as_scheduler(rng).context("on the link"),
            8..9 => say_first(&self.link, rng).context("as the first line of the link"),
            9..17 => self.ask_as_client(rng).context("as a message"),
            _ => break_the_protocol(self.address, rng).context("as frames of a WebSocket"),
        }
    }

    /// A line of the scheduler that holds the lock: whatever it is, the connection is kept.
    fn say_as_scheduler(&mut self, rng: &mut StdRng) -> anyhow::Result<()> {
        let (wrong, mut line) = generate::line(rng);
        line.push(b'\n');
        let mut stream = match self.scheduler.take() {
            Some(stream) => stream,
            None => admitted(&self.link, &self.hello)?,
        };
        for piece in line.chunks(step(rng, line.len())) {
            stream.write_all(piece).with_context(|| format!("it was closed ({wrong:?})"))?;
        }
        stream.set_nonblocking(true)?;
        let mut said = [0; 4096];
        match stream.read(&mut said) {
            Ok(0) => anyhow::bail!("it was closed ({wrong:?})"),
            Ok(_) => {} // Bells and pings.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).with_context(|| format!("it was closed ({wrong:?})")),
        }
        stream.set_nonblocking(false)?;
        self.scheduler = Some(stream);
        Ok(())
    }

    /// A message of a client: answered, or the end of the connection where it is no text or too long; and
    /// after an answer, the next request is answered as well.
    fn ask_as_client(&mut self, rng: &mut StdRng) -> anyhow::Result<()> {
        let (wrong, line) = generate::line(rng);
        let mut socket = match self.client.take() {
            Some(socket) => socket,
            None => Socket::connect(self.address)?,
        };
        let is_binary: bool = rng.random();
        let message = websocket::frame(if is_binary { 0x82 } else { 0x81 }, &line);
        let ends = line.len() > MESSAGE_BYTES_MAX || (!is_binary && std::str::from_utf8(&line).is_err());
        let sent = socket.send(&message, step(rng, message.len()));
        if ends {
            return closed(&mut socket).with_context(|| format!("{wrong:?}, {} bytes", line.len()));
        }
        sent?;
        self.asked += 1;
        let id = format!("good-{}", self.asked);
        let good = format!(r#"{{"type":"req","id":"{id}","method":"system.ping"}}"#);
        socket.send(&websocket::frame(0x81, good.as_bytes()), usize::MAX)?;
        let answer = format!(r#"{{"type":"res","id":"{id}","result":{{"pong":true,"#);
        for _ in 0..FRAMES_BEFORE_ANSWER_MAX {
            match socket.next()? {
                Came::Text(text) if text.starts_with(&answer) => {
                    self.client = Some(socket);
                    return Ok(());
                }
                Came::Text(_) => {}
                other => anyhow::bail!("{other:?} came for {wrong:?} instead of an answer"),
            }
        }
        anyhow::bail!("no answer after {wrong:?}")
    }

    /// How many KiB the gateway grows by for each of many connections that hold as much as they can: a
    /// message, or a line, that only lacks its end.
    fn hold(&mut self, gateway: &GatewayProcess) -> anyhow::Result<u64> {
        self.client = None;
        let before = gateway.rss_kib()?;
        let mut held = Vec::new();
        let mut message = websocket::header(0x81, MESSAGE_BYTES_MAX);
        message.resize(message.len() + MESSAGE_BYTES_MAX - 1, b'x');
        for _ in 0..HOLDING {
            let mut socket = Socket::connect(self.address)?;
            socket.send(&message, usize::MAX)?;
            held.push(socket);
        }
        let mut scheduler = admitted(&self.link, &self.hello)?;
        scheduler.write_all(&vec![b'x'; MESSAGE_BYTES_MAX])?;
        // What the kernel holds of it is read in a moment: the memory stands still then.
        let mut grown = gateway.rss_kib()?.saturating_sub(before);
        loop {
            std::thread::sleep(Duration::from_millis(200)); // wait: memory rings no bell
            let now = gateway.rss_kib()?.saturating_sub(before);
            if now <= grown {
                return Ok(grown.div_ceil(HOLDING as u64 + 1));
            }
            grown = now;
        }
    }
}

/// How many bytes are sent at once: sometimes one.
fn step(rng: &mut StdRng, length: usize) -> usize {
    match rng.random_range(0..8) {
        0 if length < 400 => 1,
        1 => rng.random_range(1..=length.max(1)),
        _ => length.max(1),
    }
}

/// A connection that was taken for the scheduler's.
fn admitted(link: &Path, hello: &str) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(link)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(hello.as_bytes())?;
    Ok(stream)
}

/// Instead of `connect`: refused, and closed.
fn say_first(socket: &Path, rng: &mut StdRng) -> anyhow::Result<()> {
    let (wrong, mut line) = generate::line(rng);
    line.push(b'\n');
    let mut stream = admitted(socket, "")?;
    // It may be refused before it has said all; then what it was told may be lost with the rest.
    let whole = stream.write_all(&line).is_ok();
    let mut told = Vec::new();
    match stream.read_to_end(&mut told) {
        Ok(_) if told.starts_with(b"{\"type\":\"refused\"") || !whole => Ok(()),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
        other => anyhow::bail!("{other:?} for {wrong:?}: {}", String::from_utf8_lossy(&told)),
    }
}

/// Frames that no client may send: the connection ends. Or one that is cut, by us.
fn break_the_protocol(address: SocketAddr, rng: &mut StdRng) -> anyhow::Result<()> {
    let mut socket = Socket::connect(address)?;
    let good = websocket::frame(0x81, br#"{"type":"req","id":"1","method":"system.ping"}"#);
    let way = rng.random_range(0..8);
    let bytes = match way {
        0 => websocket::frame(0xf1, b"reserved bits"),
        1 => websocket::frame(0x8b, b"an opcode of the future"),
        2 => websocket::header(0x81, usize::MAX / 2),
        3 => vec![0x81, 2, b'{', b'}'],            // Without a mask.
        4 => websocket::frame(0x89, &[b'p'; 126]), // A ping that is too long.
        5 => websocket::frame(0x80, b"the rest of nothing"),
        6 => {
            let mut noise = vec![0; 300];
            rng.fill_bytes(&mut noise);
            noise.insert(0, 0xff);
            noise
        }
        _ => {
            let cut = rng.random_range(1..good.len());
            return Ok(socket.send(&good[..cut], 1)?);
        }
    };
    let _ = socket.send(&bytes, step(rng, bytes.len())); // It may be closed in the middle.
    closed(&mut socket).with_context(|| format!("way {way}"))
}

/// Reads to the end of the connection, which must come.
fn closed(socket: &mut Socket) -> anyhow::Result<()> {
    for _ in 0..FRAMES_BEFORE_ANSWER_MAX {
        match socket.next()? {
            Came::Text(_) => {}
            Came::Close(1002 | 1009 | 1007) | Came::End => return Ok(()),
            Came::Close(code) => anyhow::bail!("closed with {code}"),
        }
    }
    anyhow::bail!("it is not closed")
}
