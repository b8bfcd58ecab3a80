//! What may be looked at by plain HTTP (`wire.md` §3.4): debug events, goals, items, runs, sums, and how a goal
//! came to where it is. It is served on a port of its own, the debug server's, and beside everything else on the
//! gateway's, so that a page of ours need not ask another origin.
//!
//! ```text
//!   GET /api/... --- admission, `admin` --- a turn (4 at once, 10 s) ---+--- state.db: rows, as goal.list and
//!                                                                       |    others read them; events, folded
//!   WebSocket on the debug server's port --- live.rs ---+               +--- trace.db: debug events
//!                                                       +-- player.rs: a goal played again
//! ```
//!
//! Paths, keys and the order of rows are those of the first implementation; what is new is added beside them.
//! Nothing is kept between two requests.

mod answer;
mod events;
mod health;
mod live;
mod metrics;
mod player;
mod replay;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use pb_protocol::Permission;

use crate::admit::Admitted;
use crate::hub::Hub;
use answer::Refused;

pub(crate) use live::begin;
pub(crate) use metrics::Sums;
pub(crate) use player::PLAYERS_MAX;

/// Requests that are worked on at once; further ones wait for their turn.
pub(crate) const TURNS: usize = 4;
/// How long a request may take, and wait for its turn.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long is looked for what is asked before the answer tells what was found so far.
const LOOK_MAX: Duration = Duration::from_secs(5);
/// Rows of a page that names no limit.
const LIMIT_DEFAULT: usize = 100;
/// Most rows of a page.
const LIMIT_MAX: usize = 1_000;
/// How many rows may be passed over.
const OFFSET_MAX: usize = 100_000;

/// Every route below `/api`.
pub(crate) fn routes(hub: &Arc<Hub>) -> Router<Arc<Hub>> {
    Router::new()
        .route("/api/health", get(health::health))
        .route("/api/events", get(events::events))
        .route("/api/goals", get(rows::goals))
        .route("/api/goals/{goal}", get(rows::goal))
        .route("/api/workitems", get(rows::work_items))
        .route("/api/runs", get(rows::runs))
        .route("/api/metrics", get(metrics::metrics))
        .route("/api/replay/{goal}/timeline", get(replay::timeline))
        .route("/api/replay/{goal}/events", get(replay::events))
        .route("/api/replay/{goal}/state/{at}", get(replay::state))
        .route("/api/replay/{goal}/diff/{event}", get(replay::diff))
        .route("/api/{*rest}", any(unknown))
        .route("/api", any(unknown))
        .layer(middleware::from_fn_with_state(Arc::clone(hub), turn))
}

async fn unknown() -> Refused {
    Refused::NotFound("Not found".to_owned())
}

/// Lets in who may see everything, a few at a time.
async fn turn(
    State(hub): State<Arc<Hub>>,
    Extension(admitted): Extension<Admitted>,
    request: Request,
    next: Next,
) -> Response {
    if !admitted.permissions.allow(&[Permission::Admin]) {
        return Refused::Denied.into_response();
    }
    let answer = async {
        // Nobody closes it.
        let _turn = hub.api_turns.acquire().await;
        next.run(request).await
    };
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(response) => response,
        Err(_) => Refused::Busy.into_response(),
    }
}

/// A page's size.
fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX)
}

/// How many rows come before a page.
fn offset(asked: Option<usize>) -> usize {
    asked.unwrap_or(0).min(OFFSET_MAX)
}
