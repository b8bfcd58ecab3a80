//! Callers that each wait for their own commit, and a loop that takes all that wait into one batch, in
//! one blocking call: the scheduler's group commit.

use std::path::Path;
use std::time::{Duration, Instant};

use pb_store::{Batch, Location, Log, Row, Write};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::work::{self, Synchronous};
use crate::{Rate, processor};

/// Most callers in one batch, as in the scheduler's loop.
const BATCH_MAX: usize = 512;

/// The writes of a caller, and who is told when they are on the disk.
type Call = (Vec<Write>, oneshot::Sender<()>);

/// How many commits so many callers get answered.
pub(crate) async fn measure(
    folder: &Path,
    synchronous: Synchronous,
    callers: usize,
    time: Duration,
) -> anyhow::Result<Rate> {
    let (location, id) = (Location::File(folder.join("state.db")), "bench".to_owned());
    let log = match synchronous {
        Synchronous::Full => Log::open(location, id, None).await?,
        Synchronous::Normal => Log::open_normal(location, id).await?,
    };
    let (calls, waiting) = mpsc::channel(BATCH_MAX);
    let mut tasks = JoinSet::new();
    let (began, spent) = (Instant::now(), processor::time());
    for caller in 0..callers {
        tasks.spawn(call(caller, calls.clone(), began + time));
    }
    drop(calls);
    let committing = commit(&log, waiting);
    let (committed, answered) = tokio::join!(committing, tasks.join_all());
    committed?;
    let answered: u32 = answered.into_iter().sum();
    Ok(Rate {
        per_second: f64::from(answered) / began.elapsed().as_secs_f64(),
        cpu_us: (processor::time().saturating_sub(spent)).as_secs_f64() * 1e6 / f64::from(answered.max(1)),
    })
}

/// Commits until the time is up; how often.
async fn call(caller: usize, calls: mpsc::Sender<Call>, end: Instant) -> u32 {
    let (goal, row) = (work::goal(caller), work::run(caller));
    let mut answered = 0;
    while Instant::now() < end {
        let events = vec![work::event(caller, answered.into())];
        let writes = vec![Write::Events { goal, events }, Write::Row(Row::Run(Box::new(row.clone())))];
        let (done, told) = oneshot::channel();
        if calls.send((writes, done)).await.is_err() || told.await.is_err() {
            break;
        }
        answered += 1;
    }
    answered
}

async fn commit(log: &Log, mut waiting: mpsc::Receiver<Call>) -> Result<(), pb_store::Error> {
    let mut calls = Vec::new();
    while waiting.recv_many(&mut calls, BATCH_MAX).await > 0 {
        let mut batch = Batch::default();
        let mut callers = Vec::with_capacity(calls.len());
        for (writes, done) in calls.drain(..) {
            batch.writes.extend(writes);
            callers.push(done);
        }
        log.commit(batch).await?;
        for caller in callers {
            let _ = caller.send(()); // It has ended.
        }
    }
    Ok(())
}
