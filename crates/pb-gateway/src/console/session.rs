//! What a browser asks for to get in, to see whether it is in, and to leave.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header::{AUTHORIZATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::cookie;
use crate::admit::{self, Admitted};
use crate::hub::Hub;
use crate::server::Peer;

/// Where.
pub(crate) const SESSION: &str = "/console/session";

/// `POST`: the access token that came as a bearer is kept in a cookie from here on.
pub(crate) async fn enter(
    State(hub): State<Arc<Hub>>,
    Extension(admitted): Extension<Admitted>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(admit::bearer);
    // Our own token never ends, so it is in no browser.
    let (Some(secret), Some(grant)) = (bearer, &admitted.grant) else {
        return refused(
            "only an access token lets a browser in",
            "make one, and open the page, with: pb console",
        );
    };
    let our_uid = rustix::process::geteuid().as_raw();
    if !admit::cookies_count(peer.uid, our_uid, peer.through_tls.is_some()) {
        return refused(
            "a browser is let in only where its connection is known to be of the user who runs the gateway, or comes through TLS",
            "open the console as the user who runs the gateway",
        );
    }
    let left = grant.expires_at_ms.map(|at| at.saturating_sub(hub.clock.now_ms()) / 1_000);
    let kept = cookie::kept(secret, hub.address.port(), left, peer.through_tls.is_some());
    let mut answer = StatusCode::NO_CONTENT.into_response();
    answer.headers_mut().extend(kept.map(|kept| (SET_COOKIE, kept)));
    tracing::info!(token = %grant.id, "a browser came in");
    answer
}

/// `GET`: who is in, and until when.
pub(crate) async fn look(Extension(admitted): Extension<Admitted>) -> Response {
    let until = admitted.grant.as_ref().and_then(|grant| grant.expires_at_ms);
    let body =
        json!({"actor": admitted.actor, "permissions": admitted.permissions.words(), "expiresAt": until});
    Json(body).into_response()
}

/// `DELETE`: the token ends, and with it every page that came in by it.
pub(crate) async fn leave(
    State(hub): State<Arc<Hub>>,
    Extension(admitted): Extension<Admitted>,
    Extension(peer): Extension<Peer>,
) -> Response {
    let Some(grant) = &admitted.grant else {
        return refused(
            "who did not come in by an access token has none to end",
            "see them with: pb gateway tokens",
        );
    };
    if let Err(error) = hub.access.revoke(&grant.id, hub.clock.now_ms()).await {
        tracing::warn!(%error, token = %grant.id, "an access token cannot be revoked");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    tracing::info!(token = %grant.id, "a browser left, and its access token is revoked");
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let cleared = cookie::cleared(hub.address.port(), peer.through_tls.is_some());
    answer.headers_mut().extend(cleared.map(|cleared| (SET_COOKIE, cleared)));
    answer
}

fn refused(error: &str, hint: &str) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({"error": error, "hint": hint}))).into_response()
}
