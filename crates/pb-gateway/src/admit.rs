//! Who may come in, and what they may do (`security.md`, "The gateway").
//!
//! A browser sends `Origin` and `Host`: both must be ours, and it needs the token, for any page can
//! make it connect. A program sends no `Origin`: it is let in with the token, or because its socket
//! belongs to our own user. Nothing is trusted for coming from a loopback address.

use axum::Json;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use pb_protocol::Permission;
use serde_json::json;
use subtle::ConstantTimeEq;

/// What the token and, where tools are confined, our own user give.
const FULL: &[Permission] = &[Permission::Read, Permission::Write, Permission::Admin];
/// What our own user gives where it could be a tool that asks.
const LOOK: &[Permission] = &[Permission::Read];

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// What they may do.
    pub(crate) permissions: &'static [Permission],
    /// Their name in commands: `token` or `local:<uid>`.
    pub(crate) actor: String,
}

/// What the decision depends on besides the request.
#[derive(Debug)]
pub(crate) struct Door<'a> {
    pub(crate) port: u16,
    pub(crate) token: &'a str,
    /// Our own user.
    pub(crate) our_uid: u32,
    /// The user at the other end, if it could be found out.
    pub(crate) peer_uid: Option<u32>,
    pub(crate) tools_are_confined: bool,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the Host of this request is not this gateway")]
    ForeignHost,
    #[error("pages of another origin may not connect")]
    ForeignOrigin,
    #[error("a token has no place in a URL")]
    TokenInUrl,
    #[error("the token is not valid")]
    WrongToken,
    #[error("a browser needs the token")]
    BrowserWithoutToken,
    #[error("the connection belongs to another user")]
    OtherUser,
    #[error("whose connection this is could not be found out")]
    UnknownUser,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::ForeignHost | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::TokenInUrl => StatusCode::BAD_REQUEST,
            Self::WrongToken | Self::BrowserWithoutToken | Self::OtherUser | Self::UnknownUser => {
                StatusCode::UNAUTHORIZED
            }
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::ForeignHost => "connect to 127.0.0.1, localhost or [::1] with the gateway's own port",
            Self::ForeignOrigin => "only pages that the gateway itself serves may connect",
            Self::TokenInUrl => "send it as `Authorization: Bearer TOKEN`; URLs end up in logs",
            Self::WrongToken => "the token is in $PB_HOME/token of the user that runs the gateway",
            Self::BrowserWithoutToken | Self::OtherUser | Self::UnknownUser => {
                "send `Authorization: Bearer TOKEN` with the content of $PB_HOME/token"
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.to_string(), "hint": self.hint()});
        (self.status(), Json(body)).into_response()
    }
}

/// Decides about one request, before a byte of it is acted upon.
pub(crate) fn admit(headers: &HeaderMap, uri: &Uri, door: &Door<'_>) -> Result<Admitted, Refusal> {
    if !only(headers, &HOST).is_some_and(|host| is_our_host(host, door.port)) {
        return Err(Refusal::ForeignHost);
    }
    let from_browser = headers.contains_key(ORIGIN);
    if from_browser && !only(headers, &ORIGIN).is_some_and(|origin| is_our_origin(origin, door.port)) {
        return Err(Refusal::ForeignOrigin);
    }
    if uri.query().is_some_and(|query| names_a_token(query, door.token)) {
        return Err(Refusal::TokenInUrl);
    }
    if headers.contains_key(AUTHORIZATION) {
        return match only(headers, &AUTHORIZATION).and_then(bearer) {
            Some(token) if bool::from(token.as_bytes().ct_eq(door.token.as_bytes())) => {
                Ok(Admitted { permissions: FULL, actor: "token".to_owned() })
            }
            _ => Err(Refusal::WrongToken),
        };
    }
    if from_browser {
        return Err(Refusal::BrowserWithoutToken);
    }
    match door.peer_uid {
        Some(uid) if uid == door.our_uid => Ok(Admitted {
            permissions: if door.tools_are_confined { FULL } else { LOOK },
            actor: format!("local:{uid}"),
        }),
        Some(_) => Err(Refusal::OtherUser),
        None => Err(Refusal::UnknownUser),
    }
}

/// The header's value, if there is exactly one and it is text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// Whether `host[:port]` names us. A name that merely resolves to loopback does not.
fn is_our_host(host: &str, port: u16) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|name| {
        host.get(..name.len())
            .filter(|start| start.eq_ignore_ascii_case(name))
            .and_then(|_| host.get(name.len()..))
            .is_some_and(|rest| rest.is_empty() || rest == format!(":{port}"))
    })
}

fn is_our_origin(origin: &str, port: u16) -> bool {
    origin
        .strip_prefix("http://")
        .is_some_and(|host| host.ends_with(&format!(":{port}")) && is_our_host(host, port))
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn names_a_token(query: &str, token: &str) -> bool {
    let named = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        name.contains("token") || matches!(name.as_str(), "authorization" | "auth" | "key" | "api_key")
    });
    named || query.contains(token)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const PORT: u16 = 18789;
    const TOKEN: &str = "cafe";

    fn check(headers: &[(&str, &str)], path: &str, peer_uid: Option<u32>) -> Result<Admitted, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let door = Door { port: PORT, token: TOKEN, our_uid: 1000, peer_uid, tools_are_confined: true };
        admit(&map, &path.parse().unwrap(), &door)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:18789");

    #[test]
    fn hosts() {
        for ours in ["127.0.0.1", "localhost", "LocalHost:18789", "[::1]:18789", "[::1]"] {
            assert!(check(&[("host", ours)], "/", Some(1000)).is_ok(), "{ours}");
        }
        for foreign in [
            "evil.example",
            "127.0.0.1:80",
            "127.0.0.1.evil.example:18789",
            "localhost.:18789",
            "127.0.0.2:18789",
            "",
            "127.0.0.1:18789:18789",
            "家",
        ] {
            let refused = check(&[("host", foreign)], "/", Some(1000));
            assert_eq!(refused, Err(Refusal::ForeignHost), "{foreign}");
        }
        assert_eq!(check(&[], "/", Some(1000)), Err(Refusal::ForeignHost));
        assert_eq!(check(&[HOST, HOST], "/", Some(1000)), Err(Refusal::ForeignHost));
    }

    #[test]
    fn origins() {
        for foreign in [
            "null",
            "http://evil.example",
            "https://127.0.0.1:18789",
            "http://127.0.0.1",
            "http://127.0.0.1:18790",
            "http://localhost.evil.example:18789",
            "http://evil@127.0.0.1:18789",
        ] {
            let headers = [HOST, ("origin", foreign), ("authorization", "Bearer cafe")];
            assert_eq!(check(&headers, "/", Some(1000)), Err(Refusal::ForeignOrigin), "{foreign}");
        }
        for ours in ["http://127.0.0.1:18789", "http://localhost:18789", "http://[::1]:18789"] {
            let bare = check(&[HOST, ("origin", ours)], "/", Some(1000));
            assert_eq!(bare, Err(Refusal::BrowserWithoutToken), "{ours}");
            let headers = [HOST, ("origin", ours), ("authorization", "Bearer cafe")];
            assert!(check(&headers, "/", None).is_ok(), "{ours}");
        }
    }

    #[test]
    fn tokens_and_users() {
        let with = |value| check(&[HOST, ("authorization", value)], "/", Some(1000));
        assert_eq!(with("Bearer cafe").unwrap().actor, "token");
        for wrong in ["Bearer caff", "Bearer ", "Bearer", "Basic cafe", "cafe"] {
            assert_eq!(with(wrong), Err(Refusal::WrongToken), "{wrong}");
        }
        for url in ["/?token=cafe", "/?a=b&access_token=x", "/events?x=cafe", "/?Auth=1"] {
            assert_eq!(check(&[HOST], url, Some(1000)), Err(Refusal::TokenInUrl), "{url}");
        }
        assert_eq!(check(&[HOST], "/", Some(1000)).unwrap().actor, "local:1000");
        assert_eq!(check(&[HOST], "/", Some(1001)), Err(Refusal::OtherUser));
        assert_eq!(check(&[HOST], "/", None), Err(Refusal::UnknownUser));
    }
}
