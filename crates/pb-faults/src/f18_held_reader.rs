//! F18: readers beside a writer at full speed. Pages and followers of ours keep the WAL within its bound. While
//! somebody else holds a snapshot SQLite cannot shrink it: it grows with what is written, and is back within
//! its bound when the snapshot is let go.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pb_store::{EventRow, Feed, LogIdentity, LogReader, Page};
use rand::RngExt;
use rusqlite::{Connection, OpenFlags};

use crate::audit::{WAL_BYTES_MAX, wal_bytes};
use crate::lanes::{self, Case};
use crate::writer::LOG_FILE;
use crate::writer::check::{Answered, check};
use crate::writer::process::{Waited, Writer, writer};
use crate::{Run, Tally, scratch};

/// Most bytes in an event: commits of some 10 KB.
const FILL_MAX: &str = "4000";
/// Pages of ours, in events.
const PAGE_EVENTS: usize = 256;
/// How long somebody else holds a snapshot (D9).
const HELD_MAX: Duration = Duration::from_secs(1);
/// How often the WAL is looked at.
const LOOK_EACH: Duration = Duration::from_millis(2);
/// How long the writer may take to open.
const OPENS_WITHIN: Duration = Duration::from_secs(20);

/// Does it.
///
/// # Errors
/// The writer cannot be started, or its log not be read.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let peaks = Peaks::default();
    let cases = run.size.pick(2, 10, 100);
    let mut tally = lanes::run(run, "F18", cases, |case, tally| one(run, case, &peaks, tally))?;
    tally.count("peak WAL KiB", peaks.ours.into_inner() / 1024);
    tally.count("under a foreign snapshot", peaks.foreign.into_inner() / 1024);
    Ok(tally)
}

/// The largest WAL that was seen, in bytes.
#[derive(Debug, Default)]
struct Peaks {
    ours: AtomicU64,
    foreign: AtomicU64,
}

fn one(run: &Run, mut case: Case, peaks: &Peaks, tally: &mut Tally) -> anyhow::Result<()> {
    // In memory the writer is fastest, on a disk its syncs are real.
    let in_memory = case.number % 4 < 2;
    let folder = if in_memory { scratch::in_memory(run)? } else { scratch::on_disk(run)? };
    let log = folder.path().join(LOG_FILE);
    let hint = format!("seed {}, case {}", run.seed, case.number);
    let mut command = writer(run, folder.path(), case.chance.random());
    command.args(["--fill-max", FILL_MAX]);
    let writing = Writer::start(command)?;
    if writing.wait(OPENS_WITHIN, |said| said.contains(&b'\n')) != Waited::Enough {
        anyhow::bail!("{hint}: the writer does not open its files");
    }
    let until = Instant::now() + run.size.pick(Duration::from_millis(700), LASTS, LASTS * 10);
    let foreign = !case.number.is_multiple_of(2);
    let seen = AtomicU64::new(0);
    let (read, held) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| read_until(&log, until));
        let other = scope.spawn(|| if foreign { hold_until(&log, until) } else { Ok(0) });
        while Instant::now() < until {
            seen.fetch_max(wal_bytes(&log), Ordering::Relaxed);
            std::thread::sleep(LOOK_EACH); // wait: a look now and then, until the time is over
        }
        (joined(ours), joined(other))
    });
    tally.cases += 1;
    tally.count("events read", read?);
    tally.count("snapshots held", held?);
    let seen = seen.into_inner();
    let (peak, bounded) = if foreign { (&peaks.foreign, shrinks(&log)) } else { (&peaks.ours, seen) };
    peak.fetch_max(seen, Ordering::Relaxed);
    if bounded > WAL_BYTES_MAX {
        tally.fail(format_args!("{hint}: the WAL has {bounded} bytes"));
    }
    let mut answered = Answered::default();
    answered.hear(&writing.kill()?)?;
    tally.count("commands executed", answered.executed.len() as u64);
    check(folder.path(), &answered, tally, &hint)
}

/// Size of the WAL once it is within its bound, or when it should have been for long.
fn shrinks(log: &Path) -> u64 {
    let deadline = Instant::now() + SHRINKS_WITHIN;
    loop {
        let bytes = wal_bytes(log);
        if bytes <= WAL_BYTES_MAX || Instant::now() > deadline {
            return bytes;
        }
        std::thread::sleep(LOOK_EACH); // wait: until it is smaller, with a deadline
    }
}

/// How long the writer may take to shrink the WAL after a snapshot was let go.
const SHRINKS_WITHIN: Duration = Duration::from_secs(10);
/// How long a case lasts.
const LASTS: Duration = Duration::from_secs(4);

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Events of which nothing is kept but their size.
struct Count(usize);

impl Page for Count {
    fn begin(_: &LogIdentity) -> Self {
        Self(0)
    }

    fn push(&mut self, event: &EventRow<'_>) {
        self.0 += event.data.len();
    }

    fn bytes(&self) -> usize {
        self.0
    }
}

/// Our readers: one that follows the end, one that is behind, and pages from the start over and over. Tells
/// how many events they read.
fn read_until(log: &Path, until: Instant) -> anyhow::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let feed = Feed::<Count>::new(log.to_owned());
        feed.look().await?;
        let count = AtomicU64::new(0);
        let looks = async {
            while Instant::now() < until {
                feed.look().await?;
            }
            Ok::<_, anyhow::Error>(())
        };
        let follows = |from: u64| {
            let mut follower = feed.follow(from);
            let count = &count;
            async move {
                while let Ok(span) = follower.next().await {
                    count.fetch_add(span.events() as u64, Ordering::Relaxed);
                }
            }
        };
        let pages = async {
            let reader = LogReader::open(log).await?;
            let mut after = 0;
            while Instant::now() < until {
                let page = reader.events_after(after, PAGE_EVENTS).await?;
                count.fetch_add(page.len() as u64, Ordering::Relaxed);
                after = page.last().map_or(0, |event| event.pos);
            }
            Ok::<_, anyhow::Error>(())
        };
        tokio::select! {
            done = async { tokio::try_join!(looks, pages) } => { done?; }
            () = async { tokio::join!(follows(0), follows(feed.last_pos())); } => {}
        }
        Ok(count.into_inner())
    })
}

/// Somebody else's reader, which holds a snapshot for as long as it may, over and over.
fn hold_until(log: &Path, until: Instant) -> anyhow::Result<u64> {
    let mut held = 0;
    let connection = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        connection.execute_batch("BEGIN")?;
        connection.query_row("SELECT count(*) FROM log", [], |row| row.get::<_, i64>(0))?;
        std::thread::sleep(left.min(HELD_MAX)); // wait: the snapshot is held this long
        connection.execute_batch("COMMIT")?;
        held += 1;
    }
    Ok(held)
}
