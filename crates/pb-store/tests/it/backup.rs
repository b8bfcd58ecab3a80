//! Backups of databases that are in use, and putting them back.

use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pb_store::{
    Cursor, Databases, Error, Held, InboxReader, LogReader, Write, back_up, check_backup, restore,
};
use pretty_assertions::assert_eq;
use tokio::task::JoinSet;

use crate::feed::{Feed, follow_all};
use crate::support::{
    Place, assert_contiguous, batch, command, events, everything, goal, integrity, open_log,
};

fn databases(place: &Place) -> Databases {
    Databases { log: place.path("state.db"), inbox: place.path("gateway.db") }
}

async fn copy(place: &Place, name: &str) -> (PathBuf, Held) {
    let folder = place.path(name);
    std::fs::create_dir(&folder).unwrap();
    let held = back_up(databases(place), &folder, |_, _| ControlFlow::Continue(())).await.unwrap();
    (folder, held)
}

async fn put_back(place: &Place, folder: &Path, round: u32) -> Held {
    let fresh = (format!("log-{round}0"), format!("inbox-{round}0"));
    let aside = place.path(&format!("aside-{round}"));
    let restored =
        restore(folder, (databases(place), aside), fresh, |_, _| ControlFlow::Continue(())).await.unwrap();
    assert_eq!(integrity(&place.path("state.db")), "ok");
    restored
}

/// The copy is of one moment: whole commits, from the first on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_written_is_copied_as_it_was_at_one_moment() {
    let place = Place::file();
    let log = open_log(&place.path("state.db")).await;
    let inbox = place.inbox().await;
    log.commit(events(goal(1), 1..=2_000)).await.unwrap();
    inbox.put(command("一")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, mut writer) = (Arc::clone(&stop), JoinSet::new());
    writer.spawn(async move {
        let mut n = 2_000;
        while !asked.load(Ordering::Relaxed) {
            log.commit(events(goal(2), n..n + 10)).await.unwrap();
            n += 10;
        }
        log.reader().last_pos().await.unwrap()
    });
    let (folder, held) = copy(&place, "备份 一").await;
    stop.store(true, Ordering::Relaxed);
    let last = writer.join_next().await.unwrap().unwrap();

    let copied = LogReader::open(&folder.join("state.db")).await.unwrap();
    let all = everything(&copied).await;
    assert_contiguous(&all);
    assert_eq!(held.last_pos, all.len() as u64);
    assert!((2_000..=last).contains(&held.last_pos) && held.last_pos.is_multiple_of(10), "{held:?}");
    let waiting = InboxReader::open(&folder.join("gateway.db")).await.unwrap();
    assert_eq!(waiting.after(0, 10).await.unwrap().len(), 1);
    drop((copied, waiting));
    for name in ["state.db", "gateway.db"] {
        let path = folder.join(name);
        assert_eq!(integrity(&path), "ok");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn each_restore_is_another_generation() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    let inbox = place.inbox().await;
    let executed = inbox.put(command("executed")).await.unwrap().row.pos;
    inbox.put(command("waits")).await.unwrap();
    log.commit(events(goal(1), 1..=3)).await.unwrap();
    let read = Write::InboxRead { inbox_id: inbox.id().to_owned(), pos: executed };
    log.commit(batch([read])).await.unwrap();
    let old = Cursor::at(log.identity(), 3);
    let (folder, _) = copy(&place, "backup").await;
    log.commit(events(goal(1), 4..=9)).await.unwrap();
    drop(log);

    let restored = put_back(&place, &folder, 1).await;
    assert_eq!((restored.identity.id.as_str(), restored.identity.generation), ("log-1", 2));
    assert_eq!(restored.last_pos, 3);
    assert!(!old.is_of(&restored.identity), "a cursor of before means nothing");
    assert_eq!(everything(&LogReader::open(&place.path("aside-1/state.db")).await.unwrap()).await.len(), 9);
    let inbox = InboxReader::open(&place.path("gateway.db")).await.unwrap();
    assert_eq!(inbox.id().await.unwrap().as_deref(), Some("inbox-10"), "its positions are looked at anew");
    let waiting = inbox.after(0, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.command.id.as_str()).collect::<Vec<_>>(), ["waits"]);
    drop(inbox);

    // What is appended now and then lost is not what comes after the next restore.
    let log = open_log(&path).await;
    let lost = Cursor::at(log.identity(), log.commit(events(goal(1), 4..=5)).await.unwrap().events[1].pos);
    drop(log);
    let restored = put_back(&place, &folder, 2).await;
    assert_eq!(restored.identity.generation, 3);
    assert!(!lost.is_of(&restored.identity));

    // Nothing to compare with: another history.
    std::fs::remove_file(&path).unwrap();
    let restored = put_back(&place, &folder, 3).await;
    assert_eq!((restored.identity.id.as_str(), restored.identity.generation), ("log-30", 1));
    let log = open_log(&path).await;
    assert!(log.identity().incarnation > 1);
    assert_eq!(log.commit(events(goal(1), 4..=4)).await.unwrap().events[0].seq, 4);
}

/// A process that was killed leaves a WAL, which must not meet the file that takes its place.
#[tokio::test]
async fn what_a_killed_process_left_is_kept_and_not_mixed_in() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=3)).await.unwrap();
    let (folder, _) = copy(&place, "backup").await;
    log.commit(events(goal(1), 4..=9)).await.unwrap();
    let wal = place.path("state.db-wal");
    let (left, main) = (std::fs::read(&wal).unwrap(), std::fs::read(&path).unwrap());
    drop(log);
    std::fs::write(&path, main).unwrap();
    std::fs::write(&wal, left).unwrap();

    assert_eq!(put_back(&place, &folder, 1).await.last_pos, 3);
    assert_eq!(everything(&LogReader::open(&path).await.unwrap()).await.len(), 3);
    assert_eq!(everything(&LogReader::open(&place.path("aside-1/state.db")).await.unwrap()).await.len(), 9);

    // One that cannot be read is kept as it is.
    std::fs::write(&path, "no database").unwrap();
    let restored = put_back(&place, &folder, 2).await;
    assert_eq!((restored.last_pos, restored.identity.id.as_str()), (3, "log-20"));
    assert_eq!(std::fs::read_to_string(place.path("aside-2/state.db")).unwrap(), "no database");
}

#[tokio::test]
async fn no_backup_or_a_damaged_one_changes_nothing() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=500)).await.unwrap();
    let (folder, _) = copy(&place, "backup").await;
    drop(log);
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(check_backup(&place.path("nowhere")).await, Err(Error::Foreign { .. })));

    let copied = folder.join("state.db");
    let mut bytes = std::fs::read(&copied).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&copied, bytes).unwrap();
    let fresh = ("log-2".to_owned(), "inbox-2".to_owned());
    let aside = place.path("aside");
    let failed =
        restore(&folder, (databases(&place), aside.clone()), fresh, |_, _| ControlFlow::Continue(()));
    let failed = failed.await.unwrap_err();
    assert!(matches!(failed, Error::Damaged { .. } | Error::Broken(_)), "{failed:?}");
    assert!(std::fs::read(&path).unwrap() == before && !aside.exists());
}

#[tokio::test]
async fn a_copy_that_nobody_wants_any_more_ends() {
    let place = Place::file();
    drop(open_log(&place.path("state.db")).await);
    let folder = place.path("backup");
    std::fs::create_dir(&folder).unwrap();
    let ended = back_up(databases(&place), &folder, |_, _| ControlFlow::Break(())).await;
    assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
}

/// The gateway may keep its feed over a restore that stopped only the scheduler's writer.
#[tokio::test]
async fn a_feed_that_opens_what_was_put_back_serves_it() {
    let place = Place::file();
    let path = place.path("state.db");
    let log = open_log(&path).await;
    log.commit(events(goal(1), 1..=3)).await.unwrap();
    let (folder, _) = copy(&place, "backup").await;
    log.commit(events(goal(1), 4..=9)).await.unwrap();
    let feed = Feed::new(path.clone());
    feed.look().await.unwrap();
    let mut follower = feed.follow(9);
    drop(log);
    put_back(&place, &folder, 1).await;
    feed.reopen().await;
    feed.look().await.unwrap();
    assert!(follower.next().await.is_err(), "its position means nothing any more");
    let fresh = Feed::new(path.clone());
    fresh.look().await.unwrap();
    assert_eq!((fresh.identity().unwrap().generation, fresh.last_pos()), (2, 3));
    let log = open_log(&path).await;
    log.commit(events(goal(1), 4..=4)).await.unwrap();
    for feed in [&feed, &fresh] {
        feed.look().await.unwrap();
        assert_eq!(feed.last_pos(), 4);
        assert_eq!(follow_all(feed.follow(0), 4).await.len(), 4);
    }
}
