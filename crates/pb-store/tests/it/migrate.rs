//! What may be opened, by whom, and what becomes of the file.

use std::path::Path;

use pb_store::contract::SCHEMA_VERSION;
use pb_store::{Error, Inbox, Location, Log, LogReader, Mark, ScheduleFilter};
use pretty_assertions::assert_eq;
use rusqlite::Connection;

use crate::feed::Feed;
use crate::support::{Place, append, batch, events, everything, goal, integrity, open_log, raw};

async fn open(path: &Path) -> Result<Log, Error> {
    Log::open(Location::File(path.to_owned()), "log-2".to_owned(), None).await
}

/// Opening `path` in any way is refused with `problem`, and leaves the folder as it was.
async fn check_refused(path: &Path, problem: &str) {
    let before = folder(path);
    let refusals =
        [open(path).await.map(drop).unwrap_err(), LogReader::open(path).await.map(drop).unwrap_err()];
    for refusal in refusals {
        let text = refusal.to_string().replace(&path.display().to_string(), "FILE");
        assert_eq!(text, problem);
    }
    assert!(folder(path) == before, "the file was changed");
}

/// Names and contents of the files beside `path`, itself included, without what any reader of a
/// WAL database leaves.
fn folder(path: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with("-wal") && !path.to_string_lossy().ends_with("-shm"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_newer_schema_is_refused_politely() {
    let place = Place::file();
    let path = place.path("state.db");
    drop(open_log(&path).await);
    raw(&path).pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    let problem =
        format!("FILE has schema {}, this version knows up to {SCHEMA_VERSION}", SCHEMA_VERSION + 1);
    check_refused(&path, &problem).await;
}

/// A log as the first version left it, with two events.
fn first_schema(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(include_str!("../../src/sqlite/migrations/state_0001.sql")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO log VALUES ('log-1', 3, 7); INSERT INTO head VALUES ('goal_1', 2, 1, 8);
             INSERT INTO event VALUES (1, 'goal_1', 1, 'a', 1, 'k', '{}', '{}');
             INSERT INTO event VALUES (2, 'goal_1', 2, 'b', 2, 'k', '{}', '{}');",
        )
        .unwrap();
    connection.pragma_update(None, "application_id", 0x5042_5331).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[tokio::test]
async fn a_log_of_the_first_version_is_read_then_brought_forward_with_a_backup() {
    let place = Place::file();
    let path = place.path("state.db");
    first_schema(&path);
    // A gateway of this version may be first.
    let reader = LogReader::open(&path).await.unwrap();
    assert_eq!(
        reader.schedules(ScheduleFilter { limit: 9, ..ScheduleFilter::default() }).await.unwrap().1,
        0
    );
    assert_eq!(reader.schedule_ids_like("sched", 9).await.unwrap(), Vec::<String>::new());
    drop(reader);

    let log = open_log(&path).await;
    assert_eq!((log.identity().generation, log.identity().incarnation), (3, 8), "cursors stay valid");
    assert_eq!(everything(&log.reader()).await.len(), 2);
    assert_eq!(log.reader().live_schedules().await.unwrap(), []);
    drop(log);
    let version =
        |path: &Path| -> u32 { raw(path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap() };
    assert_eq!(version(&path), SCHEMA_VERSION);
    assert_eq!(version(&place.path("state.db.schema-1.bak")), 1);
    assert_eq!(integrity(&path), "ok");
}

#[tokio::test]
async fn a_database_of_somebody_else_is_refused() {
    let place = Place::file();
    let path = place.path("state.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)").unwrap();
    drop(other);
    check_refused(&path, "FILE is not a PonyBunny database").await;

    raw(&path).pragma_update(None, "user_version", 1).unwrap();
    check_refused(&path, "FILE is not a PonyBunny database").await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    for content in ["hello", &"my notes\n".repeat(1_000)] {
        let place = Place::file();
        let path = place.path("state.db");
        std::fs::write(&path, content).unwrap();
        check_refused(&path, "FILE is not a PonyBunny database").await;
    }
}

#[tokio::test]
async fn the_two_files_are_not_taken_for_each_other() {
    let place = Place::file();
    drop(place.inbox().await);
    check_refused(&place.path("gateway.db"), "FILE is not a PonyBunny database").await;
    drop(place.log().await);
    let location = Location::File(place.path("state.db"));
    let refused = Inbox::open(location, "inbox".to_owned()).await.map(drop);
    assert!(matches!(refused, Err(Error::Foreign { .. })), "{refused:?}");
}

#[tokio::test]
async fn opening_again_keeps_everything_and_makes_no_backup() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=5)).await.unwrap();
    let before = everything(&log.reader()).await;
    drop(log);
    let log = open_log(&path).await;
    assert_eq!(everything(&log.reader()).await, before);
    drop(log);
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(names.count(), 1, "no backup, no WAL after a clean end");
    assert_eq!(integrity(&path), "ok");
}

/// `durability.md` §2: the mark tells a file that was put back by hand.
#[tokio::test]
async fn a_file_behind_its_mark_is_a_new_generation() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=5)).await.unwrap();
    drop(log);
    let mark = |log_id: &str, pos| {
        let log_id = log_id.to_owned();
        Mark { log_id, pos, at_ms: 1 }
    };
    // (mark, generation after opening with it)
    let cases = [
        (None, 1),
        (Some(mark("log-1", 4)), 1),
        (Some(mark("log-1", 5)), 1),
        (Some(mark("log-9", 50)), 1),
        (Some(mark("log-1", 6)), 2),
        (Some(mark("log-1", 5)), 2),
        (Some(mark("log-1", 99)), 3),
    ];
    for (number, (mark, generation)) in (2..).zip(cases) {
        let location = Location::File(path.clone());
        let log = Log::open(location, "log-2".to_owned(), mark.clone()).await.unwrap();
        let identity = log.identity();
        assert_eq!(
            (identity.id.as_str(), identity.generation, identity.incarnation),
            ("log-1", generation, number),
            "{mark:?}"
        );
        assert_eq!(log.reader().identity().await.unwrap().as_ref(), Some(identity));
    }
}

#[test]
fn a_mark_survives_its_file_and_damage_says_nothing() {
    let place = Place::file();
    let path = place.path("state.mark");
    assert_eq!(Mark::read(&path), None);
    for pos in [1, 2] {
        let mark = Mark { log_id: "log-1".to_owned(), pos, at_ms: 3 };
        mark.write(&path).unwrap();
        assert_eq!(Mark::read(&path), Some(mark));
    }
    assert_eq!(folder(&path).len(), 1, "nothing is left beside it");
    std::fs::write(&path, "{\"log_id\":").unwrap();
    assert_eq!(Mark::read(&path), None);
}

#[tokio::test]
async fn a_reader_makes_no_file() {
    let place = Place::file();
    let path = place.path("state.db");
    assert!(LogReader::open(&path).await.is_err());
    Feed::new(path.clone()).look().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_reader_holds_the_file_for_reading_only_and_sees_each_commit() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    assert_eq!(open_modes(&path), ["write"]);
    let reader = LogReader::open(&path).await.unwrap();
    assert_eq!(open_modes(&path), ["read", "write"]);

    assert_eq!(reader.identity().await.unwrap().as_ref(), Some(log.identity()));
    let mut version = reader.data_version().await.unwrap();
    for n in 1..=50 {
        assert_eq!(reader.data_version().await.unwrap(), version);
        log.commit(batch([append(goal(1), n)])).await.unwrap();
        let next = reader.data_version().await.unwrap();
        assert_ne!(next, version, "commit {n} is noticed");
        version = next;
        assert_eq!(reader.last_pos().await.unwrap(), n);
        assert_eq!(reader.events_after(n - 1, 10).await.unwrap().len(), 1);
    }
    drop(log);
    assert_eq!(reader.last_pos().await.unwrap(), 50, "the writer may end");
}

/// How this process holds `path` open.
fn open_modes(path: &Path) -> Vec<&'static str> {
    let mut modes = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
        let fd = entry.unwrap();
        if std::fs::read_link(fd.path()).is_ok_and(|target| target == path) {
            let info = Path::new("/proc/self/fdinfo").join(fd.file_name());
            let info = std::fs::read_to_string(info).unwrap();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
            modes.push(if flags.trim().ends_with('0') { "read" } else { "write" });
        }
    }
    modes.sort_unstable();
    modes
}
