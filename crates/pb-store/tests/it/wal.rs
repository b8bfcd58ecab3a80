//! The WAL beside the files stays small, and a writer that stops leaves none.

use pb_store::LogReader;

use crate::support::{Place, command, events, goal};

/// Bytes of a command.
const COMMAND_BYTES: usize = 64 * 1024;
/// Commands put side by side.
const CALLERS: usize = 16;
/// Rounds: 24 MiB in all.
const ROUNDS: usize = 24;
/// Where the writer empties it, and what one round adds.
const WAL_BYTES_MAX: u64 = 16 * 1024 * 1024 + 2 * 1024 * 1024;

#[tokio::test]
async fn a_writer_that_stops_leaves_nothing_to_recover_though_somebody_reads() {
    let place = Place::file();
    let log = place.log().await;
    let reader = LogReader::open(&place.path("state.db")).await.unwrap();
    log.commit(events(goal(1), 1..=100)).await.unwrap();
    assert_eq!(reader.last_pos().await.unwrap(), 100);
    let wal = place.path("state.db-wal");
    assert!(wal.metadata().unwrap().len() > 0);
    log.settle().await.unwrap();
    assert_eq!(wal.metadata().unwrap().len(), 0);
    drop(log);
    assert_eq!(reader.last_pos().await.unwrap(), 100);
}

/// It once grew for as long as the gateway lived.
#[tokio::test]
async fn the_inbox_empties_its_wal() {
    let place = Place::file();
    let inbox = place.inbox().await;
    let mut peak = 0;
    for round in 0..ROUNDS {
        let puts = (0..CALLERS).map(|caller| {
            let mut command = command(&format!("{round}-{caller}"));
            command.params = "x".repeat(COMMAND_BYTES);
            let inbox = inbox.clone();
            async move { inbox.put(command).await.unwrap() }
        });
        let mut together = tokio::task::JoinSet::new();
        puts.for_each(|put| {
            together.spawn(put);
        });
        together.join_all().await;
        peak = peak.max(std::fs::metadata(place.path("gateway.db-wal")).unwrap().len());
    }
    assert!(peak > 1024 * 1024, "what is put goes through the WAL");
    assert!(peak <= WAL_BYTES_MAX, "the WAL grew to {peak} bytes");
}
