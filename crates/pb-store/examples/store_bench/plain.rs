//! The reference: the same bytes, written by a loop around SQLite that checks nothing and serves nobody.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, params};

use crate::work::{self, Synchronous};
use crate::{Rate, processor};

/// How many commits of `each` events and rows a loop makes; an event counts as one.
pub(crate) fn measure(
    folder: &Path,
    synchronous: Synchronous,
    each: usize,
    time: Duration,
) -> anyhow::Result<Rate> {
    let mut connection = Connection::open(folder.join("plain.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(
        None,
        "synchronous",
        match synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        },
    )?;
    connection.execute_batch(
        "CREATE TABLE event (pos INTEGER PRIMARY KEY, goal TEXT, id TEXT, at INTEGER, kind TEXT, body TEXT, data TEXT);
         CREATE TABLE run (id TEXT PRIMARY KEY, state TEXT) WITHOUT ROWID;",
    )?;
    let (began, spent) = (Instant::now(), processor::time());
    let mut written: u32 = 0;
    while began.elapsed() < time {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for caller in 0..each {
            let event = work::event(caller, written.into());
            let goal = work::goal(caller).to_string();
            transaction
                .prepare_cached(
                    "INSERT INTO event (goal, id, at, kind, body, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    goal,
                    event.id,
                    event.at_ms.cast_signed(),
                    event.kind,
                    event.body,
                    event.data
                ])?;
            let run = work::run(caller);
            transaction
                .prepare_cached("INSERT OR REPLACE INTO run (id, state) VALUES (?1, ?2)")?
                .execute(params![run.id.to_string(), serde_json::to_string(&run)?])?;
            written += 1;
        }
        transaction.commit()?;
    }
    Ok(Rate {
        per_second: f64::from(written) / began.elapsed().as_secs_f64(),
        cpu_us: (processor::time().saturating_sub(spent)).as_secs_f64() * 1e6 / f64::from(written.max(1)),
    })
}
