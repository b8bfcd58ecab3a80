//! Catching up: the log read from its beginning, page by page, by another connection.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use pb_store::{Batch, Location, Log, LogReader, Write};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use crate::work;

/// How many events are read.
const EVENTS: u32 = 200_000;
/// Events in one transaction while the log is written.
const BATCH_EVENTS: u32 = 2_000;
/// Events in a page, as the gateway reads them.
const PAGE: usize = 256;
/// How often the whole log is read; the median counts.
const ROUNDS: usize = 5;

/// What reading an event costs, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Reading {
    events: u32,
    ours_us: f64,
    /// Position and data alone, by SQLite without us.
    plain_us: f64,
}

/// Writes a log, and reads it again and again.
pub(crate) async fn measure(folder: &Path) -> anyhow::Result<Reading> {
    let path = folder.join("read.db");
    let log = Log::open(Location::File(path.clone()), "bench".to_owned(), None).await?;
    for batch in 0..EVENTS / BATCH_EVENTS {
        let numbers = batch * BATCH_EVENTS..(batch + 1) * BATCH_EVENTS;
        let events = numbers.map(|n| work::event(1, n.into())).collect();
        log.commit(Batch { writes: vec![Write::Events { goal: work::goal(1), events }] }).await?;
    }
    let reader = LogReader::open(&path).await?;
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(read(&reader).await?);
        plain.push(read_plain(&path)?);
    }
    drop(log);
    std::fs::remove_file(&path)?;
    Ok(Reading { events: EVENTS, ours_us: median(ours), plain_us: median(plain) })
}

async fn read(reader: &LogReader) -> anyhow::Result<f64> {
    let began = Instant::now();
    let (mut pos, mut count, mut bytes) = (0, 0_u32, 0);
    loop {
        let page = reader.events_after(pos, PAGE).await?;
        let Some(last) = page.last() else { break };
        pos = last.pos;
        for event in &page {
            count += 1;
            bytes += event.data.len();
        }
    }
    ensure!(count == EVENTS && bytes > 0, "{count} events were read");
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(EVENTS))
}

fn read_plain(path: &Path) -> anyhow::Result<f64> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let began = Instant::now();
    let (mut pos, mut count, mut bytes) = (0_i64, 0_u32, 0);
    loop {
        let mut statement =
            connection.prepare_cached("SELECT pos, data FROM event WHERE pos > ?1 ORDER BY pos LIMIT 256")?;
        let mut rows = statement.query([pos])?;
        let before = count;
        while let Some(row) = rows.next()? {
            pos = row.get(0)?;
            bytes += row.get::<_, String>(1)?.len();
            count += 1;
        }
        if count == before {
            break;
        }
    }
    ensure!(count == EVENTS && bytes > 0, "{count} events were read");
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(EVENTS))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
