//! What a browser asks for to get in, to see whether it is in, and to leave.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::cookie::{self, Halves};
use crate::access::Invitation;
use crate::admit::Admitted;
use crate::hub::Hub;
use crate::server::Peer;

/// Where.
pub(crate) const SESSION: &str = "/console/session";
/// What the access tokens of browsers are called.
const TOKEN_NAME: &str = "console";

/// Whether a browser asks to be let in. It brings a code, and not what others come in by.
pub(crate) fn is_entry(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path() == SESSION
}

/// `POST`: a browser that was let in by a code is given its access token: one half in a cookie, one in the answer.
pub(crate) async fn enter(
    State(hub): State<Arc<Hub>>,
    Extension(invitation): Extension<Invitation>,
    Extension(peer): Extension<Peer>,
) -> Response {
    let now = hub.clock.now_ms();
    let Some(halves) = Halves::new() else {
        tracing::warn!("a browser cannot come in: the system gives no random numbers");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let left = invitation.expires_at_ms.map(|at| at.saturating_sub(now) / 1_000);
    let token = match hub.access.add(invitation.token(&halves.secret(), TOKEN_NAME, now)).await {
        Ok(token) => token,
        Err(error) => {
            tracing::warn!(%error, "the access token of a browser cannot be kept");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let kept = cookie::kept(&halves.cookie, hub.address.port(), left, peer.through_tls.is_some());
    let mut answer = Json(json!({"key": halves.key})).into_response();
    answer.headers_mut().extend(kept.map(|kept| (SET_COOKIE, kept)));
    tracing::info!(token = %token.id, "a browser came in");
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
