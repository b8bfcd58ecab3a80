//! Somebody who behaves, beside those who do not: is sent every event once, and is answered soon.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pb_model::GoalId;
use pb_protocol::client::{Client, Config, Item, Patience, Place};
use pb_protocol::methods::NoParams;
use pb_protocol::methods::events::SubscribeParams;
use pb_protocol::methods::system::Ping;
use pb_store::{Batch, Log, NewEvent, Write};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::Tally;

/// How long anything may take.
const LIMIT: Duration = Duration::from_mins(1);
/// How often it asks something.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Longest that an answer may take while others misbehave.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// It runs until it is asked what it saw.
#[derive(Debug)]
pub struct Healthy {
    reading: JoinHandle<Seen>,
    asking: JoinHandle<()>,
    /// How many events there will be; 0 until that is known.
    expected: Arc<AtomicU64>,
    slowest_us: Arc<AtomicU64>,
}

/// What it was sent.
#[derive(Debug, Default)]
struct Seen {
    numbers: Vec<u64>,
    interrupted: u64,
}

/// Commits one event for it.
///
/// # Errors
/// The log cannot be written.
pub async fn commit(log: &Log, number: u64) -> anyhow::Result<()> {
    let goal: GoalId = format!("goal_{:032x}", 9).parse()?;
    let data = format!(r#"{{"goalId":"{goal}","number":{number}}}"#);
    let kind = "goal.tested".to_owned();
    let event = NewEvent { id: number.to_string(), at_ms: 1, kind, body: data.clone(), data };
    log.commit(Batch { writes: vec![Write::Events { goal, events: vec![event] }] }).await?;
    Ok(())
}

impl Healthy {
    /// Begins to follow and to ask.
    pub fn start(runtime: &Runtime, address: SocketAddr) -> Self {
        let place = Place { address: address.to_string(), token: None };
        let client = Client::new(Config {
            find: Arc::new(move || Ok(place.clone())),
            patience: Patience::Within(LIMIT),
        });
        let (expected, slowest_us) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let reading = runtime.spawn(read(client.clone(), Arc::clone(&expected)));
        let asking = runtime.spawn(ask(client, Arc::clone(&slowest_us)));
        Self { reading, asking, expected, slowest_us }
    }

    /// Waits until it has so many events, and says what was wrong.
    pub fn finish(self, runtime: &Runtime, expected: u64, tally: &mut Tally) {
        self.expected.store(expected, Ordering::SeqCst);
        match runtime.block_on(self.reading) {
            Ok(seen) => seen.judge(expected, tally),
            Err(error) => tally.fail(format_args!("who behaves: {error}")),
        }
        self.asking.abort();
        let slowest = Duration::from_micros(self.slowest_us.load(Ordering::SeqCst));
        tally.count("slowest answer ms", u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX));
        if slowest > ANSWER_MAX {
            tally.fail(format_args!("who behaves waited {slowest:?} for an answer"));
        }
    }
}

impl Seen {
    fn judge(&self, expected: u64, tally: &mut Tally) {
        let mut last = 0;
        for number in &self.numbers {
            if *number == last + 1 {
                last = *number;
            } else if *number <= last {
                tally.duplicated += 1;
            } else {
                tally.reordered += 1;
                last = *number;
            }
        }
        tally.lost += expected.saturating_sub(self.numbers.len() as u64);
        tally.count("events of others", self.numbers.len() as u64);
        if self.interrupted > 0 {
            tally.fail(format_args!("who behaves was cut off {} times", self.interrupted));
        }
    }
}

async fn read(client: Client, expected: Arc<AtomicU64>) -> Seen {
    let mut events =
        client.subscribe(SubscribeParams { after: Some("start".to_owned()), ..SubscribeParams::default() });
    let (mut seen, mut heard) = (Seen::default(), Instant::now());
    loop {
        let enough = expected.load(Ordering::SeqCst);
        if enough > 0 && (seen.numbers.len() as u64 >= enough || heard.elapsed() > LIMIT) {
            return seen;
        }
        let Ok(item) = tokio::time::timeout(ASK_EVERY, events.next()).await else { continue };
        heard = Instant::now();
        match item {
            Ok(Item::Event(frame)) => seen.numbers.extend(frame.seq),
            Ok(Item::Disconnected) | Err(_) => seen.interrupted += 1,
            Ok(
                Item::Resumed
                | Item::Ephemeral(_)
                | Item::Lag(_)
                | Item::Snapshot(_)
                | Item::RebaseRequired(_),
            ) => {}
        }
    }
}

async fn ask(client: Client, slowest_us: Arc<AtomicU64>) {
    loop {
        let asked = Instant::now();
        if client.call::<Ping>(&NoParams {}).await.is_ok() {
            let took = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
            slowest_us.fetch_max(took, Ordering::SeqCst);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
