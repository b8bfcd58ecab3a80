//! The trace: positions that are never given twice, pages of what a filter shows, the oldest events
//! removed, and a file that may be deleted at any time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pb_store::trace::Retention;
use pb_store::{Error, LogReader, Trace, TraceEvent, TraceFilter, TraceReader};
use pretty_assertions::assert_eq;

use crate::support::{Place, integrity, open_log, raw};

async fn open(path: &Path) -> Trace {
    open_in(path, "boot-1").await
}

async fn open_in(path: &Path, boot: &str) -> Trace {
    Trace::open(path.to_owned(), "trace-1".to_owned(), boot.to_owned()).await.unwrap()
}

/// An event that says its number: of every third goal, of four names, a second apart.
fn event(n: u64) -> TraceEvent {
    let kinds = ["llm.request", "llm.response", "tool.invoke", "system.startup"];
    TraceEvent {
        id: format!("event-{n}"),
        at_ms: n * 1000,
        kind: (*kinds.get(usize::try_from(n % 4).unwrap()).unwrap()).to_owned(),
        source: "test".to_owned(),
        goal: (n % 4 < 3).then(|| format!("goal_{}", n % 3)),
        item: Some("item".to_owned()),
        run: None,
        step: Some("run.1.1".to_owned()),
        span: Some("0123456789abcdef".to_owned()),
        parent: None,
        data: format!(r#"{{"n":{n},"text":"春"}}"#),
    }
}

fn events(numbers: impl IntoIterator<Item = u64>) -> Arc<[TraceEvent]> {
    numbers.into_iter().map(event).collect()
}

fn filter(goal: Option<&str>, kinds: &[&str]) -> TraceFilter {
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    TraceFilter { goal: goal.map(str::to_owned), kinds }
}

/// What a reader gets that follows from `pos` in pages of this size, by the numbers of the events.
async fn followed(reader: &TraceReader, mut pos: u64, filter: &TraceFilter, limit: usize) -> Vec<u64> {
    let (mut seen, last) = (Vec::new(), reader.last_pos().await.unwrap());
    while pos < last {
        let page = reader.after(pos, filter, limit).await.unwrap();
        assert!(page.passed > pos && page.rows.len() <= limit, "{page:?}");
        assert!(page.rows.iter().all(|row| row.pos > pos && row.pos <= page.passed), "{page:?}");
        pos = page.passed;
        seen.extend(page.rows.into_iter().map(|row| row.event.at_ms / 1000));
    }
    seen
}

async fn path_of_new(place: &Place) -> (PathBuf, Trace, TraceReader) {
    let path = place.path("trace.db");
    let trace = open(&path).await;
    let reader = TraceReader::open(&path).await.unwrap().unwrap();
    (path, trace, reader)
}

#[tokio::test]
async fn events_come_back_as_they_were_and_filters_hide_nothing_that_they_name() {
    let place = Place::file();
    let (path, trace, reader) = path_of_new(&place).await;
    assert_eq!((reader.last_pos().await.unwrap(), reader.first_pos().await.unwrap()), (0, None));
    assert_eq!(trace.append(events(1..=7)).await.unwrap(), 1);
    assert_eq!(trace.append(events(8..=20)).await.unwrap(), 8);
    let page = reader.after(0, &TraceFilter::default(), 100).await.unwrap();
    assert_eq!(page.passed, 20);
    for (row, n) in page.rows.iter().zip(1..) {
        assert_eq!((row.pos, &row.event), (n, &event(n)));
    }
    for asked in [
        filter(None, &[]),
        filter(Some("goal_1"), &[]),
        filter(None, &["llm"]),
        filter(Some("goal_2"), &["llm.request", "tool"]),
        filter(None, &["llm.re*", "system.startup"]),
        filter(Some("goal_9"), &[]),
    ] {
        let shown = |n: &u64| {
            let event = event(*n);
            (asked.goal.is_none() || event.goal == asked.goal) && asked.shows(&event.kind)
        };
        let expected: Vec<u64> = (1..=20).filter(shown).collect();
        for limit in [1, 3, 100] {
            assert_eq!(followed(&reader, 0, &asked, limit).await, expected, "{asked:?}");
            let latest = reader.latest(u64::MAX, &asked, limit).await.unwrap();
            let latest: Vec<u64> = latest.iter().map(|row| row.pos).collect();
            assert_eq!(latest, expected[expected.len().saturating_sub(limit)..], "{asked:?}");
        }
    }
    assert_eq!(reader.latest(7, &TraceFilter::default(), 2).await.unwrap().last().unwrap().pos, 7);
    assert_eq!(reader.goal_ids_like("oal_", 9).await.unwrap(), ["goal_0", "goal_1", "goal_2"]);
    assert_eq!(reader.goal_ids_like("_2", 9).await.unwrap(), ["goal_2"]);
    drop(trace);
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn a_page_looks_at_so_many_events_and_says_how_far_it_came() {
    let place = Place::file();
    let (_, trace, reader) = path_of_new(&place).await;
    for batch in 0..20 {
        trace.append(events(batch * 512 + 1..=(batch + 1) * 512)).await.unwrap();
    }
    let nothing = filter(None, &["no.such"]);
    let page = reader.after(0, &nothing, 10).await.unwrap();
    assert_eq!((page.rows.len(), page.passed), (0, 4096));
    assert_eq!(followed(&reader, 0, &nothing, 10).await, Vec::<u64>::new());
    assert_eq!(reader.latest(u64::MAX, &nothing, 10).await.unwrap(), []);
    let one = filter(None, &["llm.request"]);
    assert_eq!(
        followed(&reader, 0, &one, 100).await,
        (1..=10_240).filter(|n| n % 4 == 0).collect::<Vec<_>>()
    );
    assert_eq!(reader.after(99_999, &one, 10).await.unwrap().passed, 99_999, "beyond the end");
}

#[tokio::test]
async fn large_events_make_short_pages() {
    let place = Place::file();
    let (_, trace, reader) = path_of_new(&place).await;
    let large = |n| TraceEvent { data: format!("\"{}\"", "x".repeat(300_000)), ..event(n) };
    trace.append((1..=9).map(large).collect()).await.unwrap();
    let page = reader.after(0, &TraceFilter::default(), 100).await.unwrap();
    assert_eq!((page.rows.len(), page.passed), (3, 3));
    assert_eq!(followed(&reader, 0, &TraceFilter::default(), 100).await, (1..=9).collect::<Vec<_>>());
    assert_eq!(reader.latest(u64::MAX, &TraceFilter::default(), 9).await.unwrap().len(), 9);
}

#[tokio::test]
async fn positions_are_never_given_twice() {
    let place = Place::file();
    let (path, trace, reader) = path_of_new(&place).await;
    trace.append(events(1..=3)).await.unwrap();
    drop(trace);
    let trace = open(&path).await;
    assert_eq!(trace.append(events([4])).await.unwrap(), 4, "the same boot goes on");
    let everything = Retention { since_ms: u64::MAX, bytes_max: u64::MAX };
    assert_eq!(trace.tidy(everything).await.unwrap(), 4);
    assert_eq!(reader.first_pos().await.unwrap(), None);
    assert_eq!(trace.append(events([5])).await.unwrap(), 5, "though the file is empty");
    drop(trace);
    let trace = open_in(&path, "boot-2").await;
    assert_eq!(trace.identity().id, "trace-1");
    let first = trace.append(events([6])).await.unwrap();
    assert!(first > 100_000, "a loss of power may have taken events along: {first}");
    assert_eq!(followed(&reader, 0, &TraceFilter::default(), 10).await, [5, 6]);
}

#[tokio::test]
async fn the_oldest_go_first_in_small_steps_and_their_space_is_used_again() {
    let place = Place::file();
    let (path, trace, reader) = path_of_new(&place).await;
    let write = async |from: u64| {
        for batch in 0..16 {
            let first = from + batch * 256;
            trace.append(events(first..first + 256)).await.unwrap();
        }
    };
    write(1).await;
    let by_time = Retention { since_ms: 2_001_000, bytes_max: u64::MAX };
    assert_eq!(trace.tidy(by_time).await.unwrap(), 1024);
    assert_eq!(trace.tidy(by_time).await.unwrap(), 2000 - 1024);
    assert_eq!(trace.tidy(by_time).await.unwrap(), 0);
    assert_eq!(reader.first_pos().await.unwrap(), Some(2001));

    let size = || {
        let file = raw(&path);
        let of = |name: &str| {
            file.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u32>(0).map(u64::from))
        };
        (of("page_count").unwrap() * 4096, of("freelist_count").unwrap() * 4096)
    };
    let (whole, free) = size();
    let by_size = Retention { since_ms: 0, bytes_max: whole - free };
    for round in 1..=8 {
        write(round * 4096 + 1).await;
        while trace.tidy(by_size).await.unwrap() > 0 {}
        let (now, free) = size();
        assert!(now - free <= by_size.bytes_max, "{now} - {free}");
        // What one filling needs, and no more however often it is filled.
        assert!(now <= 3 * whole, "{now} of {whole}");
    }
    let left = followed(&reader, 0, &TraceFilter::default(), 1000).await;
    assert_eq!(
        left,
        (9 * 4096 + 1 - left.len() as u64..=9 * 4096).collect::<Vec<_>>(),
        "the latest are left"
    );
    drop(trace);
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn a_file_that_was_deleted_is_noticed_and_made_anew_as_another_trace() {
    let place = Place::file();
    let (path, trace, reader) = path_of_new(&place).await;
    trace.append(events(1..=3)).await.unwrap();
    assert!(reader.is_current().await);
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let refused = trace.append(events([4])).await.unwrap_err();
    assert!(matches!(refused, Error::Gone { .. }), "{refused}");
    assert!(!reader.is_current().await);
    drop(trace);
    let trace = Trace::open(path.clone(), "trace-2".to_owned(), "boot-1".to_owned()).await.unwrap();
    assert_eq!(trace.append(events([4])).await.unwrap(), 1);
    let cursor = reader.identity().await.unwrap().unwrap().cursor(3);
    assert!(!reader.is_current().await, "another file is there now");
    drop(reader);
    let reader = TraceReader::open(&path).await.unwrap().unwrap();
    let identity = reader.identity().await.unwrap().unwrap();
    assert_eq!(identity, *trace.identity());
    assert!(!identity.gave(&cursor) && identity.gave(&identity.cursor(1)));
    assert_eq!(followed(&reader, 0, &TraceFilter::default(), 10).await, [4]);
}

#[tokio::test]
async fn traces_and_logs_are_not_taken_for_each_other() {
    let place = Place::file();
    let (path, ..) = path_of_new(&place).await;
    assert!(matches!(LogReader::open(&path).await, Err(Error::Foreign { .. })));
    let log = place.path("state.db");
    drop(open_log(&log).await);
    assert!(matches!(TraceReader::open(&log).await, Err(Error::Foreign { .. })));
    let trace = Trace::open(log, "trace".to_owned(), "boot".to_owned()).await.map(drop);
    assert!(matches!(trace, Err(Error::Foreign { .. })), "{trace:?}");
    let new = place.path("new.db");
    assert!(TraceReader::open(&new).await.unwrap().is_none());
    // As it is while it is being made.
    for content in ["", "PRAGMA journal_mode = WAL"] {
        rusqlite::Connection::open(&new).unwrap().execute_batch(content).unwrap();
        assert!(TraceReader::open(&new).await.unwrap().is_none(), "{content}");
    }
}
