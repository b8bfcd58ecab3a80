//! From an HTTP request to its answer, chunk by chunk.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;

use super::reply::{Fault, StatusFault};
use super::request::{Delivery, Request, Wire};
use super::state::{Envelope, Shared};
use super::turn::Turn;
use super::wire;

/// Longest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Where a credential may stand.
const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "x-goog-api-key"];

/// The routes of all three wires.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/chat/completions", post(chat_completions))
        .route("/v1/messages", post(messages))
        .route("/messages", post(messages))
        .route("/v1beta/models/{*call}", post(contents))
        .route("/models/{*call}", post(contents))
        .route("/v1/models", get(models))
        .route("/models", get(models))
        .route("/v1beta/models", get(gemini_models))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared)
}

async fn models(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(wire::models(Wire::OpenAi, &shared.model()))
}

async fn gemini_models(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(wire::models(Wire::Gemini, &shared.model()))
}

async fn chat_completions(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    named(shared, Wire::OpenAi, envelope(&uri, &headers, &body), &body).await
}

async fn messages(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    named(shared, Wire::Anthropic, envelope(&uri, &headers, &body), &body).await
}

async fn contents(
    State(shared): State<Arc<Shared>>,
    Path(call): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let as_events = uri.query().is_some_and(|query| query.split('&').any(|part| part == "alt=sse"));
    let (model, delivery) = match call.rsplit_once(':') {
        Some((model, "streamGenerateContent")) if as_events => (model, Delivery::Events),
        Some((model, "streamGenerateContent")) => (model, Delivery::Array),
        Some((model, "generateContent")) => (model, Delivery::Whole),
        _ => return failure(Wire::Gemini, 404, "no such method"),
    };
    let body_value = match serde_json::from_slice(&body) {
        Ok(value) => value,
        Err(error) => return no_json(Wire::Gemini, &error),
    };
    let request = Request { wire: Wire::Gemini, delivery, model: model.to_owned(), body: body_value };
    answer(shared, request, envelope(&uri, &headers, &body)).await
}

/// A request that names its model, and whether it wants a stream, in its body.
async fn named(shared: Arc<Shared>, wire: Wire, envelope: Envelope, body: &[u8]) -> Response {
    let body: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return no_json(wire, &error),
    };
    let streamed = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    let delivery = if streamed { Delivery::Events } else { Delivery::Whole };
    let model = body.get("model").and_then(Value::as_str).map(str::to_owned);
    let model = model.unwrap_or_else(|| shared.model());
    answer(shared, Request { wire, delivery, model, body }, envelope).await
}

fn envelope(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Envelope {
    let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
    let credential = CREDENTIALS.iter().find_map(|name| headers.get(*name));
    Envelope {
        path: path.to_owned(),
        authorization: credential.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        body_bytes: body.len(),
        at: Instant::now(),
    }
}

async fn answer(shared: Arc<Shared>, request: Request, envelope: Envelope) -> Response {
    let turn = match shared.next(&request, envelope) {
        Ok(turn) => turn,
        Err(why) => return failure(request.wire, 500, &why),
    };
    if let Some(name) = &turn.reply.hold {
        shared.hold(name).await;
    }
    let fault = match turn.reply.fault.clone() {
        Some(Fault::Status(fault)) => return status(request.wire, &fault),
        fault => fault,
    };
    let kind = match request.delivery {
        Delivery::Events => "text/event-stream; charset=utf-8",
        Delivery::Whole | Delivery::Array => "application/json",
    };
    let body = match (request.delivery, &fault) {
        (Delivery::Whole, None) => Body::from(wire::document(request.wire, &turn).to_string()),
        _ => Body::from_stream(sending(chunks(&request, &turn), &turn, fault)),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}

fn chunks(request: &Request, turn: &Turn) -> Vec<String> {
    match request.delivery {
        Delivery::Events => wire::events(request, turn),
        Delivery::Array => wire::array(turn),
        Delivery::Whole => {
            let document = wire::document(request.wire, turn).to_string();
            turn.pieces(&document).into_iter().map(str::to_owned).collect()
        }
    }
}

/// A body that is on its way.
struct Sending {
    chunks: std::vec::IntoIter<String>,
    sent: usize,
    delay: Duration,
    fault: Option<Fault>,
}

fn sending(
    chunks: Vec<String>,
    turn: &Turn,
    fault: Option<Fault>,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + use<> {
    let delay = Duration::from_millis(turn.reply.chunk_delay_ms.unwrap_or(0));
    let sending = Sending { chunks: chunks.into_iter(), sent: 0, delay, fault };
    stream::unfold(sending, |mut sending| async {
        let chunk = sending.next().await?;
        Some((chunk, sending))
    })
}

impl Sending {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        // What stands before this chunk, be it the headers, leaves the process first.
        tokio::task::yield_now().await;
        if self.sent > 0 && !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await; // wait: the script asks for this pause.
        }
        match &self.fault {
            Some(Fault::Cut(cut)) if self.sent >= cut.cut_after_chunks => {
                // HTTP ends what is chunked with a chunk of nothing; an error ends the connection without.
                return Some(Err(io::Error::other("the script cuts here")));
            }
            Some(Fault::Hang(hang)) if self.sent >= hang.hang_after_chunks => std::future::pending().await,
            Some(Fault::Cut(_) | Fault::Hang(_) | Fault::Status(_)) | None => {}
        }
        self.sent += 1;
        self.chunks.next().map(|chunk| Ok(Bytes::from(chunk)))
    }
}

fn status(wire: Wire, fault: &StatusFault) -> Response {
    let code = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = code.canonical_reason().unwrap_or("scripted fault").to_lowercase();
    let mut response = match &fault.body {
        Some(Value::String(text)) => (code, text.clone()).into_response(),
        Some(body) => (code, Json(body.clone())).into_response(),
        None => (code, Json(wire::error(wire, fault.status, &message))).into_response(),
    };
    if let Some(seconds) = fault.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn failure(wire: Wire, status: u16, why: &str) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (code, Json(wire::error(wire, status, why))).into_response()
}

fn no_json(wire: Wire, error: &serde_json::Error) -> Response {
    failure(wire, 400, &format!("the body is no JSON: {error}"))
}
