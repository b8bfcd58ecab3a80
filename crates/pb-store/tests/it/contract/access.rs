//! Access tokens: kept without their secrets, ended once, forgotten later.

use pb_store::AccessToken;
use pretty_assertions::assert_eq;

use crate::support::Place;

fn token(id: &str, at_ms: u64) -> AccessToken {
    AccessToken {
        id: id.to_owned(),
        name: "手机".to_owned(),
        hash: format!("hash of {id}"),
        permissions: "read,approve".to_owned(),
        created_at_ms: at_ms,
        created_by: "local:0".to_owned(),
        expires_at_ms: None,
        revoked_at_ms: None,
        public_key: None,
    }
}

pub(super) async fn a_token_is_kept_once_and_ended_once(place: Place) {
    let inbox = place.inbox().await;
    let first = inbox.add_token(token("a", 1)).await.unwrap();
    assert_eq!(first, token("a", 1));
    let again = inbox.add_token(AccessToken { name: "other".to_owned(), ..token("a", 9) }).await.unwrap();
    assert_eq!(again, first, "the same id is the same token");
    assert!(inbox.revoke_token("a".to_owned(), 5).await.unwrap());
    assert!(!inbox.revoke_token("a".to_owned(), 6).await.unwrap());
    assert!(!inbox.revoke_token("nobody".to_owned(), 6).await.unwrap());
    assert_eq!(inbox.tokens().await.unwrap(), [AccessToken { revoked_at_ms: Some(5), ..token("a", 1) }]);
}

pub(super) async fn a_key_is_bound_to_one_token_and_a_token_to_one_key(place: Place) {
    let inbox = place.inbox().await;
    for id in ["a", "b", "c"] {
        inbox.add_token(token(id, 1)).await.unwrap();
    }
    let bind = async |id: &str, key: &str| inbox.bind_token(id.to_owned(), key.to_owned(), 5).await.unwrap();
    assert!(bind("a", "key 1").await);
    assert!(!bind("a", "key 2").await, "the token has a key");
    assert!(!bind("b", "key 1").await, "the key has a token");
    assert!(bind("b", "key 2").await);
    inbox.revoke_token("c".to_owned(), 2).await.unwrap();
    assert!(!bind("c", "key 3").await, "it has ended");
    inbox.add_token(token("e", 1)).await.unwrap();
    inbox.revoke_token("a".to_owned(), 3).await.unwrap();
    assert!(bind("e", "key 1").await, "the token that had the key has ended");
}

pub(super) async fn tokens_that_ended_long_ago_are_forgotten(place: Place) {
    let inbox = place.inbox().await;
    for (id, expires_at_ms, revoked_at_ms) in [
        ("lives", None, None),
        ("expired", Some(10), None),
        ("revoked", Some(99), Some(10)),
        ("late", Some(30), None),
    ] {
        inbox.add_token(AccessToken { expires_at_ms, ..token(id, 1) }).await.unwrap();
        if let Some(at) = revoked_at_ms {
            inbox.revoke_token(id.to_owned(), at).await.unwrap();
        }
    }
    assert_eq!(inbox.forget_tokens(20).await.unwrap(), 2);
    let left: Vec<String> = inbox.tokens().await.unwrap().into_iter().map(|token| token.id).collect();
    assert_eq!(left, ["lives", "late"]);
}
