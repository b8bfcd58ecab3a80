//! What compaction means for those who read, and for the disk.

use std::time::Duration;

use pb_model::goal::GoalStatus;
use pb_store::{Batch, Compact, Log, NewEvent, Row, Write};
use pretty_assertions::assert_eq;

use crate::contract::rows::goals;
use crate::feed::{Feed, follow_all};
use crate::support::{Place, append, batch, event, events, goal, integrity, open_log};

/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_mins(1);

/// A log with an ended goal, whose events are `1..=count` of the log, and some of another goal around them.
async fn log_with_old_goal(place: &Place, count: u64) -> (Log, Batch) {
    let log = open_log(&place.path("state.db")).await;
    let mut old = goals(1).remove(0);
    old.status = GoalStatus::Completed;
    log.commit(events(old.id, 1..=count)).await.unwrap();
    let id = old.id;
    log.commit(batch([Write::Row(Row::Goal(Box::new(old)))])).await.unwrap();
    let snapshot = NewEvent { kind: "goal.compacted".to_owned(), ..event(9_999) };
    (log, batch([Write::Compact(Compact { goal: id, seq: count, snapshot })]))
}

async fn positions(feed: &Feed, from: u64, last: u64) -> Vec<u64> {
    follow_all(feed.follow(from), last).await
}

/// A cursor in a stretch that is gone goes on at the next event that is there.
#[tokio::test]
async fn a_follower_goes_on_behind_what_was_compacted() {
    let place = Place::file();
    let (log, compact) = log_with_old_goal(&place, 100).await;
    log.commit(events(goal(2), 1..=5)).await.unwrap();
    let feed = Feed::new(place.path("state.db"));
    feed.look().await.unwrap();
    assert_eq!(positions(&feed, 40, 105).await, (41..=105).collect::<Vec<_>>());
    log.commit(compact).await.unwrap();
    feed.look().await.unwrap();
    assert_eq!(positions(&feed, 40, 106).await, (101..=106).collect::<Vec<_>>());
    assert_eq!(positions(&feed, 0, 106).await, (101..=106).collect::<Vec<_>>());
    assert_eq!(positions(&feed, 103, 106).await, [104, 105, 106]);
    // The same for one that opens the log now.
    let later = Feed::new(place.path("state.db"));
    later.look().await.unwrap();
    assert_eq!(positions(&later, 7, 106).await, (101..=106).collect::<Vec<_>>());
}

/// The gateway was down or slow: what came and went meanwhile is a gap, and no lost event.
#[tokio::test]
async fn a_feed_does_not_wait_for_what_was_compacted_before_it_looked() {
    let place = Place::file();
    let feed = Feed::new(place.path("state.db"));
    let log = open_log(&place.path("state.db")).await;
    log.commit(events(goal(7), 1..=3)).await.unwrap();
    feed.look().await.unwrap();
    let live = feed.follow(3);
    drop(log);
    let (log, compact) = log_with_old_goal(&place, 50).await;
    log.commit(compact).await.unwrap();
    log.commit(batch([append(goal(7), 4)])).await.unwrap();

    tokio::time::timeout(LIMIT, feed.look()).await.unwrap().unwrap();
    assert_eq!(feed.last_pos(), 55);
    assert_eq!(follow_all(live, 55).await, [54, 55]);
    // From the ring, which has the gap too.
    for (from, expect) in [(3, vec![54, 55]), (20, vec![54, 55]), (53, vec![54, 55]), (54, vec![55])] {
        assert_eq!(positions(&feed, from, 55).await, expect, "from {from}");
    }
    assert_eq!(positions(&feed, 0, 55).await, [1, 2, 3, 54, 55]);
}

/// Size of the log's file and its WAL, in bytes.
fn size(place: &Place) -> u64 {
    ["state.db", "state.db-wal"]
        .map(|name| std::fs::metadata(place.path(name)).map_or(0, |meta| meta.len()))
        .iter()
        .sum()
}

#[tokio::test]
async fn room_goes_back_to_the_disk() {
    let place = Place::file();
    let (log, compact) = log_with_old_goal(&place, 1).await;
    let [Write::Compact(of)] = compact.writes.as_slice() else { panic!("one write") };
    let mut of = of.clone();
    for batch in 0..8 {
        let heavy = |n| NewEvent { data: "x".repeat(8 << 10), ..event(n) };
        let events = (2 + batch * 128..2 + (batch + 1) * 128).map(heavy).collect();
        log.commit(self::batch([Write::Events { goal: of.goal, events }])).await.unwrap();
    }
    of.seq = 1 + 8 * 128;
    log.commit(events(goal(2), 1..=200)).await.unwrap();
    let before = size(&place);
    loop {
        let part = log.commit(batch([Write::Compact(of.clone())])).await.unwrap().compacted.remove(0);
        if part.done {
            break;
        }
    }
    let file = std::fs::metadata(place.path("state.db")).unwrap().len();
    assert!(before > 8 << 20 && file < 1 << 20, "{before} bytes before, {file} after");
    drop(log);
    assert!(size(&place) < 1 << 20);
    assert_eq!(integrity(&place.path("state.db")), "ok");
    assert_eq!(open_log(&place.path("state.db")).await.reader().last_pos().await.unwrap(), 1226);
}
