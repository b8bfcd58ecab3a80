//! The clients that read, and how long each event took to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pb_runtime::{Clock, Home, Tasks};
use pb_store::Cursor;
use tokio::time::{Instant, sleep};

use crate::Tally;
use crate::follower::{Asked, Follower, Told};
use crate::observe::Applied;

/// The healthy clients.
#[derive(Debug)]
pub(super) struct Healthy {
    clients: Vec<Arc<Mutex<Seen>>>,
}

#[derive(Debug, Default)]
struct Seen {
    applied: Applied,
    /// From the commit of each event until it came, in milliseconds.
    delays_ms: Vec<u64>,
    closed: u64,
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Healthy {
    /// Lets `count` clients follow everything; delays count beyond `history`.
    pub(super) fn spawn(home: &Home, count: usize, history: u64, tasks: &Tasks) -> Self {
        let clients: Vec<Arc<Mutex<Seen>>> = (0..count).map(|_| Arc::default()).collect();
        for seen in &clients {
            tasks.spawn("healthy", follow(home.clone(), history, Arc::clone(seen)));
        }
        Self { clients }
    }

    /// Waits until all have the event at `pos`, or the time is up.
    pub(super) async fn have(&self, pos: u64, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        while self.clients.iter().any(|seen| lock(seen).applied.highest() < pos) {
            if Instant::now() > deadline {
                return false;
            }
            sleep(Duration::from_millis(10)).await; // wait: the other end of a socket is another process
        }
        true
    }

    /// Notes what was lost, and gives the median and the 99th percentile of the delays, in milliseconds.
    pub(super) fn audit(&self, events: u64, tally: &mut Tally) -> (u64, u64) {
        let mut delays = Vec::new();
        for seen in &self.clients {
            let seen = lock(seen);
            seen.applied.audit(1..=events, tally);
            delays.extend_from_slice(&seen.delays_ms);
            if seen.closed > 0 {
                tally.fail(format_args!("a healthy client was closed {} times", seen.closed));
            }
        }
        delays.sort_unstable();
        let at = |percent: usize| delays.get(delays.len() * percent / 100).copied().unwrap_or_default();
        (at(50), at(99))
    }
}

async fn follow(home: Home, history: u64, seen: Arc<Mutex<Seen>>) {
    let mut after = "start".to_owned();
    loop {
        if let Ok(mut follower) =
            Follower::connect(&home, &Asked { after: after.clone(), ..Asked::default() }).await
        {
            while let Told::Frame(text) = follower.next().await {
                let Ok(Some(frame)) = follower.read(&text) else { continue };
                let Some(cursor) = frame.cursor else { continue };
                cursor.clone_into(&mut after);
                let Ok(at) = cursor.parse::<Cursor>() else { continue };
                if frame.r#type == "event" {
                    let mut seen = lock(&seen);
                    seen.applied.apply(at.pos);
                    if let Some(committed) = frame.at.filter(|_| at.pos > history) {
                        seen.delays_ms.push(Clock::System.now_ms().saturating_sub(committed));
                    }
                }
            }
            lock(&seen).closed += 1;
        }
        sleep(Duration::from_millis(20)).await; // wait: a gateway that is gone rings no bell
    }
}
