//! A proxy between scheduler and gateway that does harm to what crosses it.

use std::path::PathBuf;
use std::time::Duration;

use pb_runtime::Tasks;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

/// Bytes read at once.
const BUFFER_BYTES: usize = 16 * 1024;
/// What a link of little bandwidth carries, in bytes each [`BANDWIDTH_TICK`].
const BANDWIDTH_BYTES: usize = 1024;
/// How often it carries them: 8 KiB a second in all.
const BANDWIDTH_TICK: Duration = Duration::from_millis(125);
/// Longest slice, in bytes.
const SLICE_BYTES_MAX: usize = 7;

/// What is done to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Toxic {
    /// Everything comes late, by another time each time.
    Latency,
    /// Little at a time gets through.
    Bandwidth,
    /// Everything comes in slices that end anywhere, within a character too.
    Slicing,
    /// Connections end in the middle of a line.
    Reset,
    /// After a while nothing gets through any more, and nobody is told.
    BlackHole,
    /// Nothing is read for seconds, so that the writer's buffers are full.
    Stall,
    /// Most connections are dropped before a byte has crossed.
    Refusal,
}

impl Toxic {
    /// Every toxic.
    pub(crate) const ALL: [Self; 7] = [
        Self::Latency,
        Self::Bandwidth,
        Self::Slicing,
        Self::Reset,
        Self::BlackHole,
        Self::Stall,
        Self::Refusal,
    ];

    /// Its name, as an argument of a child.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Bandwidth => "bandwidth",
            Self::Slicing => "slicing",
            Self::Reset => "reset",
            Self::BlackHole => "black-hole",
            Self::Stall => "stall",
            Self::Refusal => "refusal",
        }
    }
}

/// Carries what comes to `listener` to the socket at `gateway`, until cancelled.
pub(super) async fn run(listener: UnixListener, gateway: PathBuf, toxic: Toxic, seed: u64) {
    let tasks = Tasks::new();
    let mut rng = StdRng::seed_from_u64(seed);
    while let Ok((near, _)) = listener.accept().await {
        if toxic == Toxic::Refusal && rng.random_range(0..4) != 0 {
            continue;
        }
        let (gateway, seed) = (gateway.clone(), rng.random());
        tasks.spawn("toxic connection", async move {
            if let Ok(far) = UnixStream::connect(gateway).await {
                connection(near, far, toxic, seed).await;
            }
        });
    }
}

/// Carries both ways until one of them is over.
async fn connection(near: UnixStream, far: UnixStream, toxic: Toxic, seed: u64) {
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let way = |read, write, seed| Way { read, write, toxic, rng: StdRng::seed_from_u64(seed), chunks: 0 };
    tokio::select! {
        _ = way(near_read, far_write, seed).carry() => {}
        _ = way(far_read, near_write, seed ^ 1).carry() => {}
    }
}

struct Way {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    toxic: Toxic,
    rng: StdRng,
    chunks: u64,
}

impl Way {
    async fn carry(mut self) -> std::io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let count = self.read.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            self.chunks += 1;
            self.harm(&buffer[..count]).await?;
        }
    }

    async fn harm(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self.toxic {
            Toxic::Latency => self.pause(20..250).await,
            Toxic::Bandwidth => {
                for piece in bytes.chunks(BANDWIDTH_BYTES) {
                    tokio::time::sleep(BANDWIDTH_TICK).await;
                    self.write.write_all(piece).await?;
                }
                return Ok(());
            }
            Toxic::Slicing => {
                let mut left = bytes;
                while !left.is_empty() {
                    let (slice, rest) =
                        left.split_at(self.rng.random_range(1..=SLICE_BYTES_MAX).min(left.len()));
                    self.write.write_all(slice).await?;
                    tokio::task::yield_now().await;
                    left = rest;
                }
                return Ok(());
            }
            Toxic::Reset if self.rng.random_range(0..5) == 0 => {
                let kept = self.rng.random_range(0..=bytes.len());
                self.write.write_all(&bytes[..kept]).await?;
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            Toxic::BlackHole if self.chunks > 3 => return Ok(()),
            Toxic::Stall if self.rng.random_range(0..6) == 0 => self.pause(500..3_000).await,
            Toxic::Reset | Toxic::BlackHole | Toxic::Stall | Toxic::Refusal => {}
        }
        self.write.write_all(bytes).await
    }

    async fn pause(&mut self, ms: std::ops::Range<u64>) {
        let ms = self.rng.random_range(ms);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
