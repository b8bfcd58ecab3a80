//! The feed: every follower sees every event once, in order, whatever becomes of the offers (I3).

use std::time::Duration;

use futures_util::FutureExt;
use pb_store::{EventRow, Follower, Location, Log, LogIdentity, Mark, NewEvent, Page, Rebase, Write};
use pretty_assertions::assert_eq;
use tokio::task::JoinSet;

use crate::support::{Chance, Place, batch, event, events, everything, goal, open_log};

/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_mins(1);

pub(crate) type Feed = pb_store::Feed<Told>;

/// What followers are told, for comparison.
#[derive(Debug, Default)]
pub(crate) struct Told {
    events: Vec<(u64, String)>,
    bytes: usize,
}

impl Page for Told {
    fn begin(_: &LogIdentity) -> Self {
        Self::default()
    }

    fn push(&mut self, event: &EventRow<'_>) {
        let EventRow { pos, seq, goal, at_ms, kind, data } = event;
        self.bytes += data.len() + 100;
        self.events.push((*pos, format!("{seq} {goal} {at_ms} {kind} {data}")));
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The next events, without those that were delivered before.
async fn next(follower: &mut Follower<Told>) -> Result<Vec<(u64, String)>, Rebase> {
    let before = follower.pos();
    let span = follower.next().await?;
    assert!(span.after() <= before && before < span.last(), "{span:?} after {before}");
    Ok(span.page().events.iter().filter(|(pos, _)| *pos > before).cloned().collect())
}

/// Follows to `last` and returns what came. Now and then it stops waiting and asks again.
async fn follow(mut follower: Follower<Told>, last: u64, luck: u64) -> Vec<(u64, String)> {
    let mut chance = Chance(luck);
    let mut seen = Vec::new();
    while follower.pos() < last {
        let patience = Duration::from_micros(chance.below(500));
        if let Ok(told) = tokio::time::timeout(patience, next(&mut follower)).await {
            seen.extend(told.unwrap());
        }
        if chance.below(10) == 0 {
            let back = seen.len().saturating_sub(chance.index(5));
            seen.truncate(back);
            follower.rewind(seen.last().map_or(follower.pos(), |(pos, _)| *pos));
        }
    }
    seen
}

/// Follows to `last` and returns the positions that came.
pub(crate) async fn follow_all(mut follower: Follower<Told>, last: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while follower.pos() < last {
        let told = tokio::time::timeout(LIMIT, next(&mut follower)).await.unwrap().unwrap();
        seen.extend(told.iter().map(|(pos, _)| *pos));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_are_told_everything_once_in_order_however_the_bell_rings() {
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
        let tail = feed.clone();
        let mut looking = JoinSet::new();
        looking.spawn(async move { tail.follow_tail().await });
        write_and_ring(&log, &feed, last, seed).await;
        let written = everything(&log.reader()).await;
        let results = tokio::time::timeout(LIMIT, followers.join_all()).await.unwrap();
        for (from, seen) in results {
            let expected: Vec<_> = written
                .iter()
                .skip(usize::try_from(from).unwrap())
                .map(|event| {
                    let pb_store::EventRecord { pos, seq, goal, at_ms, kind, data, .. } = event;
                    (*pos, format!("{seq} {goal} {at_ms} {kind} {data}"))
                })
                .collect();
            assert!(seen == expected, "seed {seed}, from {from}: {} events seen", seen.len());
        }
    }
}

/// Commits up to position `last`; the bell rings sometimes, and at the end.
async fn write_and_ring(log: &Log, feed: &Feed, last: u64, seed: u64) {
    let mut chance = Chance(seed);
    let mut pos = 20;
    while pos < last {
        let numbers = pos..(pos + 1 + chance.below(20)).min(last);
        let committed = log.commit(events(goal(chance.below(3).into()), numbers)).await.unwrap();
        pos = committed.events.last().unwrap().pos;
        for _ in 0..[0, 0, 1, 2][chance.index(4)] {
            feed.bell();
        }
    }
    feed.look().await.unwrap();
    assert_eq!(feed.last_pos(), last);
}

#[tokio::test]
async fn a_look_counts_what_others_commit_also_where_it_is_no_event() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    let first = feed.changes();
    feed.look().await.unwrap();
    assert_eq!(feed.changes(), first, "nothing was written");
    log.commit(batch([Write::InboxRead { inbox_id: "inbox".to_owned(), pos: 1 }])).await.unwrap();
    assert_eq!(feed.changes(), first, "it did not look");
    feed.look().await.unwrap();
    assert_eq!(feed.changes(), first + 1);
    log.commit(events(goal(1), 1..=2)).await.unwrap();
    feed.look().await.unwrap();
    assert_eq!((feed.changes(), feed.last_pos()), (first + 2, 2));
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
        // More than the ring holds.
        let events = (start..start + 500).map(|n| NewEvent { data: "x".repeat(4096), ..event(n) });
        let write = Write::Events { goal: goal(1), events: events.collect() };
        log.commit(batch([write])).await.unwrap();
        feed.look().await.unwrap();
    }
    let all: Vec<u64> = (1..=last).collect();
    assert_eq!(follow_all(slow, last).await, all);
    assert_eq!(follow_all(feed.follow(1_000), last).await, all.get(1_000..).unwrap());
}

/// A client that takes little at a time must not cost a page each time (F10).
#[tokio::test]
async fn one_that_lets_go_of_events_reads_little_next_and_then_more() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let bytes = 412;
    let bulky = |n| NewEvent { data: "x".repeat(bytes - 100), ..event(n) };
    let write = Write::Events { goal: goal(1), events: (1..=2_000).map(bulky).collect() };
    log.commit(batch([write])).await.unwrap();
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    let mut follower = feed.follow(0);
    let mut read = vec![next(&mut follower).await.unwrap().len(), next(&mut follower).await.unwrap().len()];
    follower.rewind(3);
    while follower.pos() < 2_000 {
        read.push(next(&mut follower).await.unwrap().len());
    }
    let kib = |kib: usize| (kib * 1024).div_ceil(bytes);
    assert_eq!(read[..7], [kib(8), kib(16), kib(8), kib(16), kib(32), kib(64), kib(128)]);
    assert_eq!(read[2..].iter().sum::<usize>(), 1_997);
}

/// Else clients that are looked after each second have everything read for nothing (F10).
#[tokio::test]
async fn what_is_read_for_one_that_stops_waiting_is_there_when_it_comes_back() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=3)).await.unwrap();
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    let mut follower = feed.follow(0);
    // One poll each: what one begins, a later one finds.
    let told = tokio::time::timeout(LIMIT, async {
        loop {
            if let Some(told) = next(&mut follower).now_or_never() {
                return told.unwrap();
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(told.await.unwrap().len(), 3);
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
    assert_eq!(caught_up.next().await.unwrap_err(), Rebase);
    assert_eq!(behind.next().await.unwrap_err(), Rebase);
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
    assert_eq!(follower.next().await.unwrap_err(), Rebase);
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

#[tokio::test]
async fn a_long_log_is_read_from_its_start_to_its_end() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let feed = Feed::new(path);
    feed.look().await.unwrap();
    let last: u64 = 60_000;
    for start in (0..last).step_by(1_000) {
        let events = (start..start + 1_000).map(|n| NewEvent { data: "x".repeat(180), ..event(n) });
        let write = Write::Events { goal: goal(1), events: events.collect() };
        log.commit(batch([write])).await.unwrap();
        if start % 20_000 == 0 {
            feed.look().await.unwrap();
        }
    }
    feed.look().await.unwrap();
    assert_eq!(feed.last_pos(), last);
    assert_eq!(follow_all(feed.follow(0), last).await, (1..=last).collect::<Vec<_>>());
}
