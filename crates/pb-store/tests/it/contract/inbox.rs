//! The inbox: commands in the order in which they were answered.

use pb_store::{Inbox, Put};
use pretty_assertions::assert_eq;

use super::log::join;
use crate::support::{Place, command};

async fn ids_after(inbox: &Inbox, pos: u64, limit: usize) -> Vec<(u64, String)> {
    let rows = inbox.reader().after(pos, limit).await.unwrap();
    rows.into_iter().map(|row| (row.pos, row.command.id)).collect()
}

pub(super) async fn commands_keep_their_order(place: Place) {
    let inbox = place.inbox().await;
    for id in ["c", "a", "b"] {
        let put = inbox.put(command(id)).await.unwrap();
        assert_eq!(put.row.command, command(id));
        assert!(!put.repeated);
    }
    let all = ids_after(&inbox, 0, 10).await;
    let ids: Vec<&str> = all.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids, ["c", "a", "b"]);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0));
    let (first, last) = (all.first().unwrap().0, all.last().unwrap().0);
    assert_eq!(ids_after(&inbox, first, 1).await, all.get(1..2).unwrap());
    assert_eq!(ids_after(&inbox, last, 10).await, []);
}

pub(super) async fn the_same_id_gives_the_first_row(place: Place) {
    let inbox = place.inbox().await;
    let first = inbox.put(command("a")).await.unwrap();
    let mut other = command("a");
    other.params = r#"{"other":true}"#.to_owned();
    other.at_ms += 1;
    for repeat in [command("a"), other] {
        let again = inbox.put(repeat).await.unwrap();
        let expected = Put { row: first.row.clone(), repeated: true };
        assert_eq!(again, expected);
    }
    assert_eq!(ids_after(&inbox, 0, 10).await.len(), 1);
    let next = inbox.put(command("b")).await.unwrap();
    assert!(next.row.pos > first.row.pos && !next.repeated);
}

pub(super) async fn a_repeat_in_one_batch_is_a_repeat(place: Place) {
    let inbox = place.inbox().await;
    let puts = join((0..10).map(|_| inbox.put(command("a")))).await;
    let puts: Vec<Put> = puts.into_iter().map(Result::unwrap).collect();
    assert_eq!(puts.iter().filter(|put| !put.repeated).count(), 1);
    let row = &puts.first().unwrap().row;
    assert!(puts.iter().all(|put| put.row == *row));
}

pub(super) async fn many_callers_are_all_answered(place: Place) {
    let inbox = place.inbox().await;
    let puts = join((0..500).map(|n| inbox.put(command(&format!("command {n}"))))).await;
    let mut answered: Vec<(u64, String)> = puts
        .into_iter()
        .map(|put| put.unwrap())
        .inspect(|put| assert!(!put.repeated))
        .map(|put| (put.row.pos, put.row.command.id))
        .collect();
    answered.sort();
    assert!(answered.is_sorted_by(|a, b| a.0 < b.0), "each has its own position");
    assert_eq!(ids_after(&inbox, 0, 1_000).await, answered);
}

/// A client that hangs up while it commits for others.
pub(super) async fn a_caller_that_leaves_takes_nobody_along(place: Place) {
    let inbox = place.inbox().await;
    for round in 0..20 {
        let putting = |who: &str| Box::pin(inbox.put(command(&format!("{round} {who}"))));
        let (mut first, mut leaver, mut stayer) = (putting("first"), putting("leaver"), putting("stayer"));
        let mut early = Vec::new();
        for waiting in [&mut first, &mut leaver, &mut stayer] {
            early.extend(poll_once(waiting).await);
        }
        if !early.is_empty() {
            continue; // The blocking pool was faster than this test.
        }
        first.await.unwrap();
        // Now the leaver has its turn and commits for the stayer as well.
        if poll_once(&mut leaver).await.is_some() {
            continue;
        }
        drop(leaver);
        let limit = std::time::Duration::from_secs(20);
        let put = tokio::time::timeout(limit, stayer).await.expect("an answer").unwrap();
        assert_eq!(put.row.command.id, format!("{round} stayer"));
        let mut ids: Vec<String> = ids_after(&inbox, 0, 1_000).await.into_iter().map(|(_, id)| id).collect();
        ids.retain(|id| id.starts_with(&format!("{round} ")));
        let expected = ["first", "leaver", "stayer"].map(|who| format!("{round} {who}"));
        assert_eq!(ids, expected, "what was sent is kept");
    }
}

/// `None` while it waits, or for an error.
async fn poll_once<F: Future<Output = Result<Put, std::sync::Arc<pb_store::Error>>> + Unpin>(
    future: &mut F,
) -> Option<Put> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(result) => result.ok(),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

pub(super) async fn forgotten_commands_are_gone_and_positions_go_on(place: Place) {
    let inbox = place.inbox().await;
    let mut last = 0;
    for id in ["a", "b", "c"] {
        last = inbox.put(command(id)).await.unwrap().row.pos;
    }
    inbox.forget(last - 1).await.unwrap();
    assert_eq!(ids_after(&inbox, 0, 10).await, [(last, "c".to_owned())]);
    inbox.forget(last).await.unwrap();
    assert_eq!(ids_after(&inbox, 0, 10).await, []);
    inbox.forget(last).await.unwrap();
    let next = inbox.put(command("a")).await.unwrap();
    assert!(next.row.pos > last, "a position is not used twice");
    assert!(!next.repeated);
}

pub(super) async fn an_inbox_keeps_its_id(place: Place) {
    let inbox = place.inbox().await;
    assert_eq!(inbox.id(), "inbox-1");
    assert_eq!(inbox.reader().id().await.unwrap().as_deref(), Some("inbox-1"));
    if place.lasts() {
        inbox.put(command("a")).await.unwrap();
        drop(inbox);
        let location = pb_store::Location::File(place.path("gateway.db"));
        let again = Inbox::open(location, "inbox-2".to_owned()).await.unwrap();
        assert_eq!(again.id(), "inbox-1");
        assert!(again.put(command("a")).await.unwrap().repeated);
    }
}
