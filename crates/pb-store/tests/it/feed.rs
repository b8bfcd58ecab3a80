//! The feed: every follower sees every event once, in order, whatever becomes of the offers (I3).

use std::sync::Arc;
use std::time::Duration;

use pb_store::{EventRecord, Feed, Follower, Location, Log, Mark, NewEvent, Offer, Rebase, Write};
use pretty_assertions::assert_eq;
use tokio::task::JoinSet;

use crate::support::{Chance, Place, append, batch, event, events, everything, goal, open_log};

/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Follows to `last` and returns what came. Now and then it stops waiting and asks again.
async fn follow(mut follower: Follower, last: u64, luck: u64) -> Vec<Arc<EventRecord>> {
    let mut chance = Chance(luck);
    let mut seen = Vec::new();
    while follower.pos() < last {
        let patience = Duration::from_micros(chance.below(500));
        if let Ok(page) = tokio::time::timeout(patience, follower.next()).await {
            seen.extend(page.unwrap());
        }
    }
    seen
}

/// Follows to `last` and returns the positions that came.
async fn follow_all(mut follower: Follower, last: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while follower.pos() < last {
        let page = tokio::time::timeout(LIMIT, follower.next()).await.unwrap().unwrap();
        seen.extend(page.iter().map(|event| event.pos));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_may_be_lost_doubled_late_or_out_of_order() {
    for seed in 1..=4 {
        let place = Place::file();
        let path = place.path("state.db");
        let log = open_log(&path).await;
        log.commit(events(goal(9), 1..=20)).await.unwrap();
        let feed = Feed::new(path);
        feed.look().await.unwrap();
        assert_eq!(feed.last_pos(), 20);

        let last = 1_500;
        let mut followers = JoinSet::new();
        for (number, from) in [(1, 0), (2, 0), (3, 7), (4, 20), (5, 20)] {
            let follower = feed.follow(from);
            followers.spawn(async move { (from, follow(follower, last, seed * 10 + number).await) });
        }
        let looker = feed.clone();
        let mut looking = JoinSet::new();
        looking.spawn(async move {
            while looker.last_pos() < last {
                looker.look().await.unwrap();
            }
        });
        write_and_offer(&log, &feed, last, seed).await;
        let written = everything(&log.reader()).await;
        let results = tokio::time::timeout(LIMIT, followers.join_all()).await.unwrap();
        for (from, seen) in results {
            let seen: Vec<_> = seen.iter().map(|event| on_the_wire((**event).clone())).collect();
            let expected: Vec<_> =
                written.iter().skip(usize::try_from(from).unwrap()).cloned().map(on_the_wire).collect();
            assert!(seen == expected, "seed {seed}, from {from}: {} events seen", seen.len());
        }
    }
}

/// Commits up to position `last` while a bad link offers the events.
async fn write_and_offer(log: &Log, feed: &Feed, last: u64, seed: u64) {
    let mut chance = Chance(seed);
    let (id, generation) = (log.identity().id.clone(), log.identity().generation);
    let mut link: Vec<EventRecord> = Vec::new();
    let mut pos = 20;
    while pos < last {
        let numbers = pos..(pos + 1 + chance.below(20)).min(last);
        let committed = log.commit(events(goal(chance.below(3).into()), numbers)).await.unwrap();
        pos = committed.events.last().unwrap().pos;
        link.extend(committed.events.into_iter().map(on_the_wire));
        if chance.below(3) == 0 {
            chance.shuffle(&mut link);
        }
        for record in link.split_off(chance.index(link.len() + 1)) {
            let copies = [0, 1, 1, 1, 2][chance.index(5)];
            for _ in 0..copies {
                let offered = feed.offer(record.clone(), &id, generation);
                if offered == Offer::Gap && chance.below(4) == 0 {
                    feed.look().await.unwrap();
                }
            }
        }
    }
    feed.look().await.unwrap();
    assert_eq!(feed.last_pos(), last);
}

/// The link carries no facts.
fn on_the_wire(record: EventRecord) -> EventRecord {
    EventRecord { body: String::new(), ..record }
}

#[tokio::test]
async fn an_offer_is_used_old_or_behind_a_gap() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let written = log.commit(events(goal(1), 1..=4)).await.unwrap().events;
    let feed = Feed::new(path.clone());
    let offer = |pos: usize, id: &str, generation| {
        let record = written.get(pos - 1).cloned().unwrap();
        feed.offer(record, id, generation)
    };
    assert_eq!(offer(1, "log-1", 1), Offer::Gap, "the log was not seen yet");
    feed.look().await.unwrap();
    assert_eq!(offer(4, "log-1", 1), Offer::Old);
    let next = log.commit(batch([append(goal(1), 5), append(goal(1), 6)])).await.unwrap().events;
    let [fifth, sixth] = next.try_into().unwrap();
    assert_eq!(feed.offer(sixth.clone(), "log-1", 1), Offer::Gap);
    assert_eq!(feed.offer(fifth.clone(), "log-2", 1), Offer::Gap, "of another log");
    assert_eq!(feed.offer(fifth.clone(), "log-1", 2), Offer::Gap, "of another generation");
    assert_eq!(feed.last_pos(), 4);
    assert_eq!(feed.offer(fifth.clone(), "log-1", 1), Offer::Used);
    assert_eq!(feed.offer(fifth, "log-1", 1), Offer::Old);
    assert_eq!(feed.offer(sixth, "log-1", 1), Offer::Used);
    assert_eq!(feed.last_pos(), 6);
}

#[tokio::test]
async fn a_follower_that_the_ring_left_behind_reads_the_log() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    let slow = feed.follow(0);
    let last: u64 = 6_000;
    for start in (0..last).step_by(500) {
        let committed = log.commit(events(goal(1), start..start + 500)).await.unwrap();
        for record in committed.events {
            assert_eq!(feed.offer(record, "log-1", 1), Offer::Used);
        }
    }
    let all: Vec<u64> = (1..=last).collect();
    assert_eq!(follow_all(slow, last).await, all);
    assert_eq!(follow_all(feed.follow(1_000), last).await, all.get(1_000..).unwrap());
}

#[tokio::test]
async fn large_events_leave_the_ring_early_and_none_is_lost() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    let slow = feed.follow(0);
    for (n, megabytes) in [(1, 1), (2, 3), (3, 5), (4, 0), (5, 2)] {
        let events = vec![NewEvent { data: "x".repeat(megabytes << 20), ..event(n) }];
        let write = Write::Events { goal: goal(1), events };
        log.commit(batch([write])).await.unwrap();
        feed.look().await.unwrap();
    }
    assert_eq!(follow_all(slow, 5).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn the_file_may_appear_later() {
    let place = Place::file();
    let path = place.path("state.db");
    let feed = Feed::new(path.clone());
    let (early, live) = (feed.follow(0), feed.follow(feed.last_pos()));
    feed.look().await.unwrap();
    assert_eq!((feed.identity(), feed.last_pos()), (None, 0));
    assert!(feed.reader().is_none());

    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=3)).await.unwrap();
    feed.look().await.unwrap();
    assert_eq!(feed.identity().as_ref(), Some(log.identity()));
    log.commit(events(goal(1), 4..=6)).await.unwrap();
    feed.look().await.unwrap();
    for follower in [early, live, feed.follow(0)] {
        assert_eq!(follow_all(follower, 6).await, [1, 2, 3, 4, 5, 6]);
    }
    assert!(feed.reader().is_some());
}

/// The gateway looks at every moment of the file's making.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_while_the_file_is_made_is_no_error() {
    for _ in 0..20 {
        let place = Place::file();
        let path = place.path("state.db");
        let feed = Feed::new(path.clone());
        let follower = feed.follow(0);
        let mut writer = JoinSet::new();
        writer.spawn(async move {
            let log = open_log(&path).await;
            log.commit(events(goal(1), 1..=3)).await.unwrap();
        });
        while feed.last_pos() < 3 {
            feed.look().await.unwrap();
        }
        assert_eq!(follow_all(follower, 3).await, [1, 2, 3]);
        writer.join_all().await;
    }
}

#[tokio::test]
async fn another_generation_ends_every_follower() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=3)).await.unwrap();
    let feed = Feed::new(path.clone());
    feed.look().await.unwrap();
    let (mut caught_up, mut behind) = (feed.follow(3), feed.follow(0));
    drop(log);

    // A plain restart is the same history.
    drop(open_log(&path).await);
    feed.look().await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(20), caught_up.next()).await;
    assert!(waits.is_err(), "{waits:?}");

    let mark = Mark { log_id: "log-1".to_owned(), pos: 50, at_ms: 1 };
    let log = Log::open(Location::File(path), "log-2".to_owned(), Some(mark)).await.unwrap();
    feed.look().await.unwrap();
    assert_eq!(caught_up.next().await, Err(Rebase));
    assert_eq!(behind.next().await, Err(Rebase));
    assert_eq!(feed.identity().as_ref(), Some(log.identity()));
    log.commit(events(goal(1), 4..=5)).await.unwrap();
    feed.look().await.unwrap();
    assert_eq!(follow_all(feed.follow(0), 5).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn another_file_ends_every_follower() {
    let place = Place::file();
    let path = place.path("state.db");
    drop(open_log(&path).await);
    let feed = Feed::new(path.clone());
    feed.look().await.unwrap();
    let mut follower = feed.follow(0);
    std::fs::rename(&path, place.path("old.db")).unwrap();
    feed.reopen().await;
    let log = Log::open(Location::File(path), "log-2".to_owned(), None).await.unwrap();
    log.commit(events(goal(1), 1..=2)).await.unwrap();
    feed.look().await.unwrap();
    assert_eq!(follower.next().await, Err(Rebase));
    assert_eq!(follow_all(feed.follow(0), 2).await, [1, 2]);
}

/// A client may say any number.
#[tokio::test]
async fn a_position_beyond_the_end_waits() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=2)).await.unwrap();
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    for pos in [2, 3, i64::MAX as u64, u64::MAX] {
        let mut follower = feed.follow(pos);
        let waits = tokio::time::timeout(Duration::from_millis(20), follower.next()).await;
        assert!(waits.is_err(), "{pos}: {waits:?}");
    }
}
