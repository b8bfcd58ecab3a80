//! The cookie in which a browser keeps its access token: no script can read it, and no other site has it sent.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// Longest that a browser keeps one, in seconds (400 days).
const KEPT_MAX_S: u64 = 400 * 24 * 3600;

/// The name: with the port, for a browser sends the cookies of a machine to each of its ports.
fn name(port: u16) -> String {
    format!("pb-console-{port}")
}

/// The token in a request's cookies.
pub(crate) fn secret_of(headers: &HeaderMap, port: u16) -> Option<&str> {
    let name = name(port);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(name.as_str())?.strip_prefix('='))
}

/// Has a browser keep it, for so many seconds or until it is closed.
pub(super) fn kept(secret: &str, port: u16, for_s: Option<u64>, is_encrypted: bool) -> Option<HeaderValue> {
    let age = for_s.map(|seconds| format!("; Max-Age={}", seconds.min(KEPT_MAX_S))).unwrap_or_default();
    cookie(port, secret, &age, is_encrypted)
}

/// Has a browser forget it.
pub(crate) fn cleared(port: u16, is_encrypted: bool) -> Option<HeaderValue> {
    cookie(port, "", "; Max-Age=0", is_encrypted)
}

fn cookie(port: u16, value: &str, age: &str, is_encrypted: bool) -> Option<HeaderValue> {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}", name(port));
    HeaderValue::try_from(text).ok()
}
