//! Results of commands, and how far an inbox was executed.

use pb_store::{StoredResult, Write};
use pretty_assertions::assert_eq;

use crate::support::{Place, batch};

fn stored(id: &str, result: &str) -> StoredResult {
    StoredResult {
        id: id.to_owned(),
        params_digest: format!("digest of {result}"),
        result: result.to_owned(),
        at_ms: 5,
    }
}

pub(super) async fn a_result_is_kept_once(place: Place) {
    let log = place.log().await;
    for result in ["first", "second"] {
        log.commit(batch([Write::CommandResult(stored("a", result))])).await.unwrap();
    }
    let reader = log.reader();
    assert_eq!(reader.command("a").await.unwrap(), Some(stored("a", "first")));
    assert_eq!(reader.command("b").await.unwrap(), None);
}

pub(super) async fn old_results_are_forgotten(place: Place) {
    let log = place.log().await;
    let late = StoredResult { at_ms: 6, ..stored("late", "2") };
    log.commit(batch([Write::CommandResult(stored("a", "1")), Write::CommandResult(late.clone())]))
        .await
        .unwrap();
    log.commit(batch([Write::ForgetResults { before_ms: 6 }])).await.unwrap();
    let reader = log.reader();
    assert_eq!(reader.command("a").await.unwrap(), None);
    assert_eq!(reader.command("late").await.unwrap(), Some(late));
}

fn read(inbox_id: &str, pos: u64) -> Write {
    Write::InboxRead { inbox_id: inbox_id.to_owned(), pos }
}

pub(super) async fn inbox_read_moves_only_forward(place: Place) {
    let log = place.log().await;
    let reader = log.reader();
    assert_eq!(reader.inbox_read("one").await.unwrap(), 0);
    for (pos, stands_at) in [(5, 5), (3, 5), (5, 5), (6, 6)] {
        log.commit(batch([read("one", pos)])).await.unwrap();
        assert_eq!(reader.inbox_read("one").await.unwrap(), stands_at);
    }
    log.commit(batch([read("two", 1)])).await.unwrap();
    assert_eq!(reader.inbox_read("one").await.unwrap(), 6);
    assert_eq!(reader.inbox_read("two").await.unwrap(), 1);
}

pub(super) async fn inbox_read_moves_with_its_batch(place: Place) {
    let log = place.log().await;
    let writes = [read("one", 1), Write::CommandResult(stored("a", "1")), read("one", 2)];
    log.commit(batch(writes)).await.unwrap();
    assert_eq!(log.reader().inbox_read("one").await.unwrap(), 2);
}
