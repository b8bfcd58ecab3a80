//! A client that subscribes and never reads: what does it cost the gateway, and what does it miss?

use std::time::{Duration, Instant};

use pb_runtime::process::private_memory_kib;

use super::point::{Load, Point, gateway};
use super::reader::{Door, Reader, number, open};
use super::stand_in::StandIn;
use crate::commands::bench::daemons::Daemons;

/// What is told meanwhile: 40 MB, in less time than after which a socket that takes nothing is closed.
const LOAD: Load = Load { clients: 1, rate: 20_000, lasts: Duration::from_secs(5) };
/// How long nothing happens before memory is read.
const SETTLE: Duration = Duration::from_secs(3);
/// How long it may take to read everything at last.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deaf {
    /// How much the gateway grew because of it, in KiB.
    pub(super) grown_kib: f64,
    /// Events that it did not get when it read at last.
    pub(super) lost: u64,
}

impl Deaf {
    /// The same load twice, of which such a client is told the second time.
    pub(super) async fn measure(stand_in: &mut StandIn, daemons: &Daemons) -> anyhow::Result<Self> {
        let home = daemons.home();
        let pid = gateway(home)?;
        let memory = async || {
            tokio::time::sleep(SETTLE).await;
            f64::from(u32::try_from(private_memory_kib(pid).unwrap_or_default()).unwrap_or(u32::MAX))
        };
        Point::measure(stand_in, home, LOAD).await?;
        let before = memory().await;
        let deaf = open(&Door::of(home, None)?).await?;
        Point::measure(stand_in, home, LOAD).await?;
        let grown_kib = memory().await - before;
        let events = LOAD.rate * LOAD.lasts.as_secs();
        Ok(Self { grown_kib, lost: events.saturating_sub(read_at_last(deaf, events).await) })
    }
}

/// How many of the events it gets, without a gap.
async fn read_at_last(mut reader: Reader, events: u64) -> u64 {
    let (began, mut next) = (Instant::now(), 0);
    while next < events && began.elapsed() < PATIENCE {
        while let Some(payload) = reader.next() {
            next += u64::from(number(payload) == Some(next));
        }
        let more = tokio::time::timeout(PATIENCE.saturating_sub(began.elapsed()), reader.more());
        if !matches!(more.await, Ok(Ok(()))) {
            break;
        }
    }
    next
}
