//! One point: so many clients, so many events a second.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::Home;
use pb_runtime::lock::LockHolder;
use pb_runtime::process::private_memory_kib;

use super::readers::Readers;
use super::stand_in::StandIn;
use crate::commands::bench::cpu::cpu_time;
use crate::commands::bench::figures::{Percentiles, number};

/// How often a batch is committed where there is more than one event for it.
const BATCH_EVERY: Duration = Duration::from_millis(1);
/// How long clients may take to be told everything.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How often it is looked whether they have been.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Events that go before the measurement, so that everything is warm.
const WARM_UP: u64 = 200;
/// Their numbers begin here, above all that are measured.
const WARM_UP_FIRST: u64 = 1 << 60;
/// Events of one commit, where nobody waits for them.
const BACKLOG_BATCH: u64 = 1000;

/// What is done.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands::bench) struct Load {
    pub(in crate::commands::bench) clients: usize,
    pub(in crate::commands::bench) rate: u64,
    pub(in crate::commands::bench) lasts: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(in crate::commands::bench) struct Point {
    /// Event frames that reached a client.
    pub(in crate::commands::bench) frames: u64,
    /// Frames that should have.
    pub(in crate::commands::bench) expected: u64,
    /// Processor time of the gateway.
    pub(in crate::commands::bench) cpu: Duration,
    /// From the last commit until everybody had everything.
    pub(in crate::commands::bench) drained: Duration,
    /// From before the commit to the first client.
    pub(in crate::commands::bench) end_to_end: Percentiles,
    /// The same, without the commit.
    pub(in crate::commands::bench) after_commit: Percentiles,
    /// Events a second that were committed.
    pub(in crate::commands::bench) committed: f64,
    pub(in crate::commands::bench) gateway_kib: u64,
}

/// A batch: when it was handed to the log, and when it was durable there.
struct Sent {
    first: u64,
    count: u64,
    began: Instant,
    durable: Instant,
}

impl Point {
    /// Frames that reached nobody.
    pub(in crate::commands::bench) fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.frames)
    }

    pub(in crate::commands::bench) async fn measure(
        stand_in: &mut StandIn,
        home: &Home,
        load: Load,
    ) -> anyhow::Result<Self> {
        let gateway = gateway(home)?;
        let readers = Readers::connect(home, load.clients, None)?;
        let clients = load.clients as u64;
        let committed = stand_in.commit(WARM_UP_FIRST, WARM_UP).await?;
        stand_in.tell(&committed).await;
        told(&readers, WARM_UP * clients).await?;

        let cpu_before = cpu_time(gateway)?;
        let began = Instant::now();
        let sent = send(stand_in, load).await?;
        let sending = began.elapsed();
        let last = Instant::now();
        let events: u64 = sent.iter().map(|batch| batch.count).sum();
        let expected = events * clients;
        told(&readers, WARM_UP * clients + expected).await?;
        let drained = last.elapsed();
        let cpu = cpu_time(gateway)?.saturating_sub(cpu_before);
        let frames = readers.counted.frames.load(Ordering::Relaxed) - WARM_UP * clients;
        let (end_to_end, after_commit) = latencies(&readers, &sent);
        Ok(Self {
            frames,
            expected,
            cpu,
            drained,
            end_to_end,
            after_commit,
            committed: ratio(events, sending),
            gateway_kib: private_memory_kib(gateway).unwrap_or_default(),
        })
    }
}

/// Commits and tells at the rate, as far as the log keeps up.
async fn send(stand_in: &mut StandIn, load: Load) -> anyhow::Result<Vec<Sent>> {
    let began = Instant::now();
    let total = load.rate * load.lasts.as_secs();
    let mut sent: Vec<Sent> = Vec::new();
    let mut done = 0;
    while done < total {
        let due = u64::try_from(began.elapsed().as_nanos() * u128::from(load.rate) / 1_000_000_000)?;
        let count = due.min(total).saturating_sub(done);
        if count == 0 {
            let next = began + Duration::from_secs_f64(number(done + 1) / number(load.rate));
            tokio::time::sleep_until((Instant::now() + BATCH_EVERY).min(next).into()).await;
            continue;
        }
        let began = Instant::now();
        let committed = stand_in.commit(done, count).await?;
        sent.push(Sent { first: done, count, began, durable: Instant::now() });
        stand_in.tell(&committed).await;
        done += count;
    }
    Ok(sent)
}

/// Waits until the clients have so many frames.
pub(in crate::commands::bench) async fn told(readers: &Readers, frames: u64) -> anyhow::Result<()> {
    let began = Instant::now();
    while readers.counted.frames.load(Ordering::Relaxed) < frames {
        if began.elapsed() > DRAIN_MAX {
            let got = readers.counted.frames.load(Ordering::Relaxed);
            bail!("the clients got {got} of {frames} frames within {} s", DRAIN_MAX.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn latencies(readers: &Readers, sent: &[Sent]) -> (Percentiles, Percentiles) {
    let came = readers.counted.came.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut whole, mut after) = (Vec::new(), Vec::new());
    for (event, at) in came.iter() {
        let batch = sent.partition_point(|batch| batch.first + batch.count <= *event);
        if let Some(batch) = sent.get(batch) {
            whole.push(at.saturating_duration_since(batch.began));
            after.push(at.saturating_duration_since(batch.durable));
        }
    }
    (Percentiles::of(whole), Percentiles::of(after))
}

/// The gateway of the home.
///
/// # Errors
/// None runs.
pub(crate) fn gateway(home: &Home) -> anyhow::Result<u32> {
    let lock = home.gateway_lock();
    Ok(LockHolder::alive(&lock).with_context(|| format!("nobody holds {}", lock.display()))?.pid)
}

/// A client that begins at the start of a log of so many events.
#[derive(Debug)]
pub(in crate::commands::bench) struct Backlog {
    pub(in crate::commands::bench) events: u64,
    pub(in crate::commands::bench) took: Duration,
    pub(in crate::commands::bench) cpu: Duration,
}

/// Commits so many events that nobody hears of; the cursor before them.
pub(in crate::commands::bench) async fn write_backlog(
    stand_in: &StandIn,
    events: u64,
) -> anyhow::Result<String> {
    for first in (0..events).step_by(usize::try_from(BACKLOG_BATCH)?) {
        stand_in.commit(first, BACKLOG_BATCH).await?;
    }
    // The gateway itself looks each second; it has to have seen the end before.
    tokio::time::sleep(Duration::from_secs(2)).await;
    stand_in.cursor_before_last(events).await
}

/// Lets a client read so many events from the log.
pub(in crate::commands::bench) async fn read_backlog(
    home: &Home,
    cursor: &str,
    events: u64,
) -> anyhow::Result<Backlog> {
    let gateway = gateway(home)?;
    let (cpu_before, began) = (cpu_time(gateway)?, Instant::now());
    let readers = Readers::connect(home, 1, Some(cursor))?;
    told(&readers, events).await?;
    Ok(Backlog { events, took: began.elapsed(), cpu: cpu_time(gateway)?.saturating_sub(cpu_before) })
}

/// So many in so long, a second.
pub(in crate::commands::bench) fn ratio(count: u64, time: Duration) -> f64 {
    number(count) / time.as_secs_f64().max(f64::MIN_POSITIVE)
}
