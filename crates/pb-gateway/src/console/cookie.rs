//! How a browser keeps its access token: in two halves. One is in a cookie, which no script can read and no other site
//! has sent. But a browser sends the cookies of a machine to each of its ports; so the page keeps the other half, in the
//! storage that is its origin's alone, and says it each time.

use axum::http::header::{COOKIE, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};

/// Longest that a browser keeps one, in seconds (400 days).
const KEPT_MAX_S: u64 = 400 * 24 * 3600;
/// Bytes of each half: none can be guessed from the other.
const HALF_BYTES: usize = 16;
/// Where a page says its half.
const KEY: HeaderName = HeaderName::from_static("pb-console-key");
/// How it says it for a WebSocket, which takes no header of a page's: as one of the subprotocols that it offers.
const KEY_PROTOCOL: &str = "pb-key.";

/// The two halves of a secret.
#[derive(Clone)]
pub(super) struct Halves {
    pub(super) cookie: String,
    /// For the page.
    pub(super) key: String,
}

impl Halves {
    /// Fresh ones; `None` where the system gives no random numbers.
    pub(super) fn new() -> Option<Self> {
        let half = || {
            let mut bytes = [0; HALF_BYTES];
            SystemRandom::new().fill(&mut bytes).ok().map(|()| hex::encode(bytes))
        };
        Some(Self { cookie: half()?, key: half()? })
    }

    /// The access token's secret.
    pub(super) fn secret(&self) -> String {
        format!("{}{}", self.cookie, self.key)
    }
}

/// The cookie's name: with the port, for a browser sends the cookies of a machine to each of its ports.
fn name(port: u16) -> String {
    format!("pb-console-{port}")
}

/// The secret of which a request has both halves.
pub(crate) fn secret_of(headers: &HeaderMap, port: u16) -> Option<String> {
    let name = name(port);
    let cookie =
        items(headers, &COOKIE, ';').find_map(|one| one.strip_prefix(name.as_str())?.strip_prefix('='))?;
    let offered = || items(headers, &SEC_WEBSOCKET_PROTOCOL, ',');
    let said = headers.get(KEY).and_then(|key| key.to_str().ok());
    let key = said.or_else(|| offered().find_map(|one| one.strip_prefix(KEY_PROTOCOL)))?;
    // Each as long as it is made, or one that came by a cookie might be the whole.
    let is_half = |half: &str| half.len() == 2 * HALF_BYTES;
    (is_half(cookie) && is_half(key)).then(|| format!("{cookie}{key}"))
}

/// The items of headers that are lists.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName, between: char) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(move |value| value.split(between)).map(str::trim)
}

/// Has a browser keep its half, for so many seconds or until it is closed.
pub(super) fn kept(half: &str, port: u16, for_s: Option<u64>, is_encrypted: bool) -> Option<HeaderValue> {
    let age = for_s.map(|seconds| format!("; Max-Age={}", seconds.min(KEPT_MAX_S))).unwrap_or_default();
    cookie(port, half, &age, is_encrypted)
}

/// Has a browser forget it.
pub(super) fn cleared(port: u16, is_encrypted: bool) -> Option<HeaderValue> {
    cookie(port, "", "; Max-Age=0", is_encrypted)
}

fn cookie(port: u16, value: &str, age: &str, is_encrypted: bool) -> Option<HeaderValue> {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}", name(port));
    HeaderValue::try_from(text).ok()
}
