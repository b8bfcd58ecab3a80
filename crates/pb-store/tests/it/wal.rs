//! The WAL beside the log.

use pb_store::LogReader;

use crate::support::{Place, events, goal};

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
