//! The log: positions, batches, pages.

use pb_store::{Cursor, Error, NewEvent, Row, StepIntent, StepKind, Write};
use pretty_assertions::assert_eq;

use crate::support::{Chance, Place, append, assert_contiguous, batch, event, events, everything, goal};

/// A write that no run holds: it is refused, and its batch with it.
fn refused() -> Write {
    Write::StepIntent(StepIntent {
        run: pb_model::RunId::from(uuid::Uuid::from_u128(404)),
        n: 1,
        epoch: 1,
        kind: StepKind::Tool,
        effect_key: "key".to_owned(),
        request_hash: "hash".to_owned(),
        label: "a step of nobody".to_owned(),
        at_ms: 1,
    })
}

pub(super) async fn positions_have_no_gaps(place: Place) {
    let log = place.log().await;
    let mut chance = Chance(7);
    let mut answered = Vec::new();
    for round in 0..200_u64 {
        let mut writes: Vec<Write> =
            (0..=chance.below(3)).map(|n| append(goal(chance.below(5).into()), round * 10 + n)).collect();
        let fails = chance.below(4) == 0;
        if fails {
            writes.push(refused());
        }
        let committed = log.commit(batch(writes)).await;
        assert_eq!(committed.is_err(), fails, "round {round}");
        answered.extend(committed.unwrap_or_default().events);
    }
    assert_contiguous(&answered);
    assert_eq!(everything(&log.reader()).await, answered);
    assert_eq!(log.reader().last_pos().await.unwrap(), answered.len() as u64);
}

pub(super) async fn the_newest_of_a_kind_are_found_in_their_order(place: Place) {
    let log = place.log().await;
    let kinds = ["goal.failed", "noise", "goal.completed", "noise", "goal.failed"];
    for (n, kind) in (1..).zip(kinds) {
        let events = vec![NewEvent { kind: kind.to_owned(), ..event(n) }];
        log.commit(batch([Write::Events { goal: goal(1), events }])).await.unwrap();
    }
    let reader = log.reader();
    let found = async |after: u64, limit: usize| -> Vec<u64> {
        let found = reader.newest_of(after, &["goal.completed", "goal.failed"], limit).await.unwrap();
        found.into_iter().map(|event| event.pos).collect()
    };
    assert_eq!(found(0, 9).await, [1, 3, 5]);
    assert_eq!(found(0, 2).await, [3, 5], "the older ones are left out");
    assert_eq!(found(3, 9).await, [5]);
    assert_eq!(found(5, 9).await, [0; 0]);
}

pub(super) async fn commits_at_once_have_no_gaps(place: Place) {
    let log = place.log().await;
    let commits = (0..50_u64).map(|n| log.commit(events(goal(u128::from(n % 3)), [n, n + 100])));
    let mut answered: Vec<_> =
        join(commits).await.into_iter().flat_map(|committed| committed.unwrap().events).collect();
    answered.sort_by_key(|event| event.pos);
    assert_contiguous(&answered);
    assert_eq!(everything(&log.reader()).await, answered);
}

pub(super) async fn a_batch_is_whole_or_not_at_all(place: Place) {
    let log = place.log().await;
    log.commit(events(goal(1), [1])).await.unwrap();
    let before = everything(&log.reader()).await;
    let result = pb_store::StoredResult {
        id: "command".to_owned(),
        params_digest: "digest".to_owned(),
        result: "{}".to_owned(),
        at_ms: 1,
    };
    let other = super::rows::goals(1).remove(0);
    let failed = log
        .commit(batch([
            append(goal(1), 2),
            append(goal(2), 1),
            Write::Row(Row::Goal(Box::new(other.clone()))),
            Write::CommandResult(result),
            Write::InboxRead { inbox_id: "inbox".to_owned(), pos: 9 },
            refused(),
        ]))
        .await;
    assert!(matches!(failed, Err(Error::Fenced { .. })), "{failed:?}");

    let reader = log.reader();
    assert_eq!(everything(&reader).await, before);
    assert_eq!(reader.state(other.id).await.unwrap(), None);
    assert_eq!(reader.command("command").await.unwrap(), None);
    assert_eq!(reader.inbox_read("inbox").await.unwrap(), 0);
    let next = log.commit(events(goal(2), [1])).await.unwrap().events.remove(0);
    assert_eq!((next.pos, next.seq), (2, 1));
}

pub(super) async fn pages_are_bounded(place: Place) {
    let log = place.log().await;
    log.commit(events(goal(1), 1..=10)).await.unwrap();
    let reader = log.reader();
    let page = async |pos, limit| -> Vec<u64> {
        let page = reader.events_after(pos, limit).await.unwrap();
        page.iter().map(|event| event.pos).collect()
    };
    assert_eq!(page(0, 4).await, [1, 2, 3, 4]);
    assert_eq!(page(4, 4).await, [5, 6, 7, 8]);
    assert_eq!(page(8, 4).await, [9, 10]);
    assert_eq!(page(10, 4).await, [0; 0]);
    assert_eq!(page(3, 0).await, [0; 0]);
}

pub(super) async fn a_page_ends_before_a_mebibyte(place: Place) {
    let log = place.log().await;
    let heavy = |n, bytes| NewEvent { body: "x".repeat(bytes), ..event(n) };
    let sizes = [400_000, 400_000, 400_000, 3_000_000, 1, 1];
    let events = sizes.iter().enumerate().map(|(n, bytes)| heavy(n as u64, *bytes));
    let goal = goal(1);
    let events = events.collect();
    log.commit(batch([Write::Events { goal, events }])).await.unwrap();

    let mut pages = Vec::new();
    let mut pos = 0;
    while pos < sizes.len() as u64 {
        let page = log.reader().events_after(pos, 100).await.unwrap();
        pages.push(page.len());
        pos = page.last().unwrap().pos;
    }
    assert_eq!(pages, [2, 1, 1, 2], "one too large for any page has its own");
}

/// A client may say any number.
pub(super) async fn a_position_beyond_every_event_has_no_page(place: Place) {
    let log = place.log().await;
    log.commit(events(goal(1), [1])).await.unwrap();
    for pos in [2, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        assert_eq!(log.reader().events_after(pos, 10).await.unwrap(), [], "{pos}");
    }
}

pub(super) async fn each_opening_is_a_new_incarnation(place: Place) {
    for start in 1..=3 {
        let log = place.log().await;
        let identity = log.identity().clone();
        let expected = if place.lasts() { start } else { 1 };
        assert_eq!((identity.id.as_str(), identity.generation, identity.incarnation), ("log-1", 1, expected));
        assert_eq!(log.reader().identity().await.unwrap(), Some(identity));
    }
}

pub(super) async fn a_cursor_is_of_its_log(place: Place) {
    let log = place.log().await;
    let cursor = Cursor::at(log.identity(), 5);
    let back: Cursor = cursor.to_string().parse().unwrap();
    assert_eq!(back, cursor);
    assert!(back.is_of(log.identity()));
    let mut restored = log.identity().clone();
    restored.generation += 1;
    assert!(!back.is_of(&restored));
    let mut other = log.identity().clone();
    other.id = "log-2".to_owned();
    assert!(!back.is_of(&other));
    let mut restarted = log.identity().clone();
    restarted.incarnation += 1;
    assert!(back.is_of(&restarted), "a restart is the same history");
}

/// Polls all of them together and collects what they gave.
pub(super) async fn join<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
