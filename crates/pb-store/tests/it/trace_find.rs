//! Looking into a trace: by what events are about, by their words, whether those are in the index or not, and
//! counted by windows of time.

use std::path::Path;
use std::time::Duration;

use pb_store::trace::Retention;
use pb_store::{Trace, TraceCount, TraceEvent, TraceQuery, TraceReader};
use pretty_assertions::assert_eq;

use crate::support::{Place, integrity};

/// Long enough for everything here.
const PATIENT: Duration = Duration::from_mins(1);

async fn open(path: &Path) -> (Trace, TraceReader) {
    let trace = Trace::open(path.to_owned(), "trace".to_owned(), "boot".to_owned()).await.unwrap();
    (trace, TraceReader::open(path).await.unwrap().unwrap())
}

/// An event that says its number, in words too: a second apart, of three goals and two sources.
fn event(n: u64) -> TraceEvent {
    let kinds = ["llm.request", "llm.response", "tool.invoke"];
    let third = usize::try_from(n % 3).unwrap();
    TraceEvent {
        id: format!("event-{n}"),
        at_ms: n * 1000,
        kind: kinds[third].to_owned(),
        source: if n.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
        goal: Some(format!("goal_{}", n % 3)),
        item: n.is_multiple_of(5).then(|| "item_5".to_owned()),
        run: n.is_multiple_of(7).then(|| "run_7".to_owned()),
        step: None,
        span: None,
        parent: None,
        data: format!(r#"{{"text":"第{n}份报告 is Number-{n}"}}"#),
    }
}

async fn found(reader: &TraceReader, query: &TraceQuery, offset: usize, limit: usize) -> Vec<u64> {
    let found = reader.find(query, (offset, limit), PATIENT).await.unwrap();
    assert!(found.rows.len() <= limit);
    found.rows.into_iter().map(|row| row.pos).collect()
}

fn words(text: &str) -> TraceQuery {
    TraceQuery { words: Some(text.to_owned()), ..TraceQuery::default() }
}

async fn index_all(trace: &Trace) -> u64 {
    let mut all = 0;
    loop {
        match trace.index().await.unwrap() {
            0 => return all,
            some => all += some,
        }
    }
}

#[tokio::test]
async fn what_is_asked_is_found_the_latest_first_and_in_pages() {
    let place = Place::file();
    let (trace, reader) = open(&place.path("trace.db")).await;
    trace.append((1..=9_000).map(event).collect()).await.unwrap();
    assert_eq!(reader.count().await.unwrap(), 9_000);
    let some = |text: &str| Some(text.to_owned());
    let is = |n: u64, by: u64, rest: u64| n % by == rest;
    let asked: [(TraceQuery, &dyn Fn(u64) -> bool); 8] = [
        (TraceQuery::default(), &|_| true),
        (TraceQuery { kind: some("llm.request"), ..TraceQuery::default() }, &|n| is(n, 3, 0)),
        (TraceQuery { kind: some("llm.r*"), ..TraceQuery::default() }, &|n| !is(n, 3, 2)),
        (TraceQuery { kind: some("llm"), ..TraceQuery::default() }, &|_| false),
        (TraceQuery { source: some("odd"), goal: some("goal_1"), ..TraceQuery::default() }, &|n| {
            is(n, 2, 1) && is(n, 3, 1)
        }),
        (TraceQuery { item: some("item_5"), run: some("run_7"), ..TraceQuery::default() }, &|n| is(n, 35, 0)),
        (TraceQuery { since_ms: Some(3_000), until_ms: Some(8_000), ..TraceQuery::default() }, &|n| {
            (3..=8).contains(&n)
        }),
        (TraceQuery { before: Some(4), ..words("number") }, &|n| n < 4),
    ];
    for indexed in [false, true] {
        if indexed {
            assert_eq!(index_all(&trace).await, 9_000);
        }
        for (query, expected) in &asked {
            let expected: Vec<u64> = (1..=9_000).rev().filter(|n| expected(*n)).collect();
            for (offset, limit) in [(0, 10), (7, 10), (0, 20_000), (8_990, 100)] {
                let page: Vec<u64> = expected.iter().copied().skip(offset).take(limit).collect();
                assert_eq!(found(&reader, query, offset, limit).await, page, "{query:?} {offset} {limit}");
            }
            // By the position before which there is more.
            let (mut query, mut all) = (query.clone(), Vec::new());
            loop {
                let page = reader.find(&query, (0, 1_000), PATIENT).await.unwrap();
                all.extend(page.rows.iter().map(|row| row.pos));
                query.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(all, expected, "{query:?}");
        }
    }
    let hasty = reader.find(&words("nowhere"), (0, 10), Duration::ZERO).await.unwrap();
    assert_eq!(hasty.rows, []);
}

#[tokio::test]
async fn words_are_found_in_the_index_beyond_it_and_after_the_oldest_are_gone() {
    let place = Place::file();
    let path = place.path("trace.db");
    let (trace, reader) = open(&path).await;
    trace.append((1..=600).map(event).collect()).await.unwrap();
    assert_eq!((trace.index().await.unwrap(), trace.index().await.unwrap()), (512, 88));
    trace.append((601..=1_000).map(event).collect()).await.unwrap();
    for (text, expected) in [
        ("报告 number-77", vec![779, 778, 777, 776, 775, 774, 773, 772, 771, 770, 77]),
        ("份报 599", vec![599]),
        ("第600", vec![600]),
        ("tool.invoke 998", vec![998]),
        ("umber", vec![]),
        ("告报", vec![]),
        ("\" OR *", vec![]),
    ] {
        assert_eq!(found(&reader, &words(text), 0, 50).await, expected, "{text}");
    }
    let of_goal = TraceQuery { goal: Some("goal_2".to_owned()), ..words("份") };
    assert_eq!(found(&reader, &of_goal, 0, 1_000).await.len(), 333);
    let half = Retention { since_ms: 501_000, bytes_max: u64::MAX };
    while trace.tidy(half).await.unwrap() > 0 {}
    assert_eq!(reader.count().await.unwrap(), 500);
    assert_eq!(found(&reader, &words("报告"), 0, 2_000).await, (501..=1_000).rev().collect::<Vec<_>>());
    let all = Retention { since_ms: u64::MAX, bytes_max: u64::MAX };
    while trace.tidy(all).await.unwrap() > 0 {}
    assert_eq!((reader.count().await.unwrap(), index_all(&trace).await), (0, 0));
    assert_eq!(found(&reader, &words("报告"), 0, 10).await, Vec::<u64>::new());
    drop(trace);
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn the_index_gives_its_space_back_with_the_events() {
    let place = Place::file();
    let path = place.path("trace.db");
    let (trace, reader) = open(&path).await;
    let keep = Retention { since_ms: 0, bytes_max: 3 << 20 };
    for round in 0..24 {
        trace.append((round * 1_024..(round + 1) * 1_024).map(event).collect()).await.unwrap();
        index_all(&trace).await;
        while trace.tidy(keep).await.unwrap() > 0 {}
    }
    // Much is left: what is removed is what is too much, and not everything because the index stays large.
    let left = reader.count().await.unwrap();
    assert!(left > 4_000, "{left}");
    assert_eq!(found(&reader, &words("number-24575"), 0, 10).await, [24_576]);
    drop(trace);
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn windows_count_what_happened_in_them() {
    let place = Place::file();
    let (trace, reader) = open(&place.path("trace.db")).await;
    let tokens = |n: u64| TraceEvent {
        kind: "llm.tokens".to_owned(),
        data: format!(r#"{{"inputTokens":{n},"outputTokens":2}}"#),
        ..event(n)
    };
    let ended = |n: u64, to: &str| TraceEvent {
        kind: "state.transition".to_owned(),
        data: format!(r#"{{"entityType":"goal","entityId":"g","from":"active","to":"{to}"}}"#),
        ..event(n)
    };
    let told =
        [tokens(1), tokens(2), ended(3, "completed"), tokens(11), ended(12, "failed"), ended(13, "blocked")];
    trace.append(told.into()).await.unwrap();
    let (mut counts, is_all) = reader.counts((2_000, 13_000, 10_000), PATIENT).await.unwrap();
    counts.sort_by(|one, other| (one.since_ms, &one.kind).cmp(&(other.since_ms, &other.kind)));
    let count = |since_ms, kind: &str, events| TraceCount {
        since_ms,
        kind: kind.to_owned(),
        events,
        ..TraceCount::default()
    };
    assert_eq!(
        (counts, is_all),
        (
            vec![
                TraceCount { input_tokens: 2, output_tokens: 2, ..count(0, "llm.tokens", 1) },
                TraceCount { goals_completed: 1, ..count(0, "state.transition", 1) },
                TraceCount { input_tokens: 11, output_tokens: 2, ..count(10_000, "llm.tokens", 1) },
                TraceCount { goals_failed: 1, ..count(10_000, "state.transition", 2) },
            ],
            true
        )
    );
}

#[tokio::test]
async fn a_trace_of_the_first_version_is_searched_as_well() {
    let place = Place::file();
    let path = place.path("trace.db");
    let first = rusqlite::Connection::open(&path).unwrap();
    first.execute_batch(include_str!("../../src/sqlite/migrations/trace_0001.sql")).unwrap();
    first
        .execute_batch(
            "PRAGMA application_id = 0x50425431; PRAGMA user_version = 1;
             INSERT INTO trace VALUES ('old', 'boot', 2);
             INSERT INTO event (pos, id, at, type, source, data) VALUES
               (1, 'a', 1, 'tool.invoke', 's', '{\"text\":\"春天\"}'), (2, 'b', 2, 'tool.result', 's', '{}');",
        )
        .unwrap();
    drop(first);
    let (trace, reader) = open(&path).await;
    assert_eq!((trace.identity().id.as_str(), reader.count().await.unwrap()), ("old", 2));
    assert_eq!(found(&reader, &words("春天"), 0, 9).await, [1]);
    assert_eq!(index_all(&trace).await, 2);
    assert_eq!(found(&reader, &words("春天"), 0, 9).await, [1]);
    assert_eq!(trace.append([event(3)].into()).await.unwrap(), 3);
    let beside = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let copies = beside.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains("bak"));
    assert_eq!(copies.count(), 0, "no copy of what may be deleted at any time");
}
