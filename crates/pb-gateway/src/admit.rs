//! Who may come in, and what they may do (`security.md`, "The gateway").
//!
//! A browser sends `Host` and `Origin`: both must be ours, and it needs the token, for any page can make
//! it connect. For images, scripts and the like it sends no `Origin`; then `Sec-Fetch-Site` tells. It may bring an
//! access token in two halves, a cookie and what its page says, which count for the page of our own origin only. A
//! program sends no `Origin`: it is let in with the token, or because its socket belongs to our own user. Nothing is
//! trusted for coming from a loopback address.

mod refusal;

use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Uri};
use pb_protocol::{Permission, Permissions};

use crate::access::{Access, Grant, Invitation, NoCode, Throttle, Who};
use crate::console;
pub(crate) use refusal::Refusal;

/// What our own token and, where tools are confined, our own user give.
const FULL: Permissions = Permissions::of(&[Permission::Read, Permission::Write, Permission::Admin]);
/// What our own user gives where it could be a tool that asks.
const LOOK: Permissions = Permissions::of(&[Permission::Read]);

/// What a browser says of the page that asks: `same-origin`, `same-site`, `cross-site`, or `none` where the
/// person asked. No script can change it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Somebody who was let in.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// What they may do.
    pub(crate) permissions: Permissions,
    /// Their name in commands: `token`, `token:<id>` or `local:<uid>`.
    pub(crate) actor: String,
    /// The access token that they came in by; the connection ends with it.
    pub(crate) grant: Option<Grant>,
    /// Where they come from.
    pub(crate) who: Who,
    /// Whether they have not said yet who they are, and may do nothing but that.
    pub(crate) is_pending: bool,
}

impl Admitted {
    /// Who has our own token.
    pub(crate) fn by_own_token(who: Who) -> Self {
        Self { permissions: FULL, actor: "token".to_owned(), grant: None, who, is_pending: false }
    }

    /// Who has an access token, or the key that was paired with it.
    pub(crate) fn by_grant(grant: Grant, who: Who) -> Self {
        let actor = format!("token:{}", grant.id);
        Self { permissions: grant.permissions, actor, grant: Some(grant), who, is_pending: false }
    }

    /// Who is to say it on the connection.
    fn pending(who: Who) -> Self {
        let nothing = Permissions::default();
        Self { permissions: nothing, actor: "nobody".to_owned(), grant: None, who, is_pending: true }
    }
}

/// What the decision depends on besides the request.
#[derive(Debug)]
pub(crate) struct Door<'a> {
    pub(crate) port: u16,
    pub(crate) access: &'a Access,
    pub(crate) now_ms: u64,
    /// Our own user.
    pub(crate) our_uid: u32,
    /// Where the other end is.
    pub(crate) peer: IpAddr,
    /// The user at the other end, if it could be found out.
    pub(crate) peer_uid: Option<u32>,
    pub(crate) tools_are_confined: bool,
    /// How other machines may call us, where the other end is one of those.
    pub(crate) elsewhere: Option<Elsewhere<'a>>,
    /// Whether this asks for a connection on which one may say later who one is.
    pub(crate) may_be_pending: bool,
}

/// How we are called from another machine, which came through TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere<'a> {
    /// Our names.
    pub(crate) names: &'a [String],
    /// Our address that it connected to.
    pub(crate) address: IpAddr,
}

/// Decides about one request, before a byte of it is acted upon.
pub(crate) fn admit(headers: &HeaderMap, uri: &Uri, door: &Door<'_>) -> Result<Admitted, Refusal> {
    let from_browser = look(headers, uri, door)?;
    if headers.contains_key(AUTHORIZATION) {
        return with_token(only(headers, &AUTHORIZATION).and_then(bearer), door);
    }
    if let Some(secret) = console::secret_of(headers, door.port)
        && cookies_count(door)
        && is_our_page(headers, door)
    {
        return with_cookie(&secret, door);
    }
    if from_browser {
        return Err(Refusal::BrowserWithoutToken);
    }
    let who = Who::of(door.peer, door.peer_uid);
    match door.peer_uid {
        Some(uid) if uid == door.our_uid => Ok(Admitted {
            permissions: if door.tools_are_confined { FULL } else { LOOK },
            actor: format!("local:{uid}"),
            grant: None,
            who,
            is_pending: false,
        }),
        _ if door.may_be_pending => Ok(Admitted::pending(who)),
        _ if door.elsewhere.is_some() => Err(Refusal::ElsewhereWithoutToken),
        Some(_) => Err(Refusal::OtherUser),
        None => Err(Refusal::UnknownUser),
    }
}

/// Whether a browser may be shown a file that holds no secret: it asks us by our name, for a page of our own or
/// because the person asked, and tells no secret.
pub(crate) fn may_see_files(headers: &HeaderMap, uri: &Uri, door: &Door<'_>) -> Result<bool, Refusal> {
    look(headers, uri, door)?;
    Ok(headers.contains_key(&SEC_FETCH_SITE))
}

/// Decides about a browser that comes in by a code, which is used up by that.
pub(crate) fn admit_browser(headers: &HeaderMap, uri: &Uri, door: &Door<'_>) -> Result<Invitation, Refusal> {
    look(headers, uri, door)?;
    let code = only(headers, &AUTHORIZATION).and_then(|said| of_scheme("code", said));
    let code = code.filter(|_| is_our_page(headers, door)).ok_or(Refusal::BrowserWithoutToken)?;
    if !cookies_count(door) {
        return Err(Refusal::BrowserOfAnother);
    }
    let who = unless_too_many(&door.access.wrong_codes, door)?;
    let invitation = door.access.codes.take(code, door.now_ms).map_err(|why| {
        if why == NoCode::Unknown {
            door.access.wrong_codes.failed(who, door.now_ms);
        }
        Refusal::WrongCode
    })?;
    // A call that was under way when its caller's token was revoked may have made it after that.
    if !door.access.is_live(&invitation.by) {
        return Err(Refusal::WrongCode);
    }
    Ok(invitation)
}

/// Whether cookies count on a connection: another user of this machine may have been sent ours, as a server on another
/// port, and cannot come in by it.
fn cookies_count(door: &Door<'_>) -> bool {
    door.peer_uid == Some(door.our_uid) || door.elsewhere.is_some()
}

/// Looks at what everybody has to say, and refuses what nobody may; whether it is a browser.
fn look(headers: &HeaderMap, uri: &Uri, door: &Door<'_>) -> Result<bool, Refusal> {
    if !only(headers, &HOST).is_some_and(|host| is_our_host(host, door)) {
        return Err(Refusal::ForeignHost);
    }
    if headers.contains_key(ORIGIN)
        && !only(headers, &ORIGIN).is_some_and(|origin| is_our_origin(origin, door))
    {
        return Err(Refusal::ForeignOrigin);
    }
    if headers.contains_key(&SEC_FETCH_SITE)
        && !only(headers, &SEC_FETCH_SITE).is_some_and(|site| matches!(site, "same-origin" | "none"))
    {
        return Err(Refusal::ForeignOrigin);
    }
    if uri.query().is_some_and(|query| names_a_token(query, door.access)) {
        return Err(Refusal::TokenInUrl);
    }
    Ok(headers.contains_key(ORIGIN) || headers.contains_key(&SEC_FETCH_SITE))
}

/// Whether a page of the very origin asks that is asked. `none` is not: then the person asked, who has no need of it.
fn is_our_page(headers: &HeaderMap, door: &Door<'_>) -> bool {
    let is_same = |origin: &str| {
        let scheme = if door.elsewhere.is_some() { "https://" } else { "http://" };
        let host = only(headers, &HOST).unwrap_or_default();
        origin.strip_prefix(scheme).is_some_and(|name| name.eq_ignore_ascii_case(host))
    };
    match (only(headers, &ORIGIN), only(headers, &SEC_FETCH_SITE)) {
        (Some(origin), None) => is_same(origin),
        (Some(origin), Some(site)) => site == "same-origin" && is_same(origin),
        (None, site) => site == Some("same-origin"),
    }
}

/// Decides by the access token of which a browser's cookie is one half and its page has the other. Our own token is
/// never one of those.
fn with_cookie(secret: &str, door: &Door<'_>) -> Result<Admitted, Refusal> {
    let who = unless_too_many(&door.access.wrong_cookies, door)?;
    let Some(grant) = door.access.find(secret, door.now_ms) else {
        door.access.wrong_cookies.failed(who, door.now_ms);
        return Err(Refusal::WrongCookie);
    };
    Ok(Admitted::by_grant(grant, who))
}

/// Decides by a token.
fn with_token(token: Option<&str>, door: &Door<'_>) -> Result<Admitted, Refusal> {
    let who = unless_too_many(&door.access.throttle, door)?;
    let token = token.unwrap_or_default();
    if door.access.is_own(token) {
        return Ok(Admitted::by_own_token(who));
    }
    let Some(grant) = door.access.find(token, door.now_ms) else {
        door.access.throttle.failed(who, door.now_ms);
        return Err(Refusal::WrongToken);
    };
    Ok(Admitted::by_grant(grant, who))
}

/// Who is there. Whoever sent too many wrong ones is not told whether this one is right.
fn unless_too_many(throttle: &Throttle, door: &Door<'_>) -> Result<Who, Refusal> {
    let who = Who::of(door.peer, door.peer_uid);
    match throttle.wait(who, door.now_ms) {
        Some(wait) => Err(Refusal::TooManyWrong { wait }),
        None => Ok(who),
    }
}

/// The header's value, if there is exactly one and it is text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// Whether `host[:port]` names us. A name that merely resolves to loopback does not.
fn is_our_host(host: &str, door: &Door<'_>) -> bool {
    let port = door.port;
    let is = |name: &str| {
        host.get(..name.len())
            .filter(|start| start.eq_ignore_ascii_case(name))
            .and_then(|_| host.get(name.len()..))
            .is_some_and(|rest| rest.is_empty() || rest == format!(":{port}"))
    };
    let Some(Elsewhere { names, address }) = door.elsewhere else {
        return ["127.0.0.1", "localhost", "[::1]"].into_iter().any(is);
    };
    let address = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    is(&address) || names.iter().any(|name| is(name))
}

fn is_our_origin(origin: &str, door: &Door<'_>) -> bool {
    let scheme = if door.elsewhere.is_some() { "https://" } else { "http://" };
    let port = format!(":{}", door.port);
    origin.strip_prefix(scheme).is_some_and(|host| host.ends_with(&port) && is_our_host(host, door))
}

/// The token of an `Authorization` header.
fn bearer(authorization: &str) -> Option<&str> {
    of_scheme("bearer", authorization)
}

/// What an `Authorization` header of this scheme says.
fn of_scheme<'a>(scheme: &str, authorization: &'a str) -> Option<&'a str> {
    let (said, secret) = authorization.split_once(' ')?;
    said.eq_ignore_ascii_case(scheme).then(|| secret.trim())
}

fn names_a_token(query: &str, access: &Access) -> bool {
    let named = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        name.contains("token")
            || matches!(name.as_str(), "authorization" | "auth" | "code" | "key" | "api_key")
    });
    named || access.is_told_in(query)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use pb_store::{AccessToken, Inbox, Location};

    use super::*;
    use crate::access::digest;

    const HOST: (&str, &str) = ("host", "127.0.0.1:18789");
    const OURS: Option<u32> = Some(1000);

    /// A door on port 18789 whose own token is `cafe`; `phone` is one that may look until the moment 100.
    struct Porter(Access);

    impl Porter {
        async fn new() -> Self {
            let store = Inbox::open(Location::Memory, "inbox".to_owned()).await.unwrap();
            let access = Access::open("cafe".to_owned(), store, 0).await.unwrap();
            let phone = AccessToken {
                id: "t1".to_owned(),
                name: "phone".to_owned(),
                hash: digest("phone"),
                permissions: "read".to_owned(),
                created_at_ms: 0,
                created_by: "token".to_owned(),
                expires_at_ms: Some(100),
                revoked_at_ms: None,
                public_key: None,
            };
            access.add(phone).await.unwrap();
            Self(access)
        }

        fn check(
            &self,
            headers: &[(&str, &str)],
            path: &str,
            (peer_uid, now_ms): (Option<u32>, u64),
        ) -> Result<String, Refusal> {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                let name = HeaderName::try_from(*name).unwrap();
                map.append(name, HeaderValue::from_str(value).unwrap());
            }
            let door = Door {
                port: 18789,
                access: &self.0,
                now_ms,
                our_uid: 1000,
                peer: IpAddr::from([127, 0, 0, 1]),
                peer_uid,
                tools_are_confined: true,
                elsewhere: None,
                may_be_pending: path == "/pending",
            };
            admit(&map, &path.parse().unwrap(), &door)
                .map(|admitted| format!("{} {}", admitted.actor, admitted.permissions))
        }
    }

    #[tokio::test]
    async fn hosts() {
        let porter = Porter::new().await;
        for ours in ["127.0.0.1", "localhost", "LocalHost:18789", "[::1]:18789", "[::1]"] {
            assert!(porter.check(&[("host", ours)], "/", (OURS, 0)).is_ok(), "{ours}");
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
            let refused = porter.check(&[("host", foreign)], "/", (OURS, 0));
            assert_eq!(refused, Err(Refusal::ForeignHost), "{foreign}");
        }
        assert_eq!(porter.check(&[], "/", (OURS, 0)), Err(Refusal::ForeignHost));
        assert_eq!(porter.check(&[HOST, HOST], "/", (OURS, 0)), Err(Refusal::ForeignHost));
    }

    #[tokio::test]
    async fn origins() {
        let porter = Porter::new().await;
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
            let refused = porter.check(&headers, "/", (OURS, 0));
            assert_eq!(refused, Err(Refusal::ForeignOrigin), "{foreign}");
        }
        for ours in ["http://127.0.0.1:18789", "http://localhost:18789", "http://[::1]:18789"] {
            let bare = porter.check(&[HOST, ("origin", ours)], "/", (OURS, 0));
            assert_eq!(bare, Err(Refusal::BrowserWithoutToken), "{ours}");
            let headers = [HOST, ("origin", ours), ("authorization", "Bearer cafe")];
            assert!(porter.check(&headers, "/", (None, 0)).is_ok(), "{ours}");
        }
    }

    #[tokio::test]
    async fn security_01_what_a_page_includes_says_where_the_page_is_from() {
        let porter = Porter::new().await;
        for (site, bare, with_token) in [
            ("cross-site", Err(Refusal::ForeignOrigin), Err(Refusal::ForeignOrigin)),
            // Another port of this machine is the same site, and another origin.
            ("same-site", Err(Refusal::ForeignOrigin), Err(Refusal::ForeignOrigin)),
            ("anything", Err(Refusal::ForeignOrigin), Err(Refusal::ForeignOrigin)),
            ("same-origin", Err(Refusal::BrowserWithoutToken), Ok(())),
            ("none", Err(Refusal::BrowserWithoutToken), Ok(())),
        ] {
            let headers = [HOST, ("sec-fetch-site", site), ("authorization", "Bearer cafe")];
            assert_eq!(porter.check(&headers[..2], "/metrics", (OURS, 0)).map(|_| ()), bare, "{site}");
            assert_eq!(porter.check(&headers, "/metrics", (OURS, 0)).map(|_| ()), with_token, "{site}");
        }
        let headers = [HOST, ("sec-fetch-site", "none"), ("sec-fetch-site", "none")];
        assert_eq!(porter.check(&headers, "/", (OURS, 0)), Err(Refusal::ForeignOrigin), "two of them");
    }

    #[tokio::test]
    async fn tokens_and_users() {
        let porter = Porter::new().await;
        let with = |value, now| porter.check(&[HOST, ("authorization", value)], "/", (OURS, now));
        assert_eq!(with("Bearer cafe", 0).unwrap(), "token read,write,admin");
        assert_eq!(with("Bearer phone", 99).unwrap(), "token:t1 read");
        assert_eq!(with("Bearer phone", 100), Err(Refusal::WrongToken), "it has expired");
        for wrong in ["Bearer caff", "Bearer ", "Bearer", "Basic cafe", "cafe"] {
            assert_eq!(with(wrong, 0), Err(Refusal::WrongToken), "{wrong}");
        }
        for url in [
            "/?token=cafe",
            "/?a=b&access_token=x",
            "/events?x=cafe",
            "/?x=a-cafe",
            "/events?x=phone",
            "/?phone",
            "/?Auth=1",
        ] {
            assert_eq!(porter.check(&[HOST], url, (OURS, 0)), Err(Refusal::TokenInUrl), "{url}");
        }
        assert_eq!(porter.check(&[HOST], "/", (OURS, 0)).unwrap(), "local:1000 read,write,admin");
        assert_eq!(porter.check(&[HOST], "/", (Some(1001), 0)), Err(Refusal::OtherUser));
        assert_eq!(porter.check(&[HOST], "/", (None, 0)), Err(Refusal::UnknownUser));
    }

    #[tokio::test]
    async fn only_who_claims_nothing_may_say_later_who_it_is() {
        let porter = Porter::new().await;
        let other = (Some(1001), 0);
        assert_eq!(porter.check(&[HOST], "/pending", other).unwrap(), "nobody ");
        assert_eq!(porter.check(&[HOST], "/pending", (OURS, 0)).unwrap(), "local:1000 read,write,admin");
        let wrong = [HOST, ("authorization", "Bearer caff")];
        assert_eq!(porter.check(&wrong, "/pending", other), Err(Refusal::WrongToken));
        let page = [HOST, ("origin", "http://127.0.0.1:18789")];
        assert_eq!(porter.check(&page, "/pending", other), Err(Refusal::BrowserWithoutToken));
    }
}
