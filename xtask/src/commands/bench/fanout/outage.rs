//! The gateway is killed and comes back later, while the scheduler goes on: what does its client miss?

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_protocol::client::{Client, Config, Item, NotFound, Patience, Place, Subscription};
use pb_protocol::methods::events::SubscribeParams;
use pb_runtime::endpoint::Endpoint;
use pb_runtime::{Home, token};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::point::gateway;
use super::stand_in::StandIn;
use crate::commands::bench::daemons::Daemons;

/// Events a second.
pub(super) const RATE: u64 = 1_000;
/// How long events are told before, and after.
const AROUND: Duration = Duration::from_secs(2);
/// How often events are committed.
const BATCH_EVERY: Duration = Duration::from_millis(5);
/// A client that has all but so many of the last events has caught up: they are those of 50 ms.
const NEAR: u64 = 50;
/// How long the client may take to have everything.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a client came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    pub(super) down: Duration,
    pub(super) events: u64,
    pub(super) lost: u64,
    pub(super) twice: u64,
    pub(super) out_of_order: u64,
    /// From when the gateway served again until the client was level with the log.
    pub(super) caught_up: Duration,
}

/// What the client got, in order.
#[derive(Debug, Default)]
struct Got {
    numbers: Mutex<Vec<u64>>,
    /// The number that follows the last one.
    next: AtomicU64,
}

/// Events at the rate, from a moment on.
struct Sending {
    began: Instant,
    sent: u64,
}

impl Outage {
    /// Kills the gateway that runs, and starts it again after so long.
    pub(super) async fn measure(
        stand_in: &mut StandIn,
        daemons: &Daemons,
        down: Duration,
    ) -> anyhow::Result<Self> {
        let got = Arc::new(Got::default());
        let mut events = subscribe(daemons.home())?;
        if !matches!(events.next().await?, Item::Snapshot(_)) {
            bail!("the client was told no snapshot");
        }
        let mut following = JoinSet::new();
        following.spawn(follow(events, Arc::clone(&got)));
        let mut sending = Sending { began: Instant::now(), sent: 0 };
        sending.go_on_for(AROUND, stand_in).await?;
        kill(gateway(daemons.home())?)?;
        sending.go_on_for(down, stand_in).await?;
        daemons.start_gateway()?;
        let (back, mut level) = (Instant::now(), None);
        let next = || got.next.load(Ordering::Relaxed);
        sending
            .go_on(stand_in, |sent| {
                if next() + NEAR >= sent {
                    level = Some(back.elapsed());
                }
                level.is_some() || back.elapsed() > PATIENCE
            })
            .await?;
        sending.go_on_for(AROUND, stand_in).await?;
        let last = Instant::now();
        while next() < sending.sent && last.elapsed() < PATIENCE {
            tokio::time::sleep(BATCH_EVERY).await;
        }
        following.shutdown().await;
        let numbers = got.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self::of(down, &numbers, sending.sent, level.unwrap_or(PATIENCE)))
    }

    fn of(down: Duration, numbers: &[u64], events: u64, caught_up: Duration) -> Self {
        let distinct = numbers.iter().collect::<BTreeSet<_>>().len() as u64;
        let falls = numbers.iter().zip(numbers.iter().skip(1)).filter(|(one, next)| next < one);
        Self {
            down,
            events,
            lost: events.saturating_sub(distinct),
            twice: (numbers.len() as u64).saturating_sub(distinct),
            out_of_order: falls.count() as u64,
            caught_up,
        }
    }
}

impl Sending {
    async fn go_on_for(&mut self, time: Duration, stand_in: &mut StandIn) -> anyhow::Result<()> {
        let began = Instant::now();
        self.go_on(stand_in, |_| began.elapsed() >= time).await
    }

    /// Commits and tells what is due, until that is enough.
    async fn go_on(
        &mut self,
        stand_in: &mut StandIn,
        mut is_enough: impl FnMut(u64) -> bool,
    ) -> anyhow::Result<()> {
        while !is_enough(self.sent) {
            let due = u64::try_from(self.began.elapsed().as_millis())? * RATE / 1000;
            if due > self.sent {
                let committed = stand_in.commit(self.sent, due - self.sent).await?;
                stand_in.tell(&committed).await;
                self.sent = due;
            }
            tokio::time::sleep(BATCH_EVERY).await;
        }
        Ok(())
    }
}

/// A client of ours, which resumes by itself.
fn subscribe(home: &Home) -> anyhow::Result<Subscription> {
    let token = token::read(&home.token())?;
    let address = home.gateway_json();
    let find = move || {
        let endpoint = Endpoint::read(&address).ok_or(NotFound::Starting)?;
        Ok(Place { address: endpoint.address.to_string(), token: Some(token.clone()) })
    };
    let client = Client::new(Config { find: Arc::new(find), patience: Patience::Within(PATIENCE) });
    Ok(client.subscribe(SubscribeParams::default()))
}

async fn follow(mut events: Subscription, got: Arc<Got>) {
    #[derive(Deserialize)]
    struct Told {
        n: u64,
    }
    while let Ok(item) = events.next().await {
        let Item::Event(frame) = item else { continue };
        let Ok(Told { n }) = serde_json::from_str(frame.data.get()) else { continue };
        got.numbers.lock().unwrap_or_else(PoisonError::into_inner).push(n);
        got.next.store(n + 1, Ordering::Relaxed);
    }
}

fn kill(pid: u32) -> anyhow::Result<()> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("the gateway has no process id")?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::KILL)?)
}
