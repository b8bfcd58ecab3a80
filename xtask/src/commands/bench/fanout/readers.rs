//! Clients that only count, as cheaply as they can: what is weighed is the gateway, on the same processors.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pb_runtime::Home;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::frames::Frames;
use super::reader::{Counts, Door, Reader, number, open};

/// How an event frame begins.
const EVENT: &[u8] = br#"{"type":"event","event":"run."#;
/// How much is read at once, into one buffer for all of them, which stays in the processor's cache.
const READ_BYTES: usize = 128 * 1024;
/// How often a client says that it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
/// A pong without a payload, masked with zeros.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];
/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(20);

thread_local! {
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// What all readers came to.
#[derive(Debug, Default)]
pub(in crate::commands::bench) struct Counted {
    /// Event frames.
    pub(in crate::commands::bench) frames: AtomicU64,
    /// When each event of the first reader came, by its number.
    pub(in crate::commands::bench) came: Mutex<Vec<(u64, Instant)>>,
}

/// Clients on a thread of their own. Dropped, they leave.
#[derive(Debug)]
pub(in crate::commands::bench) struct Readers {
    pub(in crate::commands::bench) counted: Arc<Counted>,
    _stop: oneshot::Sender<()>,
}

impl Readers {
    /// Connects so many to the gateway, each subscribed from `after` on, or from now on. The first one notes
    /// times.
    pub(in crate::commands::bench) fn connect(
        home: &Home,
        count: usize,
        after: Option<&str>,
    ) -> anyhow::Result<Self> {
        Self::at(Door::of(home, after)?, count)
    }

    /// Connects so many to any server.
    pub(in crate::commands::bench) fn at(door: Door, count: usize) -> anyhow::Result<Self> {
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
                for n in 0..count {
                    match open(&door).await {
                        Ok(reader) if n == 0 && door.counts == Counts::Events => {
                            tasks.spawn(note(reader, Arc::clone(&counting)))
                        }
                        Ok(reader) => {
                            tasks.spawn(Counting::new((reader, door.counts), Arc::clone(&counting)))
                        }
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

/// Counts, and notes when each event came.
async fn note(mut reader: Reader, counted: Arc<Counted>) {
    let mut alive = Alive::new();
    loop {
        alive.show(reader.stream());
        let mut came = Vec::new();
        while let Some(payload) = reader.next() {
            if payload.starts_with(EVENT) {
                came.extend(number(payload));
            }
        }
        if !came.is_empty() {
            let now = Instant::now();
            counted.frames.fetch_add(came.len() as u64, Ordering::Relaxed);
            let mut all = counted.came.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(came.into_iter().map(|number| (number, now)));
        }
        if reader.more().await.is_err() {
            return;
        }
    }
}

/// Counts, and keeps nothing of what it reads.
struct Counting {
    stream: TcpStream,
    frames: Frames,
    counts: Counts,
    /// Bytes of records that are not counted yet: less than one.
    rest: u64,
    counted: Arc<Counted>,
    alive: Alive,
}

/// Who says nothing for a minute is closed: each client says something now and then, as a pong that nobody asked for.
struct Alive {
    said: Instant,
}

impl Alive {
    fn new() -> Self {
        Self { said: Instant::now() }
    }

    fn show(&mut self, stream: &TcpStream) {
        if self.said.elapsed() >= ALIVE_EVERY {
            let _ = stream.try_write(&PONG); // A full socket is no reason to end; the next one will do.
            self.said = Instant::now();
        }
    }
}

impl Counting {
    fn new((reader, counts): (Reader, Counts), counted: Arc<Counted>) -> Self {
        let (stream, early) = reader.into_parts();
        let mut counting =
            Self { stream, frames: Frames::default(), counts, rest: 0, counted, alive: Alive::new() };
        counting.take(&early);
        counting
    }

    fn take(&mut self, piece: &[u8]) {
        let came = match self.counts {
            Counts::Events => self.frames.events(piece),
            Counts::Records(bytes) => {
                let all = self.rest + self.frames.binary_bytes(piece);
                self.rest = all % bytes;
                all / bytes
            }
        };
        self.counted.frames.fetch_add(came, Ordering::Relaxed);
    }
}

impl Future for Counting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        READ.with_borrow_mut(|buffer| {
            loop {
                let mut read = ReadBuf::new(buffer);
                match Pin::new(&mut this.stream).poll_read(context, &mut read) {
                    Poll::Pending => {
                        this.alive.show(&this.stream);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => this.take(read.filled()),
                    Poll::Ready(_) => return Poll::Ready(()),
                }
            }
        })
    }
}
