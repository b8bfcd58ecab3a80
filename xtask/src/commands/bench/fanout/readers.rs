//! Clients that only count: a handshake, a subscription, and then frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::endpoint::Endpoint;
use pb_runtime::{Home, token};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How an event frame begins.
const EVENT: &[u8] = br#"{"type":"event","event":"run."#;
/// What stands before an event's number.
const NUMBER: &[u8] = br#""data":{"n":"#;
/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;
/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);

/// What all readers came to.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Event frames.
    pub(super) frames: AtomicU64,
    /// When each event of the first reader came, by its number.
    pub(super) came: std::sync::Mutex<Vec<(u64, Instant)>>,
}

/// Clients on a thread of their own. Dropped, they leave.
#[derive(Debug)]
pub(super) struct Readers {
    pub(super) counted: Arc<Counted>,
    _stop: oneshot::Sender<()>,
}

impl Readers {
    /// Connects so many, each subscribed from `after` on, or from now on.
    pub(super) fn connect(home: &Home, count: usize, after: Option<&str>) -> anyhow::Result<Self> {
        let endpoint = Endpoint::read(&home.gateway_json()).context("the gateway wrote no address")?;
        let token = token::read(&home.token())?;
        let address = endpoint.address.to_string();
        let after = after.map_or(String::new(), |after| format!(r#""after":"{after}""#));
        let subscribe =
            format!(r#"{{"type":"req","id":"s","method":"events.subscribe","params":{{{after}}}}}"#);
        let counted = Arc::new(Counted::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let counting = Arc::clone(&counted);
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                for number in 0..count {
                    let stream = open(&address, &token, &subscribe).await;
                    match stream {
                        Ok(stream) => tasks.spawn(read(stream, Arc::clone(&counting), number == 0)),
                        Err(error) => {
                            let _ = ready.send(Err(error)); // Whoever waits is told.
                            return;
                        }
                    };
                }
                let _ = ready.send(Ok(()));
                let _ = stopped.await; // Dropped: that is the sign.
            });
        });
        is_ready.recv_timeout(CONNECT_MAX).context("the clients did not connect in time")??;
        Ok(Self { counted, _stop: stop })
    }
}

/// Connects, subscribes, and waits for the answer.
async fn open(address: &str, token: &str, subscribe: &str) -> anyhow::Result<Reader> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
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
        Ok(length) if length < 126 => vec![0x81, 0x80 | length, 0, 0, 0, 0],
        Ok(_) | Err(_) => {
            let [high, low] = u16::try_from(subscribe.len())?.to_be_bytes();
            vec![0x81, 0xfe, high, low, 0, 0, 0, 0]
        }
    };
    reader.stream.write_all(&[&header, subscribe.as_bytes()].concat()).await?;
    loop {
        if reader.next().is_some_and(|payload| payload.starts_with(br#"{"type":"res""#)) {
            return Ok(reader);
        }
        if !reader.has_frame() {
            reader.more().await?;
        }
    }
}

struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    taken: usize,
}

impl Reader {
    async fn more(&mut self) -> anyhow::Result<()> {
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

    fn next(&mut self) -> Option<&[u8]> {
        let payload = self.payload()?;
        self.taken = payload.end;
        self.buffer.get(payload)
    }
}

async fn read(mut reader: Reader, counted: Arc<Counted>, notes_times: bool) {
    loop {
        let mut frames = 0;
        let mut came = Vec::new();
        while let Some(payload) = reader.next() {
            if payload.starts_with(EVENT) {
                frames += 1;
                came.extend(number(payload).filter(|_| notes_times));
            }
        }
        if !came.is_empty() {
            let now = Instant::now();
            let mut all = counted.came.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            all.extend(came.into_iter().map(|number| (number, now)));
        }
        counted.frames.fetch_add(frames, Ordering::Relaxed);
        if reader.more().await.is_err() {
            return;
        }
    }
}

fn number(payload: &[u8]) -> Option<u64> {
    let at = payload.windows(NUMBER.len()).position(|bytes| bytes == NUMBER)? + NUMBER.len();
    let digits = payload.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
