//! The handshake (RFC 6455 §4.2).

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::socket::Socket;

/// The one version of the protocol that there is.
const PROTOCOL_VERSION: &[u8] = b"13";
/// The subprotocol that the console offers beside the one that carries its key: a browser gives up where none that it
/// offered is chosen. It means nothing else.
const CONSOLE: &str = "pb-console";

/// A request that becomes a WebSocket once it is answered.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: String,
    is_console: bool,
    upgrade: OnUpgrade,
}

/// Looks whether the request asks for a WebSocket, and takes it.
pub(crate) fn handshake(request: &mut Request<Body>) -> Option<Handshake> {
    let accept = derive_accept_key(request.headers().get(SEC_WEBSOCKET_KEY)?.as_bytes());
    let is_console = has(request.headers(), &SEC_WEBSOCKET_PROTOCOL, CONSOLE.as_bytes());
    asks_for_one(request).then(|| Handshake { accept, is_console, upgrade: hyper::upgrade::on(request) })
}

/// Whether the request asks for a WebSocket.
pub(crate) fn asks_for_one(request: &Request<Body>) -> bool {
    let headers = request.headers();
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has(headers, &CONNECTION, b"upgrade")
        && has(headers, &UPGRADE, b"websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version.as_bytes() == PROTOCOL_VERSION)
        && headers.contains_key(SEC_WEBSOCKET_KEY)
}

impl Handshake {
    /// The answer that begins it.
    pub(crate) fn response(&self) -> Response {
        let headers =
            [(CONNECTION, "upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_ACCEPT, self.accept.as_str())];
        let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        if self.is_console {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(CONSOLE));
        }
        response
    }

    /// The socket, once the answer was sent, and what the other side has said already. `None` if it left.
    pub(crate) async fn socket(self) -> Option<(Socket, Bytes)> {
        let upgraded = self.upgrade.await.ok()?;
        // Only `server.rs` makes connections, and of this type.
        let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
        Some((parts.io.into_inner(), parts.read_buf))
    }
}

/// Whether a header that is a list has this word in it, whatever its case.
fn has(headers: &HeaderMap, name: &HeaderName, word: &[u8]) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|one| one.trim_ascii().eq_ignore_ascii_case(word))
}
