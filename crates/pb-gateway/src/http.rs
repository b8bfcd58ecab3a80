//! The routes. Any path upgrades to a WebSocket, as in the first implementation.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::json;

use crate::admit::{self, Admitted, Door, Elsewhere, Refusal};
use crate::console;
use crate::hub::Hub;
use crate::server::Peer;
use crate::websocket::{Handshake, asks_for_one, handshake};
use crate::{api, health, session, sse};

/// Every route of the gateway's port.
pub(crate) fn router(hub: Arc<Hub>) -> Router {
    let routes = Router::new()
        .route("/events", get(events))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/version", get(health::version))
        .route(console::SESSION, get(console::look).post(console::enter).delete(console::leave))
        .merge(api::routes(&hub))
        .fallback(any(websocket));
    behind_the_door(routes, hub)
}

/// Every route of the debug server's port.
pub(crate) fn debug_router(hub: Arc<Hub>) -> Router {
    behind_the_door(api::routes(&hub).fallback(any(api::begin)), hub)
}

/// All but `/livez` and the files of the console are behind [`admit`]; those that only tell something know GET and
/// HEAD.
fn behind_the_door(routes: Router<Arc<Hub>>, hub: Arc<Hub>) -> Router {
    routes
        .layer(middleware::from_fn_with_state(Arc::clone(&hub), admission))
        .route("/livez", get(|| async { "ok\n" }))
        .layer(middleware::map_response(guarded))
        .with_state(hub)
}

/// What every answer tells a browser, whatever page made it ask. A route that serves a page says more itself.
const GUARDS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds the [`GUARDS`] that the answer has not said itself.
async fn guarded(mut response: Response) -> Response {
    for (name, value) in GUARDS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn admission(
    State(hub): State<Arc<Hub>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_main = peer.port == hub.address.port();
    let door = Door {
        port: peer.port,
        access: &hub.access,
        now_ms: hub.clock.now_ms(),
        our_uid: rustix::process::geteuid().as_raw(),
        peer: peer.address,
        peer_uid: peer.uid,
        tools_are_confined: hub.tools_are_confined,
        elsewhere: hub
            .tls
            .as_ref()
            .zip(peer.through_tls)
            .map(|(tls, address)| Elsewhere { names: &tls.names, address }),
        may_be_pending: is_main
            && (hub.pending_connections.is_some() || peer.through_tls.is_some())
            && asks_for_one(&request),
    };
    if let Some(file) = file_asked_for(&request).filter(|_| is_main) {
        match admit::may_see_files(request.headers(), request.uri(), &door) {
            Ok(true) => return file.answer(request.headers(), hub.web_dir.as_deref()),
            Ok(false) => {} // No browser: it is told what it always was.
            Err(refusal) => return refused(&hub, &peer, refusal),
        }
    }
    if is_main && console::is_entry(&request) {
        return match admit::admit_browser(request.headers(), request.uri(), &door) {
            Ok(invitation) => {
                request.extensions_mut().insert(invitation);
                next.run(request).await
            }
            Err(refusal) => refused(&hub, &peer, refusal),
        };
    }
    match admit::admit(request.headers(), request.uri(), &door) {
        // Whichever route it asked for: it gets a connection on which to say who it is, and nothing else.
        Ok(admitted) if admitted.is_pending => websocket(State(hub), Extension(admitted), request).await,
        Ok(admitted) => {
            request.extensions_mut().insert(admitted);
            next.run(request).await
        }
        Err(refusal) => refused(&hub, &peer, refusal),
    }
}

/// The file of the console that is asked for.
fn file_asked_for(request: &Request) -> Option<&'static console::File> {
    let is_plain = matches!(*request.method(), Method::GET | Method::HEAD) && !asks_for_one(request);
    is_plain.then(|| console::file_at(request.uri().path())).flatten()
}

fn refused(hub: &Hub, peer: &Peer, refusal: Refusal) -> Response {
    hub.metrics.refused(refusal.reason());
    tracing::info!(%refusal, peer_uid = ?peer.uid, "a connection is refused");
    refusal.into_response()
}

async fn websocket(
    State(hub): State<Arc<Hub>>,
    Extension(admitted): Extension<Admitted>,
    mut request: Request,
) -> Response {
    match handshake(&mut request) {
        Some(handshake) => begin(&hub, admitted, handshake),
        None => no_upgrade(),
    }
}

async fn events(
    State(hub): State<Arc<Hub>>,
    Extension(admitted): Extension<Admitted>,
    Extension(peer): Extension<Peer>,
    (headers, query): (HeaderMap, Result<Query<sse::Asked>, QueryRejection>),
    mut request: Request,
) -> Response {
    if let Some(handshake) = handshake(&mut request) {
        return begin(&hub, admitted, handshake);
    }
    match query {
        Ok(Query(asked)) => {
            if let Some(grant) = admitted.grant {
                let (clock, cut) = (hub.clock.clone(), peer.cut.clone());
                hub.tasks.spawn("end of a token", async move { grant.cut_off(&clock, &cut).await });
            }
            sse::serve(hub, &peer, &headers, asked).await
        }
        Err(error) => {
            let body = json!({"error": error.body_text()});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

fn begin(hub: &Arc<Hub>, admitted: Admitted, handshake: Handshake) -> Response {
    let response = handshake.response();
    let serving = Arc::clone(hub);
    let session = async move {
        if let Some((stream, came)) = handshake.socket().await {
            session::run(stream, came, serving, admitted).await;
        }
    };
    hub.tasks.spawn("session", hub.sessions.track_future(session));
    response
}

fn no_upgrade() -> Response {
    let text = format!(
        "PonyBunny gateway {}: connect a WebSocket client, or read GET /events\n",
        pb_runtime::VERSION
    );
    (StatusCode::UPGRADE_REQUIRED, [("upgrade", "websocket")], text).into_response()
}
