//! The page for people, and how a browser gets in (`security.md` 3, 4, 9).

use std::fmt::Write as _;
use std::net::SocketAddr;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, Running, TestHome, another_user, dial, within};

/// What a browser says when a person opens a page.
const OPENED: (&str, &str) = ("Sec-Fetch-Site", "none");
/// What it says when a page of the same origin asks.
const OF_OUR_PAGE: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
const SESSION: &str = "/console/session";
const KEY: &str = "Pb-Console-Key";

/// An answer.
struct Answer {
    status: u16,
    /// In small letters.
    head: String,
    body: String,
}

impl Answer {
    /// The value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The cookie that it sets, as a browser sends it back.
    fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}

async fn ask(at: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask_on(TcpStream::connect(at).await.unwrap(), at, (method, path), headers).await
}

async fn ask_on(
    mut stream: TcpStream,
    at: SocketAddr,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        write!(text, "Host: {at}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within("the answer", stream.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// A code for a browser that may do so much.
async fn code(gateway: &Running, permissions: &[&str]) -> String {
    let mut admin = Client::connect(gateway.address).await;
    let made = admin.call("console.invite", json!({"permissions": permissions})).await.unwrap();
    made["code"].as_str().unwrap().to_owned()
}

/// A browser that brings a code.
async fn bring(gateway: &Running, code: &str) -> Answer {
    let said = format!("Code {code}");
    ask(gateway.address, "POST", SESSION, &[OF_OUR_PAGE, ("Authorization", &said)]).await
}

/// What a browser has that came in: a cookie, and what its page keeps.
struct Browser {
    cookie: String,
    key: String,
}

impl Browser {
    async fn new(gateway: &Running, permissions: &[&str]) -> Self {
        let came = bring(gateway, &code(gateway, permissions).await).await;
        assert_eq!(came.status, 200, "{}", came.body);
        let said: Value = serde_json::from_str(&came.body).unwrap();
        Self { cookie: came.cookie(), key: said["key"].as_str().unwrap().to_owned() }
    }

    /// What it sends with each request of its page.
    fn headers(&self) -> [(&str, &str); 3] {
        [OF_OUR_PAGE, ("Cookie", &self.cookie), (KEY, &self.key)]
    }

    /// What its page offers for a WebSocket.
    fn protocols(&self) -> String {
        format!("pb-console, pb-key.{}", self.key)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_03_a_browser_without_a_token_is_shown_the_files_and_nothing_else() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let address = gateway.address;
    for (path, kind) in [
        ("/", "text/html"),
        ("/app.js", "text/javascript"),
        ("/layout.js", "text/javascript"),
        ("/app.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/?gatewayUrl=ws://evil.test", "text/html"),
    ] {
        for site in [OPENED, OF_OUR_PAGE] {
            let shown = ask(address, "GET", path, &[site]).await;
            assert_eq!(shown.status, 200, "{path}");
            assert_eq!(shown.header("content-type"), Some(format!("{kind}; charset=utf-8").as_str()));
            assert!(!shown.body.is_empty() && !shown.body.contains(&at.token()));
            let tag = shown.header("etag").unwrap().to_owned();
            let again = ask(address, "GET", path, &[site, ("If-None-Match", &tag)]).await;
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
            let head = ask(address, "HEAD", path, &[site]).await;
            assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        }
        for (header, status) in [
            (("Sec-Fetch-Site", "cross-site"), 403),
            (("Sec-Fetch-Site", "same-site"), 403),
            (("Origin", "null"), 403),
            (("Host", "evil.test"), 403),
        ] {
            assert_eq!(ask(address, "GET", path, &[header]).await.status, status, "{path} {header:?}");
        }
        let posted = ask(address, "POST", path, &[OF_OUR_PAGE]).await;
        assert_eq!(posted.status, 401, "{path}");
    }
    for path in
        [SESSION, "/events", "/metrics", "/readyz", "/version", "/index.html", "/app.js/", "/../app.js"]
    {
        assert_eq!(ask(address, "GET", path, &[OPENED]).await.status, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_09_the_page_loads_and_asks_nothing_of_anybody_else() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    for path in ["/", "/app.js", "/layout.js", "/app.css", "/icon.svg"] {
        let shown = ask(gateway.address, "GET", path, &[OPENED]).await;
        let policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
        assert_eq!(shown.header("content-security-policy"), Some(policy), "{path}");
        assert_eq!(shown.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(shown.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(shown.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(shown.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        assert_eq!(shown.header("set-cookie"), None, "{path}");
        assert!(!shown.head.contains("access-control-"), "{path}: {}", shown.head);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_code_becomes_a_cookie_that_no_script_reads_and_is_refused_in_a_url() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (address, port) = (gateway.address, gateway.address.port());
    let code = code(&gateway, &["write"]).await;
    for query in [format!("/?token={code}"), format!("/?code={code}")] {
        assert_eq!(ask(address, "GET", &query, &[OPENED]).await.status, 400, "{query}");
    }
    let came = bring(&gateway, &code).await;
    assert_eq!(came.status, 200);
    let (cookie, said): (_, Value) = (came.cookie(), serde_json::from_str(&came.body).unwrap());
    let half = cookie.strip_prefix(&format!("pb-console-{port}=")).unwrap();
    let key = said["key"].as_str().unwrap();
    assert_eq!((half.len(), key.len()), (32, 32));
    let expected = format!("{cookie}; path=/; httponly; samesite=strict");
    assert_eq!(came.header("set-cookie"), Some(expected.as_str()));
    assert!(!came.body.contains(half) && !came.head.contains(key), "each half goes its own way");

    let seen = ask(address, "GET", SESSION, &[OF_OUR_PAGE, ("Cookie", &cookie), (KEY, key)]).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains(half) && !seen.body.contains(key), "{}", seen.body);
    let seen: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(seen["permissions"], json!(["read", "write"]));
    let origin = format!("http://{address}");
    let protocols = format!("pb-key.{key}, pb-console");
    let headers = [("Origin", origin.as_str()), ("Cookie", &cookie), ("Sec-WebSocket-Protocol", &protocols)];
    let mut page = dial(address, "/", &headers).await.unwrap();
    assert_eq!(page.greeting["data"]["permissions"], json!(["read", "write"]));
    assert_eq!(page.call("system.ping", json!({})).await.unwrap()["pong"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_an_address_lets_one_browser_in_once_and_only_with_a_code() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let params = json!({"permissions": ["write"], "idempotencyKey": "once"});
    let made = admin.call("console.invite", params.clone()).await.unwrap();
    assert_eq!(admin.call("console.invite", params).await.unwrap(), made, "a repeat is the same code");
    let code = made["code"].as_str().unwrap();
    let listed = admin.call("token.list", json!({})).await.unwrap();
    assert_eq!(listed["tokens"], json!([]), "a code is no token yet");
    assert_eq!(bring(&gateway, code).await.status, 200);
    let listed = admin.call("token.list", json!({})).await.unwrap();
    let row = &listed["tokens"][0];
    let expected = json!(["console", "live", ["read", "write"]]);
    assert_eq!(json!([row["name"], row["status"], row["permissions"]]), expected);
    let again = bring(&gateway, code).await;
    assert_eq!((again.status, again.header("set-cookie")), (401, None));
    assert!(again.body.contains("was used already, or is too old"), "{}", again.body);
    assert!(again.body.contains("pb console"), "{}", again.body);

    // An access token, ours too, lets no browser in; and who asks as no page of ours is none.
    let token = admin.call("token.create", json!({"name": "x", "permissions": ["admin"]})).await.unwrap();
    let secret = token["secret"].as_str().unwrap();
    let fresh = self::code(&gateway, &[]).await;
    for (site, said) in [
        (OF_OUR_PAGE, format!("Bearer {secret}")),
        (OF_OUR_PAGE, format!("Bearer {}", at.token())),
        (OPENED, format!("Code {fresh}")),
    ] {
        let refused = ask(gateway.address, "POST", SESSION, &[site, ("Authorization", &said)]).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (401, None), "{said}");
    }
    assert_eq!(bring(&gateway, &fresh).await.status, 200, "and none of that used it up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_06_only_who_may_do_everything_invites_a_browser_and_with_no_more_than_that() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let made =
        admin.call("token.create", json!({"name": "x", "permissions": ["write", "approve"]})).await.unwrap();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let mut other = dial(gateway.address, "/", &[("Authorization", &bearer)]).await.unwrap();
    let refused = other.call("console.invite", json!({"permissions": []})).await.unwrap_err();
    assert_eq!(refused["code"], -32004);
    let passed = admin.call("console.invite", json!({"permissions": [], "expiresAt": 1})).await.unwrap_err();
    assert_eq!(passed["code"], -32602);

    // A code ends with the access of who made it.
    let made = admin.call("token.create", json!({"name": "y", "permissions": ["admin"]})).await.unwrap();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let mut other = dial(gateway.address, "/", &[("Authorization", &bearer)]).await.unwrap();
    let code = other.call("console.invite", json!({"permissions": ["admin"]})).await.unwrap();
    admin.call("token.revoke", json!({"tokenId": made["token"]["id"]})).await.unwrap();
    assert_eq!(bring(&gateway, code["code"].as_str().unwrap()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_05_wrong_codes_have_a_browser_wait_and_nobody_who_brings_a_token() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut statuses = Vec::new();
    for _ in 0..22 {
        statuses.push(bring(&gateway, "guessed").await.status);
    }
    assert_eq!((statuses[0], statuses[19], statuses[21]), (401, 401, 429), "{statuses:?}");
    let bearer = format!("Bearer {}", at.token());
    let right = ask(gateway.address, "GET", "/readyz", &[("Authorization", bearer.as_str())]).await;
    assert_ne!(right.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_cookie_counts_only_for_a_page_of_our_own_origin() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (address, port) = (gateway.address, gateway.address.port());
    let browser = Browser::new(&gateway, &["admin"]).await;
    let localhost = format!("http://localhost:{port}");
    let other_port = format!("http://127.0.0.1:{}", port ^ 1);
    let ours = format!("http://{address}");
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "none")], 401),
        (vec![("Sec-Fetch-Site", "same-site")], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Origin", other_port.as_str())], 403),
        // It is our port by another of our names: not where the cookie is from.
        (vec![("Origin", localhost.as_str())], 401),
        (vec![("Origin", ours.as_str()), ("Sec-Fetch-Site", "none")], 401),
        (vec![("Origin", ours.as_str())], 200),
        (vec![("Origin", ours.as_str()), ("Sec-Fetch-Site", "same-origin")], 200),
    ] {
        let mut headers = headers;
        headers.extend([("Cookie", browser.cookie.as_str()), (KEY, &browser.key)]);
        let answer = ask(address, "GET", SESSION, &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
        let upgraded = dial(address, "/", &headers).await.err().unwrap_or(200);
        assert_eq!(upgraded, status, "{headers:?}");
    }
    // A program that sends it is let in for its own sake, as ever, with what that gives.
    let program = ask(address, "GET", SESSION, &[("Cookie", &browser.cookie), (KEY, &browser.key)]).await;
    assert!(program.body.contains("local:"), "{}", program.body);
}

/// A server on another port of this machine is sent the cookie, and its page may set one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_cookie_alone_lets_nobody_in_and_a_wrong_one_locks_nobody_out() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let (address, port) = (gateway.address, gateway.address.port());
    let browser = Browser::new(&gateway, &["admin"]).await;
    let other = Browser::new(&gateway, &["admin"]).await;
    let whole = format!("pb-console-{port}={}{}", browser.cookie.split_once('=').unwrap().1, browser.key);
    for headers in [
        vec![("Cookie", browser.cookie.as_str())],
        vec![(KEY, browser.key.as_str())],
        vec![("Cookie", browser.cookie.as_str()), (KEY, other.key.as_str())],
        vec![("Cookie", whole.as_str()), (KEY, "")],
        vec![("Cookie", browser.cookie.as_str()), ("Sec-WebSocket-Protocol", "pb-console, pb-key.")],
    ] {
        let mut headers = headers;
        headers.push(OF_OUR_PAGE);
        assert_eq!(ask(address, "GET", SESSION, &headers).await.status, 401, "{headers:?}");
        assert_eq!(dial(address, "/", &headers).await.err(), Some(401), "{headers:?}");
    }

    let wrong = format!("pb-console-{port}={}", "0".repeat(32));
    let headers = [OF_OUR_PAGE, ("Cookie", wrong.as_str()), (KEY, &browser.key)];
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(ask(address, "GET", SESSION, &headers).await.status);
    }
    assert_eq!((statuses[0], statuses[24]), (401, 429), "{statuses:?}");
    let bearer = format!("Bearer {}", at.token());
    let program = ask(address, "GET", "/readyz", &[("Authorization", &bearer)]).await;
    assert_ne!(program.status, 429, "who has a token does not wait for that");
    assert_eq!(bring(&gateway, &code(&gateway, &[]).await).await.status, 200, "nor who comes in anew");
    let page = ask(address, "GET", "/", &[OPENED, ("Cookie", &wrong)]).await;
    assert_eq!(page.status, 200, "the files are shown all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_a_cookie_of_ours_that_another_user_got_hold_of_lets_nobody_in() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let address = gateway.address;
    let browser = Browser::new(&gateway, &["admin"]).await;
    let code = code(&gateway, &["admin"]).await;
    let said = format!("Code {code}");
    for (method, headers, status) in [
        ("GET", browser.headers().to_vec(), 401),
        ("POST", vec![OF_OUR_PAGE, ("Authorization", said.as_str())], 403),
    ] {
        let Some(stream) = another_user(address) else { return };
        let answer = ask_on(stream, address, (method, SESSION), &headers).await;
        assert_eq!(answer.status, status, "{method}: {}", answer.body);
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(bring(&gateway, &code).await.status, 200, "and they did not use it up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_04_our_own_token_is_in_no_cookie() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let own = at.token();
    let (half, key) = own.split_at(own.len() / 2);
    let cookie = format!("pb-console-{}={half}", gateway.address.port());
    let headers = [OF_OUR_PAGE, ("Cookie", cookie.as_str()), (KEY, key)];
    let refused = ask(gateway.address, "GET", SESSION, &headers).await;
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains(r#""reason":"wrong_cookie""#), "{}", refused.body);
    // The browser may have a new one by the time it hears this: what is no longer good is let go of by the page.
    assert_eq!(refused.header("set-cookie"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_07_a_browser_that_leaves_ends_its_token_and_every_page_of_it() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let address = gateway.address;
    let browser = Browser::new(&gateway, &["admin"]).await;
    let origin = format!("http://{address}");
    let protocols = browser.protocols();
    let headers =
        [("Origin", origin.as_str()), ("Cookie", &browser.cookie), ("Sec-WebSocket-Protocol", &protocols)];
    let mut page = dial(address, "/", &headers).await.unwrap();
    let left = ask(address, "DELETE", SESSION, &browser.headers()).await;
    assert_eq!(left.status, 204);
    assert!(left.header("set-cookie").unwrap().contains("max-age=0"));
    assert_eq!(page.closed().await, Some((4003, "token_revoked".to_owned())));
    assert_eq!(ask(address, "GET", SESSION, &browser.headers()).await.status, 401);
    let mut admin = Client::connect(address).await;
    let listed = admin.call("token.list", json!({})).await.unwrap();
    let row = &listed["tokens"][0];
    assert_eq!((&row["name"], &row["status"]), (&json!("console"), &json!("revoked")));
}
