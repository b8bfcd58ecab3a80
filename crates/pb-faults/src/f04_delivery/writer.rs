//! A process in the scheduler's place: it holds the lock, commits events as fast as it can, and rings a bell
//! that is tampered with. It is killed at random, and goes on where the log ends.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use pb_protocol::ipc::{self, CLIENT_TYPE, Connect, Frame, LogAddress};
use pb_protocol::line::LineReader;
use pb_runtime::{Clock, Home, Ids, ProcessLock};
use pb_store::{Batch, Location, Log, LogIdentity, Write};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::numbering::{self, IN_A_ROW};
use super::tamper::{Rung, Tamper};

/// Most rows of events in one commit.
const ROWS_MAX: u64 = 120;
/// How long the gateway may leave our bytes unread: then it is rung no more on this connection.
const WRITE_MAX: Duration = Duration::from_millis(500);

/// What to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The home of the gateway that is rung
    #[arg(long, env = "PB_HOME")]
    home: PathBuf,
    /// Everything random follows from it
    #[arg(long)]
    seed: u64,
    /// The position at which the log ends when all is done
    #[arg(long)]
    events: u64,
    /// How long to wait after each commit, in milliseconds
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
    /// Ring as a scheduler does, tamper with nothing, and commit few events at once
    #[arg(long)]
    honest: bool,
}

/// Writes until all is written, then answers the gateway's pings until it is killed.
///
/// # Errors
/// The log cannot be written.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let home = Home::at(&args.home)?;
    let clock = Clock::System;
    let _lock = ProcessLock::acquire(&home.scheduler_lock(), clock.now_ms())?;
    let fresh_id = Ids::seeded(clock.clone(), args.seed).uuid().simple().to_string();
    let log = Log::open(Location::File(home.state_db()), fresh_id, None).await?;
    let mut next = log.reader().last_pos().await? + 1;
    // Another start does something else, and the same run does the same again.
    let mut rng = StdRng::seed_from_u64(args.seed ^ next);
    let mut tamper = Tamper::new(StdRng::seed_from_u64(rng.random()), log.identity().generation);
    let mut link = Link::new(&home, log.identity());
    link.connect().await;
    while next <= args.events {
        let rows = if args.honest { 1 } else { rng.random_range(1..=ROWS_MAX) };
        let end = (next + IN_A_ROW * rows).min(args.events + 1);
        let committed =
            log.commit(batch(next, end, clock.now_ms())).await.context("a batch is not committed")?;
        let events = &committed.events;
        let bell = if args.honest { tamper.ring_honestly(events) } else { tamper.ring(events) };
        link.ring(bell, &clock).await;
        next = end;
        tokio::time::sleep(Duration::from_millis(args.pause_ms)).await;
    }
    loop {
        link.connect().await;
        link.listen(&clock).await;
    }
}

/// The events from `next` up to `end`, which is not among them.
fn batch(next: u64, end: u64, at_ms: u64) -> Batch {
    let rows = (next..end).step_by(usize::try_from(IN_A_ROW).unwrap_or(1));
    let write = |first: u64| Write::Events {
        goal: numbering::goal(numbering::goal_number(first)),
        events: (first..(first + IN_A_ROW).min(end)).map(|pos| numbering::event(pos, at_ms)).collect(),
    };
    Batch { writes: rows.map(write).collect() }
}

/// The connection to the gateway, which may not be there.
struct Link<'a> {
    home: &'a Home,
    log: LogAddress,
    open: Option<(LineReader<OwnedReadHalf>, OwnedWriteHalf)>,
}

impl<'a> Link<'a> {
    fn new(home: &'a Home, log: &LogIdentity) -> Self {
        let log = LogAddress {
            id: log.id.clone(),
            generation: log.generation,
            schema: log.schema,
            path: home.state_db().to_string_lossy().into_owned(),
        };
        Self { home, log, open: None }
    }

    /// Connects, if it is not connected and there is a gateway.
    async fn connect(&mut self) {
        if self.open.is_some() {
            return;
        }
        let Ok(stream) = UnixStream::connect(self.home.gateway_socket()).await else {
            return;
        };
        let (read, write) = stream.into_split();
        self.open = Some((LineReader::new(read), write));
        let connect = Frame::Connect(Connect {
            client_type: CLIENT_TYPE.to_owned(),
            version: pb_runtime::VERSION.to_owned(),
            pid: std::process::id(),
            caps: vec!["log".to_owned()],
            log: Some(self.log.clone()),
        });
        self.send(ipc::line(&connect, 0).as_bytes()).await;
    }

    async fn ring(&mut self, rung: Rung, clock: &Clock) {
        self.connect().await;
        let now = clock.now_ms();
        let text: String = rung.frames.iter().map(|frame| ipc::line(frame, now)).collect();
        if rung.is_cut {
            // Not at the end of a line, and perhaps within a character.
            let bytes = text.as_bytes();
            self.send(&bytes[..bytes.len().saturating_sub(7)]).await;
            self.open = None;
        } else {
            self.send(text.as_bytes()).await;
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        let Some((_, write)) = &mut self.open else { return };
        if !matches!(tokio::time::timeout(WRITE_MAX, write.write_all(bytes)).await, Ok(Ok(()))) {
            self.open = None;
        }
    }

    /// Answers pings until the connection is gone.
    async fn listen(&mut self, clock: &Clock) {
        while let Some((read, _)) = &mut self.open {
            match read.next().await {
                Ok(Some(Ok(line))) if matches!(ipc::parse(line), Ok(Some(Frame::Ping))) => {
                    self.send(ipc::line(&Frame::Pong, clock.now_ms()).as_bytes()).await;
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => self.open = None,
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await; // wait: a socket file rings no bell
    }
}
