//! F4: events go from a writer in the scheduler's place through the real gateway to many clients, which
//! lose their connections at random, while both processes are killed and the bell is tampered with.
//!
//! ```text
//!   writer (child) -- state.db --------------> gateway (child) --> 50 clients (tasks here), each
//!        \--- bell, tampered with (tamper.rs) ---^                 with its own cursor and filter
//!   storm: kill -9 of one or both, again and again
//! ```
//!
//! A case is an event that was committed. Every client must have every event of what it follows once and
//! in order; what each event is follows from its position (`numbering.rs`).

mod client;
mod numbering;
mod storm;
mod tamper;
pub(crate) mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pb_runtime::{Home, Tasks};
use pb_store::LogReader;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use self::client::{Client, Progress};
use self::storm::Storm;
use crate::{Run, Tally, processes};

/// Clients; most follow one goal, the others everything.
const CLIENTS: u64 = 50;
/// Clients that follow everything.
const FOLLOW_ALL: u64 = 5;
/// How long clients have to get the rest once nothing is killed any more (I9).
const CATCH_UP_MAX: Duration = Duration::from_mins(2);
/// Events that the final look reads at once.
const PAGE: usize = 4096;

/// How much of it.
struct Extent {
    events: u64,
    clients: u64,
    /// Kills at least; the storm goes on until all is written as well.
    kills: u64,
    pause_ms: u64,
}

/// Runs the fault.
pub(crate) fn run(run: &Run) -> anyhow::Result<Tally> {
    let extent = run.size.pick(
        Extent { events: 6_000, clients: 8, kills: 4, pause_ms: 8 },
        Extent { events: 1_000_000, clients: CLIENTS, kills: 60, pause_ms: 0 },
        Extent { events: 20_000_000, clients: CLIENTS, kills: 1_000, pause_ms: 0 },
    );
    let home = processes::home(run, "f4")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let tally = runtime.block_on(deliver(run, &home, &extent));
    runtime.shutdown_timeout(Duration::from_secs(1));
    tally
}

async fn deliver(run: &Run, home: &Home, extent: &Extent) -> anyhow::Result<Tally> {
    let mut rng = StdRng::seed_from_u64(run.seed);
    let progress = Arc::new(Progress::default());
    // The clients' deadline, once the storm is over.
    let deadline: Arc<Mutex<Option<Instant>>> = Arc::default();
    let tasks = Tasks::new();
    let tallies: Arc<Mutex<Tally>> = Arc::default();
    for number in 0..extent.clients {
        let goal = (number >= FOLLOW_ALL.min(extent.clients / 2)).then_some(number % numbering::GOALS);
        let client = Client::new(home.clone(), rng.random(), goal, extent.events, Arc::clone(&progress));
        let (tallies, deadline) = (Arc::clone(&tallies), Arc::clone(&deadline));
        tasks.spawn("client", async move {
            let tally = client.run(|| *deadline.lock().unwrap_or_else(PoisonError::into_inner)).await;
            tallies.lock().unwrap_or_else(PoisonError::into_inner).add(tally);
        });
    }
    let tells = Arc::new(AtomicBool::new(true));
    let told = tell(Arc::clone(&progress), Arc::clone(&tells));
    tasks.spawn("progress", told);

    let mut storm = Storm::begin(run, home, (extent.events, extent.pause_ms), rng.random())?;
    storm.rage(extent.kills).await?;
    let calm = Instant::now();
    *deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(calm + CATCH_UP_MAX);
    while progress.finished.load(Ordering::Relaxed) < extent.clients {
        tokio::time::sleep(Duration::from_millis(20)).await; // wait: each client ends by the deadline
    }
    let caught_up = calm.elapsed();
    tells.store(false, Ordering::Relaxed);
    tasks.stop(Duration::from_secs(5)).await;

    let mut tally = std::mem::take(&mut *tallies.lock().unwrap_or_else(PoisonError::into_inner));
    tally.cases = audit_log(home, extent.events, &mut tally).await?;
    tally.count("deliveries", progress.deliveries.load(Ordering::Relaxed));
    tally.count("clients", extent.clients);
    tally.count("connections", progress.connections.load(Ordering::Relaxed));
    tally.count("gateway_kills", storm.gateway_kills);
    tally.count("writer_kills", storm.writer_kills);
    tally.count("caught_up_ms", u64::try_from(caught_up.as_millis()).unwrap_or(u64::MAX));
    Ok(tally)
}

/// Says every few seconds how far it is.
async fn tell(progress: Arc<Progress>, goes_on: Arc<AtomicBool>) {
    while goes_on.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        crate::progress::tell(format_args!(
            "F4: {} events delivered over {} connections, {} clients have everything",
            progress.deliveries.load(Ordering::Relaxed),
            progress.connections.load(Ordering::Relaxed),
            progress.finished.load(Ordering::Relaxed),
        ));
    }
}

/// Compares the log with what was to be written (I2), and gives how many events it has.
async fn audit_log(home: &Home, events: u64, tally: &mut Tally) -> anyhow::Result<u64> {
    let log = LogReader::open(&home.state_db()).await?;
    let mut last = 0;
    loop {
        let page = log.events_after(last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for event in page {
            last += 1;
            let goal = numbering::goal(numbering::goal_number(last)).to_string();
            if event.pos != last || event.seq != numbering::seq(last) || event.goal != goal {
                tally.fail(format_args!("where event {last} should stand is {event:?}"));
            }
        }
    }
    tally.lost += events - last.min(events);
    Ok(last)
}
