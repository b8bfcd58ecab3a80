//! `GET /readyz` and `GET /version`: whether clients can be served now, and what serves them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pb_runtime::disk;
use serde::Serialize;

use crate::hub::Hub;
use crate::metrics;

/// The version of what is spoken on the WebSocket (docs/RPC.md).
pub(crate) const PROTOCOL: &str = "1";
/// How long a file may take to answer.
const LOOK_MAX: Duration = Duration::from_secs(2);

/// Whether clients can be served, and what that depends on.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    components: Components,
}

#[derive(Debug, Serialize)]
struct Components {
    /// Whether it is not about to stop.
    gateway: Component,
    /// Whether commands can be kept.
    inbox: Component,
    /// Whether events can be read. A log that no scheduler has made yet is none that cannot be read.
    log: Component,
    /// Whether a scheduler is connected. Clients are served without.
    link: Component,
    /// Whether there is room for new goals. Clients are served without.
    disk: Component,
}

#[derive(Debug, Serialize)]
struct Component {
    ok: bool,
    /// Whether clients cannot be served without it.
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Component {
    fn required(found: Result<(), String>) -> Self {
        Self { ok: found.is_ok(), required: true, problem: found.err() }
    }

    fn optional(found: Result<(), String>) -> Self {
        Self { ok: found.is_ok(), required: false, problem: found.err() }
    }
}

/// `GET /readyz`: 200 or 503, and why.
pub(crate) async fn readyz(State(hub): State<Arc<Hub>>) -> Response {
    let components = Components {
        gateway: Component::required(if hub.stopping.is_cancelled() {
            Err("it is stopping".to_owned())
        } else {
            Ok(())
        }),
        // Nothing has the position 0: this is a write that changes nothing.
        inbox: Component::required(in_time(hub.inbox.forget(0)).await),
        log: Component::required(in_time(async { hub.feed.look().await.map(|_| ()) }).await),
        link: Component::optional(link(&hub)),
        disk: Component::optional(
            disk::refuse_low(hub.home.root(), hub.free_bytes_min).map_err(|error| error.to_string()),
        ),
    };
    let Components { gateway, inbox, log, .. } = &components;
    let ready = [gateway, inbox, log].into_iter().all(|one| one.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(Ready { ready, components })).into_response()
}

fn link(hub: &Hub) -> Result<(), String> {
    if hub.link.scheduler().is_some() {
        return Ok(());
    }
    Err("no scheduler is connected; what is asked for waits in the inbox".to_owned())
}

async fn in_time(work: impl Future<Output = Result<(), pb_store::Error>>) -> Result<(), String> {
    match tokio::time::timeout(LOOK_MAX, work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOK_MAX.as_secs())),
    }
}

/// `GET /version`.
pub(crate) async fn version() -> Json<About> {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    Json(About { name: "PonyBunny Gateway", version: pb_runtime::VERSION, build, protocol: PROTOCOL })
}

/// What serves.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    name: &'static str,
    version: &'static str,
    /// How it was built: `release` or `debug`.
    build: &'static str,
    protocol: &'static str,
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    match metrics::page(&hub).await {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, prometheus_client::encoding::prometheus_text::CONTENT_TYPE),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
